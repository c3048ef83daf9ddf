"""The config of a run, read back also where it names what plugins define that are not there. No TensorFlow, no
NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, get_args

from mltrain.config.load import Loaded, load_text
from mltrain.config.overrides import place_of_override
from mltrain.config.plugins import Plugins
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.experiment.measured import default_objective
from mltrain.experiment.spec import ExperimentSpec
from mltrain.problems import InvalidConfigError, KeyPath
from mltrain.procedures.recorded_parts import other_parts, recorded_parts, refuse_absent_parts
from mltrain.run.record import OwnMetricRecord, Record
from mltrain.run.rundir import RunDirectory
from mltrain.task import SPLITS, Task

_DECAY = ("training", "weight_decay_on")


def recorded_config(run: RunDirectory, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> Loaded:
    """Return the config of a run. What of its components is not there can be named, and not be measured or built.

    Raises:
        RunError: config.resolved.yaml or record.json is not there or damaged.
        ConfigError: config.resolved.yaml, or one of the overrides, is none that mltrain can read.
        PluginError: the installed package of one of its metrics cannot be imported.
    """
    text, record = run.resolved(), run.record()
    own = {name: (each.direction, each.origin) for name, each in record.own_metrics.items()}
    parts = recorded_parts(record, run.path / "record.json")
    known = (Plugins() if plugins is None else plugins).with_recorded(own, parts)

    def load(overrides: Sequence[str]) -> Loaded:
        return load_text(text, "config.resolved.yaml", run.path, overrides, plugins=known)

    try:
        loaded = load(overrides)
    except InvalidConfigError as error:
        raise _at_the_overrides(error, overrides, load) from error
    return as_when_recorded(loaded, record)


def _at_the_overrides(
    error: InvalidConfigError, overrides: Sequence[str], load: Callable[[Sequence[str]], object]
) -> InvalidConfigError:
    """Return an error with the problems that follow from an override placed there: nobody wrote the config of a run."""
    without: list[set[tuple[KeyPath, str]]] = []
    for number in range(len(overrides)):
        try:
            load((*overrides[:number], *overrides[number + 1 :]))
            without.append(set())
        except InvalidConfigError as other:
            without.append({(each.path, each.message) for each in other.problems})
    found = []
    for each in error.problems:
        causes = (number for number, left in enumerate(without) if (each.path, each.message) not in left)
        cause = next(causes, None)
        place = each.place
        if cause is not None and place.source.override is None:
            place = place_of_override(overrides[cause], cause + 1)
        found.append(replace(each, place=place))
    return InvalidConfigError(found)


def as_when_recorded(loaded: Loaded, record: Record) -> Loaded:
    """Return a config with the values stated that were the defaults when the run was made."""
    if record.defaults < 3 and loaded.root.existing(_DECAY) != _DECAY:
        training = loaded.spec.training.model_copy(update={"weight_decay_on": "all"})
        loaded = replace(loaded, spec=loaded.spec.model_copy(update={"training": training}))
    if record.defaults > 1:
        return loaded
    spec = _of_older_run(loaded.spec, record)
    # The other values cannot all be stated: a target that the source knows, or an objective beside its own monitor.
    data = spec.data if loaded.spec.data.target is not None else loaded.spec.data
    return replace(loaded, spec=spec, written=loaded.spec.model_copy(update={"task": spec.task, "data": data}))


def _of_older_run(spec: ExperimentSpec, record: Record) -> ExperimentSpec:
    changed: dict[str, Any] = {"data": spec.data.of_older_run()}
    # What a target is recognised as has changed: a one-hot target was several labels.
    task = next((each.value for each in record.decisions if each.what == "task"), None)
    if spec.task == "auto" and task in get_args(Task):
        changed["task"] = task
    if spec.objective.metric is None and record.splits:
        best = default_objective({name for name in SPLITS if name in record.splits})
        changed["objective"] = spec.objective.model_copy(update={"metric": best})
    return spec.model_copy(update=changed)


def own_metrics_record(metrics: Sequence[Metric] | None) -> dict[str, OwnMetricRecord]:
    """Return what a record says of the metrics of plugins, by name."""
    own = [metric for metric in metrics or () if isinstance(metric, OwnMetric)]
    return {metric.name: OwnMetricRecord(direction=metric.direction, origin=metric.origin) for metric in own}


def other_plugins(record: Record, spec: ExperimentSpec) -> tuple[str, ...]:
    """Return in which components of plugins are not what they were when the run was made, a sentence each."""
    now = own_metrics_record(spec.evaluation.stated_metrics)
    metrics = (
        f"{name} is measured by {now[name].origin.words}, in the training it was {before.origin.words}"
        for name, before in record.own_metrics.items()
        if name in now and now[name].origin != before.origin
    )
    return (*metrics, *other_parts(record, spec))


def other_parts_of(run: RunDirectory, plugins: Plugins | None) -> tuple[str, ...]:
    """Return which parts of the network of a run are not what they were when it was trained, a sentence each."""
    return tuple(other_parts(run.record(), recorded_config(run, plugins=plugins).spec))


def refuse_absent(spec: ExperimentSpec) -> None:
    """Refuse components of plugins that are not there, before it takes long to find out.

    Raises:
        PluginError: names the first, and what brings it.
    """
    for metric in spec.evaluation.stated_metrics:
        if isinstance(metric, OwnMetric):
            metric.given()
    refuse_absent_parts(spec)
