"""`--against RUN`: whether a finished run is no worse than another. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass

from mltrain.comparison.compared_run import ComparedRun, read_run
from mltrain.comparison.pairing import Pair, pair
from mltrain.config.plugins import Plugins
from mltrain.run.results import Judgement
from mltrain.run.rundir import RunDirectory
from mltrain.wording import in_full


@dataclass(frozen=True)
class ReferenceRun:
    """What a run must be no worse than.

    Attributes:
        run: the one that others are compared with.
        metric: `split.metric` by which.
        tolerance: how much worse it may be, in the unit of the metric.
        plugins: with which its metrics can be measured again.
    """

    run: ComparedRun
    metric: str
    tolerance: float
    plugins: Plugins

    def judge(self, run: RunDirectory) -> Judgement:
        """Return whether `run`, which is finished, is no worse, as a gate.

        On the same rows it is missed where the run is worse by more than the tolerance, and the rows are enough to
        tell that it is worse at all: what chance alone does between two trainings must not end a night's work. Where
        rows cannot be paired, nothing tells what chance does, and the recorded values decide.

        Raises:
            RunError: the run is not finished, or damaged.
        """
        found = pair(read_run(run, self.plugins), self.run, self.metric)
        gate = f"{self.metric} no worse than {self.run.name}"
        gate += f" (tolerance {in_full(self.tolerance)})" if self.tolerance else ""
        # Data may grow from run to run: then the recorded values decide, and the sentence says so.
        words = found.sentence_of_values if found.different in ("classes", "data") else found.sentence
        sentence = words("the run", "that one")
        passed = bool(_no_worse(found, self.tolerance))
        return Judgement(gate=gate, value=found.run.value(self.metric), passed=passed, reason=sentence)


def reference_run(
    directory: RunDirectory,
    tolerance: float,
    metric: str | None,
    split: str | None = None,
    plugins: Plugins | None = None,
) -> ReferenceRun:
    """Return what a run shall be held against; anything wrong with it is found here, before a training.

    Args:
        directory: of the run that it is held against.
        tolerance: how much worse it may be.
        metric: `split.metric`, or a metric of the split; None takes what is nearest to the objective.
        split: None takes test, else validation, else train.
        plugins: as for `read_run`.

    Raises:
        RunError: the run is not finished, or damaged.
        UsageError: it did not measure the metric, or it is not known which direction is better.
    """
    plugins = plugins or Plugins()
    run = read_run(directory, plugins)
    name = metric or run.primary.partition(".")[2]
    named = run.found_metric(name if "." in name or split is None else f"{split}.{name}")
    run.direction(named)
    return ReferenceRun(run, named, tolerance, plugins)


def _no_worse(found: Pair, tolerance: float) -> bool:
    if found.paired is not None:
        return found.paired.verdict != "worse" or abs(found.paired.value) <= tolerance
    if found.difference is None:
        return False
    loss = -found.difference if found.direction == "max" else found.difference
    return loss <= tolerance
