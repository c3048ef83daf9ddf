"""A run that is resumed with other settings: each of them is used from now on, or refused. Imports TensorFlow.

Most settings take effect because the network is built from the new config. Those that live in a variable or in a state
that the checkpoint brings back do not: the learning rate, and what a callback remembers, are set here. What acts only
when a training begins (seeds, first weights), or has decided what is written (loss, objective, splits), is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import keras
import numpy as np

from mltrain.errors import MltrainError, RunError
from mltrain.experiment.settled import settled
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.problems import path_text
from mltrain.procedures.checkpoints import Saved
from mltrain.procedures.network import Network, build_network
from mltrain.procedures.plan import Plan, WatchingCallback, make_plan
from mltrain.procedures.resumption import PlannedResumption
from mltrain.procedures.setup import Setup
from mltrain.procedures.staging import put_stage
from mltrain.run.history import History
from mltrain.run.locked_run import LockedRun
from mltrain.run.record import Record
from mltrain.task import DataInfo
from mltrain.training.acceleration import Precision
from mltrain.training.loss_scaling import inner_optimizer
from mltrain.training.metrics import default_loss
from mltrain.training.state import state_variables, take_state

_RATE = "training.optimizer.learning_rate"
_OF_VARIABLES = (
    "seed",
    "task",
    "data.",
    "model",
    "precision",
    "training.optimizer",
    "training.metrics",
    "training.stages",
)


@dataclass(frozen=True)
class FormerTraining:
    """What a run was before it is resumed, as far as another config can change it.

    Attributes:
        spec: of the config so far.
        changed: whether something differs, so that the checkpoint has to be adapted and written again.
        longer: whether more epochs are asked for: a stop that was decided does not count then.
        network: of the config so far; None where nothing differs, or where it does not fit the data any more.
        plan: of the config so far; None as above.
        other_target: whether the target is encoded in another way.
        new_rate: whether the learning rate is the stated one from now on, not that of the checkpoint.
        differences: what differs from the checkpoint though not from the config, a sentence each.
    """

    spec: ExperimentSpec
    changed: bool
    longer: bool
    network: Network | None = None
    plan: Plan | None = None
    other_target: bool = False
    new_rate: bool = False
    differences: tuple[str, ...] = ()

    def monitors(self, plan: Plan, stage: int) -> tuple[WatchingCallback, ...]:
        """Return the callbacks with which the checkpoint was written; those of the new `plan` where nothing differs."""
        return (plan if self.plan is None else self.plan).monitors[stage]

    def adapted(self, saved: Saved, model: keras.Model, plan: Plan) -> Saved:
        """Return the checkpoint as the new config needs it.

        Raises:
            RunError: it was not written with the callbacks of the run.
        """
        history = History.from_csv(saved.state["history"].encode(), saved.name)
        stage = stage_of(saved)
        states = _callback_states(saved, self.monitors(plan, stage), plan.monitors[stage], history)
        training = {**saved.state["training"], "callbacks": states}
        arrays = saved.arrays
        if self.network is not None:
            arrays = _with_rate(arrays, self.network.model, model, new=self.new_rate)
        return replace(saved, arrays=arrays, state={**saved.state, "training": training})


def former_training(planned: PlannedResumption, setup: Setup, run: LockedRun, saved: Saved | None) -> FormerTraining:
    """Return what the run was, where it differs from what it is going to be."""
    prepared = setup.prepared
    record, after = planned.before, setup.spec
    before = settled(planned.spec, prepared.info, record.epochs, record.learning_rate)
    former = FormerTraining(before, changed=False, longer=planned.longer)
    if saved is None:
        return former
    stage = stage_of(saved)
    rate = _stated_rate(after, stage)
    now = _rate_of(saved, setup.network.model)
    reset = planned.states_rate and now is not None and np.float32(rate) != np.float32(now)
    if not reset and not planned.differences:
        return former
    same = stage < max(1, len(before.training.stages)) and _stated_rate(before, stage) == rate
    known = cast(Precision, planned.before.determinism.get("precision", "float32"))
    built: Network | None
    plan: Plan | None
    try:
        built = build_network(before, prepared.info, prepared.preprocessing.target, known)
        put_stage(built, stage)
        plan = make_plan(before, prepared.info, set(prepared.examples))
    except MltrainError:  # the data is another, too: what cannot be compared is refused by its variables
        built = plan = None
    target = run.preprocessing().get("target") if run.has_preprocessing() else None
    return replace(
        former,
        changed=True,
        network=built,
        plan=plan,
        other_target=target != prepared.preprocessing.to_json()["target"],
        new_rate=reset or not same,
        differences=(f"{_RATE}: {now:g} became {rate:g}",) if reset and same and now is not None else (),
    )


def refused_changes(
    planned: PlannedResumption, former: FormerTraining, record: Record, setup: Setup, saved: Saved | None
) -> Iterator[str]:
    """Yield what differs and cannot be used by a training that has begun, a sentence each."""
    before, after, differences = former.spec, setup.spec, planned.differences
    network, plan = setup.network, setup.plan
    others = [name for name, rows in planned.before.splits.items() if record.splits.get(name) != rows]
    if others:
        counts = [
            f"{name}: {planned.before.splits[name].rows} rows became {record.splits[name].rows}"
            for name in others
            if name in record.splits and record.splits[name].rows != planned.before.splits[name].rows
        ]
        yield f"splits: other rows than before{_in_brackets(counts)}"
    if saved is None:
        return
    trained = saved.state["training"]["position"]["epoch"] - 1
    if network.epochs < trained:
        yield f"training.epochs: {network.epochs} is less than the {trained} epochs that are already trained"
    history = History.from_csv(saved.state["history"].encode(), saved.name)
    stage = stage_of(saved)
    states = _callback_states(saved, former.monitors(plan, stage), plan.monitors[stage], history)
    for (callback, _), state in zip(plan.monitors[stage], states, strict=True):
        if misfit := callback.misfit(state, trained):
            yield misfit
    if not former.changed:
        return
    task = network.info.task
    losses = [_losses(spec, network.info) for spec in (before, after)]
    named = {
        "seed": before.seed != after.seed,
        "task": former.other_target,
        "data.target": former.other_target,
        "training.loss": losses[0] != losses[1],
        "training.outputs": losses[0] != losses[1],
        "training.metrics": before.training.metrics != after.training.metrics,
        "training.optimizer.type": _optimizer(before).type != _optimizer(after).type,
        "evaluation.metrics": _names(before, task) != _names(after, task),
        "evaluation.outputs": _names_of_outputs(before, network.info) != _names_of_outputs(after, network.info),
        "objective": former.plan is not None and former.plan.objective != plan.objective,
    }
    named |= {path_text(each.path): True for spec in (before, after) for each in spec.model.stated_weights()}
    found = [each for each in differences if any(wrong and each.startswith(name) for name, wrong in named.items())]
    if former.other_target and not any(each.startswith(("task", "data.target")) for each in found):
        found.append("data: the target is encoded in another way than when the training began")
    if not found and (_misfits(former, network, plan, saved) or _starts_differently(former, network)):
        found = [each for each in differences if each.startswith(_OF_VARIABLES) and not each.startswith(_RATE)]
    yield from found


def stage_of(saved: Saved) -> int:
    """Return the stage in which a checkpoint was written, counted from 0."""
    return int(saved.state["training"]["position"].get("stage", 0))


def put_stage_of(saved: Saved, network: Network) -> None:
    """Give a network the layers and the optimizer of the stage in which a checkpoint was written.

    Raises:
        RunError: the config has fewer stages.
        MisfitError: the stage has no such layers.
    """
    stage, stages = stage_of(saved), len(network.spec.training.stages)
    if stage >= max(1, stages):
        raise RunError(
            f"{saved.name} was written in stage {stage + 1} of the training, and training.stages now has {stages}: "
            "keep the stages that have begun, or train a new run"
        )
    put_stage(network, stage)


def _optimizer(spec: ExperimentSpec) -> KerasComponent:
    """Return the optimizer of a settled experiment."""
    return cast(KerasComponent, spec.training.optimizer)


def _stated_rate(spec: ExperimentSpec, stage: int) -> Any:
    return cast(KerasComponent, spec.training.of_stage(stage).optimizer).argument("learning_rate")


def _in_brackets(parts: list[str]) -> str:
    return f" ({', '.join(parts)})" if parts else ""


def _losses(spec: ExperimentSpec, info: DataInfo) -> list[tuple[KerasComponent, float]]:
    """Return each loss, with its weight in the sum where there are several."""
    if not info.output.parts:
        return [(spec.training.loss or default_loss(info.task), 1.0)]
    stated = [(part, spec.training.of_output(part.name)) for part in info.output.parts]
    return [(each.loss or default_loss(part.task), each.weight) for part, each in stated]


def _names_of_outputs(spec: ExperimentSpec, info: DataInfo) -> list[list[str]]:
    return [_names(spec.for_output(part.name, part.task), part.task) for part in info.output.parts]


def _names(spec: ExperimentSpec, task: Any) -> list[str]:
    return [metric.name for metric in spec.evaluation.metrics_for(task)]


def _misfits(former: FormerTraining, network: Network, plan: Plan, saved: Saved) -> bool:
    """Return whether the variables of the checkpoint are not those of the network."""
    arrays = former.adapted(saved, network.model, plan).arrays
    variables = state_variables(network.model)
    return arrays.keys() != variables.keys() or any(
        arrays[place].shape != tuple(variable.shape) or arrays[place].dtype.name != variable.dtype
        for place, variable in variables.items()
    )


def _starts_differently(former: FormerTraining, network: Network) -> bool:
    """Return whether the new config would begin a training with other variables: it is too late for that."""
    if former.network is None:
        return False
    before = _with_rate(take_state(former.network.model), former.network.model, network.model, new=True)
    after = take_state(network.model)
    rate = _rate_place(network.model)
    return before.keys() != after.keys() or any(
        not np.array_equal(before[place].view(np.uint8), after[place].view(np.uint8))
        for place in before
        if place != rate and before[place].ndim and not place.startswith("seed")
    )


def _with_rate(
    arrays: Mapping[str, np.ndarray], before: keras.Model, after: keras.Model, *, new: bool
) -> dict[str, np.ndarray]:
    """Return the variables of a state for a model whose learning rate may be a number where it was a schedule.

    Args:
        arrays: of `take_state`, for `before`.
        before: the model that they are of.
        after: the model that they are for, as it was built.
        new: whether its learning rate is that of `after`.
    """
    group = "optimizer-"
    others = {place: array for place, array in arrays.items() if not place.startswith(group)}
    kept = [array for place, array in sorted(arrays.items()) if place.startswith(group)]
    was, becomes = _rate_number(before), _rate_number(after)
    old = kept.pop(was) if was is not None and was < len(kept) else None
    if becomes is not None:
        value = after.optimizer.variables[becomes].numpy()
        kept.insert(becomes, value if new or old is None else old)
    return {**others, **{f"{group}{number:04d}": array for number, array in enumerate(kept)}}


def _rate_number(model: keras.Model) -> int | None:
    """Return which of the optimizer's variables is the learning rate; None where it follows a schedule."""
    inner = inner_optimizer(model)
    found = (number for number, each in enumerate(model.optimizer.variables) if each is inner._learning_rate)
    return next(found, None)


def _rate_place(model: keras.Model) -> str | None:
    number = _rate_number(model)
    return None if number is None else f"optimizer-{number:04d}"


def _rate_of(saved: Saved, model: keras.Model) -> float | None:
    """Return the learning rate of the checkpoint, where it and the model have one that is a number."""
    array = saved.arrays.get(_rate_place(model) or "")
    return float(array) if array is not None and not array.ndim else None


def _callback_states(
    saved: Saved, before: tuple[WatchingCallback, ...], after: tuple[WatchingCallback, ...], history: History
) -> list[dict[str, Any]]:
    """Return the state of each callback: the kept one, or what it would be if the callback had always been there."""
    kept = saved.state["training"]["callbacks"]
    if [sorted(state) for state in kept] != [sorted(callback.build(watched).state()) for callback, watched in before]:
        raise RunError(f"{saved.name}: it was not written with the callbacks of config.resolved.yaml")
    states = list(zip(before, kept, strict=True))
    found = []
    for each in after:
        state = next((one for one in states if one[0] == each), None)
        if state is not None:
            states.remove(state)
        found.append(_replayed(each, history) if state is None else state[1])
    return found


def _replayed(monitored: WatchingCallback, history: History) -> dict[str, Any]:
    callback = monitored[0].build(monitored[1])
    for row in history.rows:
        measured = dict(zip(history.columns, row, strict=True))
        callback.epoch_ended(int(measured["epoch"]), measured, measured["learning_rate"])
    return callback.state()
