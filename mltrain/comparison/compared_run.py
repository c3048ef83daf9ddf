"""A finished run as it is compared with others: read from its directory alone, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mltrain.config.plugins import Plugins
from mltrain.config.yaml_document import decode, parse
from mltrain.errors import ConfigError, RunError, UsageError
from mltrain.evaluation.catalogue import canonical_name, loss_metric
from mltrain.evaluation.metric import Direction, Metric
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.outputs import KINDS
from mltrain.problems import shortened
from mltrain.run.reading import wrong_form
from mltrain.run.record import Record
from mltrain.run.results import Results
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import MetricValue
from mltrain.spec import suggest
from mltrain.task import OUT_OF_FOLD, SPLITS, Task, split_target
from mltrain.wording import counted

if TYPE_CHECKING:  # NumPy costs 80 ms
    import numpy as np

    from mltrain.run.predictions import StoredPredictions

# The usual losses of the tasks, and what is often stated instead. Poisson and cosine similarity can be below 0.
_NEVER_NEGATIVE = (
    *("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
    *("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"),
    *("MeanSquaredError", "MeanAbsoluteError", "Huber"),
)


@dataclass(frozen=True)
class ComparedRun:
    """A finished run.

    Attributes:
        directory: where everything else is.
        name: experiment and id, as `breast-cancer/20261120T201500Z-4bc2`.
        results: what is in metrics.json.
        measured: the exact metrics of its config.
        config: every value, as in config.resolved.yaml.
        data: the fingerprint of its data; None where that was not recorded.
        plugins: with which its metrics can be measured again.
        whole: of one of several targets of different kinds, the run itself; else None.
        target: the name of that target.
        seeds: the runs of several seeds, by seed, of which this is the mean; empty where it is one run.
    """

    directory: RunDirectory
    name: str
    results: Results
    measured: tuple[Metric, ...]
    config: Mapping[str, Any]
    data: str | None
    plugins: Plugins = field(default_factory=Plugins)
    whole: ComparedRun | None = None
    target: str = ""
    seeds: Mapping[int, ComparedRun] = field(default_factory=dict)

    def of_target(self, target: str) -> ComparedRun:
        """Return this run as if one of its targets of different kinds were the only one."""
        results = self.results.of_output(target)
        section = self.config.get("evaluation")
        outputs = section.get("outputs") if isinstance(section, dict) else None
        stated = outputs.get(target) if isinstance(outputs, dict) else None
        config = {"evaluation": stated if isinstance(stated, dict) else {}}
        measured = self.read_metrics(config, results.task)
        return replace(self, results=results, measured=measured, whole=self, target=target)

    def split_target(self, metric: str) -> tuple[str, str] | None:
        """Return `split.metric` and the target for `split.metric(target)`, where the targets are of different kinds and
        this is one of them; else None."""
        name, target = split_target(metric)
        known = self.results.splits[self.split].outputs if KINDS[self.task].mixed else {}
        return (name, target) if target is not None and target in known else None

    def predictions(self, split: str) -> StoredPredictions | None:
        """Return the predictions that it keeps for a split."""
        stored = self.directory.predictions(split)
        if stored is None or self.whole is None:
            return stored
        if not self.whole.fits(stored):
            raise RunError(f"{self.directory.path}: predictions/{split}.* are not those of its targets")
        output = self.whole.results.splits[split].output
        return stored.of_output(output, [part.name for part in output.parts].index(self.target))

    @property
    def task(self) -> Task:
        """What was learned."""
        return self.results.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return self.results.classes

    @property
    def split(self) -> str:
        """The split that nothing was chosen by, as far as there is one: test, else validation, else train."""
        return [split for split in SPLITS if split in self.results.splits][-1]

    @property
    def primary(self) -> str:
        """The metric by which the run is compared where none is named, as `test.log_loss`.

        That of the objective, if it is measured exactly; for a loss the exact metric that is nearest to it; else the
        first of `evaluation.metrics`.
        """
        if KINDS[self.task].mixed:
            _, _, name = self.results.objective.metric.partition(".")
            return f"{self.split}.{name if self.split_target(f'{self.split}.{name}') else 'loss'}"
        names = [metric.name for metric in self.measured]
        wanted = canonical_name(self.results.objective.metric.partition(".")[2])
        # The same quantity as the loss, without class weights, penalties and scaling.
        nearest = (KINDS[self.task].headline, KINDS[self.task].loss_metric)
        found = [name for name in (wanted, *(nearest if wanted == "loss" else ())) if name in names]
        return f"{self.split}.{[*found, *names, 'loss'][0]}"

    def fits(self, stored: StoredPredictions) -> bool:
        """Return whether predictions have as many targets as the run."""
        targets = stored.target.shape[1:]
        if KINDS[self.task].mixed:
            return stored.are_of(self.results.splits[self.split].output)
        return bool(targets) == KINDS[self.task].several and (
            self.task != "multilabel" or targets == (len(self.classes),)
        )

    @property
    def threshold(self) -> float:
        """The probability above which the positive class is predicted."""
        return 0.5 if self.results.threshold is None else self.results.threshold.value

    def decided(self, stored: StoredPredictions) -> np.ndarray:
        """Return the predicted class of each row (n,), of labels (n, labels); of two, by the threshold of the run."""
        threshold = (self.threshold,) if self.task == "binary" else ()
        return KINDS[self.task].decide(stored.values, *threshold)

    def exact(self, name: str) -> Metric | None:
        """Return the metric of that name (without its split), if it is measured exactly."""
        return next((metric for metric in self.measured if metric.name in (name, canonical_name(name))), None)

    def bounding(self, name: str) -> Metric | None:
        """Return the metric that says how good `name` can be at best: its own, or for a loss of Keras that is never
        negative the exact one that is nearest to it; None where no bound is known."""
        exact = self.exact(name)
        if exact is not None or name != "loss" or KINDS[self.task].mixed:
            return exact
        training = self.config.get("training")
        stated = training.get("loss") if isinstance(training, dict) else None
        loss = stated.get("type") if isinstance(stated, dict) else stated or KINDS[self.task].loss
        return loss_metric(self.task) if loss in _NEVER_NEGATIVE else None

    def direction(self, metric: str) -> Direction:
        """Return whether larger or smaller is better in `split.metric`.

        Raises:
            UsageError: that is not known.
        """
        of_target = self.split_target(metric)
        if of_target is not None:
            return self.of_target(of_target[1]).direction(of_target[0])
        name = metric.partition(".")[2]
        exact = self.exact(name)
        if exact is None and name != "loss":
            raise UsageError(f"neither smaller nor larger is known to be better for {metric!r}: name another metric")
        return exact.direction if exact else "min"

    def value(self, metric: str) -> float | None:
        """Return the value of `split.metric`; None where the run has none."""
        split, _, name = metric.partition(".")
        values = self.measured_on(split)
        found = values.get(name, values.get(canonical_name(name)))
        return None if found is None else found.value

    def measured_on(self, split: str) -> Mapping[str, MetricValue]:
        """Return the values on a split, by name of the metric; empty where the run does not have it."""
        return self.results.splits[split].metrics if split in self.results.splits else {}

    def found_metric(self, metric: str) -> str:
        """Return `split.metric` for what a user wrote: the split may be left out.

        Raises:
            UsageError: the run did not measure it.
        """
        asked = metric if "." in metric else f"{self.split}.{metric}"
        split, _, name = asked.partition(".")
        values = self.measured_on(split)
        for each in (name, canonical_name(name)):
            if each in values:
                return f"{split}.{each}"
        known = [f"{split}.{name}" for split, part in self.results.splits.items() for name in part.metrics]
        raise UsageError(f"{metric!r} was not measured in {self.name}{suggest(asked, known) or f': {known}'}")

    def read_metrics(self, config: Mapping[str, Any], task: Task) -> tuple[Metric, ...]:
        """Return the metrics that a part of its config states, or that are usual for a task."""
        of = next(iter(self.seeds.values()), self)
        return _measured(config, task, of.directory.record(), of.directory.path, self.plugins)


def read_run(directory: RunDirectory, plugins: Plugins | None = None) -> ComparedRun:
    """Return a finished run.

    Args:
        directory: of the run.
        plugins: with which its metrics can be measured again; None takes installed packages alone.

    Raises:
        RunError: it did not finish, or is damaged; says which file.
    """
    path = directory.path
    status = directory.status()
    if status.state != "finished":
        why = shortened(status.reason.partition("\n")[0], 100)
        raise RunError(f"{path}: no results yet: {status.state}, {counted(status.epoch, 'epoch')} done ({why})")
    results = directory.results()
    if not set(results.splits) <= {*SPLITS, OUT_OF_FOLD}:
        raise RunError(f"{path}: metrics.json: task, classes or splits are not in the form that mltrain writes")
    if not results.splits:
        raise RunError(f"{path}: metrics.json: no split was measured")
    config = _config(directory)
    record = directory.record()
    absolute = path.absolute()
    return ComparedRun(
        directory,
        f"{absolute.parent.name}/{absolute.name}",
        results,
        _measured(config, results.task, record, path, plugins or Plugins()),
        config,
        record.data.sha256 if record.data else None,
        plugins or Plugins(),
    )


def _config(directory: RunDirectory) -> Mapping[str, Any]:
    # Only what is written there, not a whole valid experiment: 100 runs are read in a second.
    try:
        document = parse(*decode(directory.resolved(), "config.resolved.yaml"))
    except ConfigError as error:
        raise RunError(f"{directory.path}: config.resolved.yaml is damaged: {error}") from error
    config = document.root.plain()
    if document.problems or not isinstance(config, dict) or not {"data", "model"} <= config.keys():
        raise RunError(f"{directory.path}: config.resolved.yaml is damaged: it is not a config of mltrain")
    return config


def _measured(
    config: Mapping[str, Any], task: Task, record: Record, path: object, plugins: Plugins
) -> tuple[Metric, ...]:
    section = config.get("evaluation")
    stated = section.get("metrics") if isinstance(section, dict) else None
    own = {name: (each.direction, each.origin) for name, each in record.own_metrics.items()}
    try:
        context = {"plugins": plugins.with_recorded(own)}
        return EvaluationSpec.model_validate({"metrics": stated}, context=context).metrics_for(task)
    except ValidationError as error:
        raise wrong_form(f"{path}: config.resolved.yaml", error) from error
