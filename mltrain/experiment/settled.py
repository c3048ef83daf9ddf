"""What follows from the model and the number of training rows where the training section says auto."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.models.input_encoder import KINDS_IN_WORDS
from mltrain.task import DataInfo, Decision
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.rate_search import RateSearch
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau
from mltrain.training.schedule import Schedule
from mltrain.training.spec import TrainingSpec
from mltrain.training.stochastic_weight_averaging import StochasticWeightAveraging
from mltrain.wording import listed

_SPARED = "biases and normalization are left alone; Keras decays all, as `all` does"

_CARRIED = (
    "the last batches of an epoch wait for the next one, and schedules count batches; `training.accumulate` ends each "
    "epoch with an update"
)


def settled(
    spec: ExperimentSpec, info: DataInfo, epochs: int | None = None, rate: float | None = None
) -> ExperimentSpec:
    """Return an experiment whose training has a value where the config says auto: what the loop, the plan and the
    results read.

    Args:
        spec: the experiment, as the config says it; one that is settled stays as it is.
        info: what is known of the data.
        epochs: that fit a budget in seconds, once they are known.
        rate: the learning rate that was looked for, once it is found.
    """
    model = spec.model.for_data(info)
    if model is not spec.model:
        return settled(spec.model_copy(update={"model": model}), info, epochs, rate)
    training = spec.training
    usual = model.usual_training(info)
    found: dict[str, Any] = {}
    if training.epochs == "auto":
        budget = training.budget
        fitting = None if budget is None else epochs or budget.epochs(info.train_rows)
        found["epochs"] = training.stated_epochs or fitting or usual.epochs
    if training.batch_size == "auto":
        found["batch_size"] = usual.batch_size
    if training.schedule == "auto":
        found["schedule"] = Schedule(**usual.schedule) if usual.schedule and _takes_schedule(training) else "none"
    if training.optimizer is None:
        found["optimizer"] = usual.optimizer
    if training.learning_rate is not None:
        optimizer, stated = training.optimizer or usual.optimizer, training.learning_rate
        if isinstance(stated, RateSearch):
            stated = rate or optimizer.argument("learning_rate")
        found["optimizer"] = optimizer.with_argument("learning_rate", stated)
        found["learning_rate"] = None
    if training.patience != "none":
        patience = _patience(spec, info, found) if training.patience == "auto" else training.patience
        found["patience"] = "none"
        if patience is not None:
            found["callbacks"] = (*training.callbacks, EarlyStopping(patience=patience))
    if not found:
        return spec
    return spec.model_copy(update={"training": training.model_copy(update=found)})


def _patience(spec: ExperimentSpec, info: DataInfo, found: Mapping[str, Any]) -> int | None:
    """Return the usual patience in epochs; None where all epochs are trained: their number is stated, or something else
    ends the training, or no validation rows could say that it no longer improves."""
    training, share = spec.training, spec.model.usual_training(info).patience
    others = any(isinstance(callback, EarlyStopping | StochasticWeightAveraging) for callback in training.callbacks)
    ends = others or training.stop_when is not None or training.budget is not None or training.epochs != "auto"
    ends = ends or bool(training.stages)
    if share is None or ends or "validation" not in spec.data.split.has_rows_for():
        return None
    return math.ceil(share * found["epochs"])


def _takes_schedule(training: TrainingSpec) -> bool:
    """Return whether the usual schedule can be used: it belongs to the learning rate that it was chosen with, and
    nothing else may change that."""
    others = any(isinstance(callback, ReduceLROnPlateau) for callback in training.callbacks)
    others = others or isinstance(training.learning_rate, KerasComponent)
    return training.optimizer is None and not others and not training.on_divergence.retry


def settling_decisions(
    spec: ExperimentSpec, info: DataInfo, epochs: int | None = None, rate: float | None = None
) -> tuple[Decision, ...]:
    """Return what `settled` decides by a rule on the rows, or by the model, with reasons.

    Args:
        spec: the experiment, as the config says it.
        info: what is known of the data.
        epochs: as for `settled`.
        rate: as for `settled`.
    """
    model = spec.model.for_data(info)
    found = []
    if model is not spec.model:
        kinds = listed(list(dict.fromkeys(KINDS_IN_WORDS[each.kind] for each in info.inputs)))
        found.append(Decision("model", getattr(model, "type", ""), f"it fits {kinds}"))
    found += model.choices(info)
    usual = model.usual_training(info)
    before, after = spec.training, settled(spec, info, epochs, rate).training
    if before.epochs == "auto" and before.budget is not None:
        found.append(Decision("training.epochs", str(after.epochs), f"they fit the budget of {before.budget.words}"))
    if isinstance(before.learning_rate, RateSearch) and rate is not None:
        found.append(Decision("training.learning_rate", f"{rate:.3g}", before.learning_rate.find.words))
    if after.decays and before.weight_decay_on == "weights":
        found.append(Decision("training.weight_decay_on", "weights", _SPARED))
    if after.accumulates_as_keras:
        found.append(Decision("training.optimizer.gradient_accumulation_steps", "as in Keras", _CARRIED))
    if not usual.reason:
        return tuple(found)
    if before.epochs == "auto" and before.budget is None and not before.stages:
        found.append(Decision("training.epochs", str(after.epochs), usual.reason))
    if before.batch_size == "auto":
        found.append(Decision("training.batch_size", str(after.batch_size), usual.reason))
    if before.optimizer is None:
        # A stated learning rate is not decided here.
        own = usual.optimizer.changed().items() if before.learning_rate is None else ()
        changed = ", ".join(f"{name}: {value:g}" for name, value in own)
        value = f"{usual.optimizer.type} ({changed})" if changed else usual.optimizer.type
        found.append(Decision("training.optimizer", value, usual.of_model))
    if before.patience == "auto" and len(after.callbacks) > len(before.callbacks):
        patience = getattr(after.callbacks[-1], "patience", "")
        found.append(Decision("training.patience", f"{patience} epochs", usual.of_model))
    if before.schedule == "auto" and isinstance(after.schedule, Schedule):
        found.append(Decision("training.schedule", after.schedule.words, usual.of_model))
    return tuple(found)
