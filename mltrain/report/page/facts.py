"""All that the page shows of a run, read once."""

from __future__ import annotations

from dataclasses import dataclass

from mltrain.outputs import KINDS
from mltrain.run.architecture import Architecture
from mltrain.run.audit import Audit
from mltrain.run.examples import WorstExamples
from mltrain.run.explanation import Explanation
from mltrain.run.history import History
from mltrain.run.learned import LearnedCurve
from mltrain.run.predictions import StoredPredictions
from mltrain.run.profile import Profile
from mltrain.run.rate_test import RateTest
from mltrain.run.record import Record
from mltrain.run.results import Results
from mltrain.run.split_result import MetricValue, SplitResult
from mltrain.run.status import Status
from mltrain.task import SPLITS


@dataclass(frozen=True)
class Facts:
    """What is known of a run; None or empty is what it does not have (yet).

    Attributes:
        name: of the experiment.
        place: the run directory.
        status: how it ended.
        record: how it came about.
        history: what was measured in each epoch.
        results: what came out.
        predictions: for the rows of `split`.
        threshold_split: on whose rows the thresholds of a binary classification are looked at.
        threshold_predictions: for those rows.
        target: the column that is learned.
        audit: what was found in the data before the training.
        architecture: the layers of the model.
        learned: the curve, where there is one numeric input.
        rate_test: how the learning rate was found, where it was looked for.
        examples: the inputs of the worst rows.
        explanation: what the predictions depend on.
        profile: where the time went.
        given: the config, as it was given.
        resolved: with every value, and who set it.
        kept_epochs: whose weights a ModelCheckpoint has kept.
    """

    name: str
    place: str
    status: Status
    record: Record
    history: History
    results: Results | None
    predictions: StoredPredictions | None
    threshold_split: str
    threshold_predictions: StoredPredictions | None
    target: str
    audit: Audit | None
    architecture: Architecture | None
    learned: LearnedCurve | None
    rate_test: RateTest | None
    examples: WorstExamples | None
    explanation: Explanation | None
    profile: Profile | None
    given: str
    resolved: str
    kept_epochs: tuple[int, ...] = ()

    @property
    def split(self) -> str | None:
        """The split by which the model is judged: test, else validation, else train."""
        return judged_split(self.results) if self.results else None

    @property
    def judged(self) -> SplitResult | None:
        """The results there."""
        return self.results.splits[self.split] if self.results and self.split else None

    @property
    def headline(self) -> tuple[str, MetricValue] | None:
        """The metric that says most, and its value: the objective's if it is more than a loss, else the first one."""
        return headline(self.results) if self.results else None

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the model, where it is the best one and not the last."""
        model = self.results.model if self.results else None
        return model.epoch if model and model.weights == "best" else None


def headline(results: Results) -> tuple[str, MetricValue] | None:
    """Return the metric that says most of the split by which the model is judged, and its value."""
    split = judged_split(results)
    metrics = results.splits[split].metrics if split else {}
    named = results.objective.metric.partition(".")[2]
    # An exact metric before an average of Keras', which has no interval; of several numbers one without a unit.
    first = KINDS[results.task].headline
    names = sorted((name for name in metrics if name != "loss"), key=lambda n: (metrics[n].low is None, n != first))
    name = named if named in names else next(iter(names), next(iter(metrics), None))
    return (name, metrics[name]) if name is not None else None


def judged_split(results: Results) -> str | None:
    """Return the split by which a model is judged."""
    return next((name for name in reversed(SPLITS) if name in results.splits), None)
