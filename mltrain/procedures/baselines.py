"""Baselines beside the model: measured on the same held-out rows, with the paired differences. No TensorFlow here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.evaluation import weighting
from mltrain.evaluation.baselines import Baseline, NaiveBaseline, constant_baseline, linear_baseline, naive_baselines
from mltrain.evaluation.differences import Difference, paired_difference
from mltrain.evaluation.intervals import numbered
from mltrain.evaluation.margins import FROM_MARGINS
from mltrain.evaluation.mcnemar import right_more_often
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.rows import Rows
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import draw_seed, metric_results
from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.evaluation.verdict import Comparison, nothing_held_out, sign_test
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.experiment.spec import ExperimentSpec
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs import KINDS
from mltrain.procedures.boosting import BOOSTING, BoostedGuesses
from mltrain.run.results import BaselineFit
from mltrain.run.split_result import Baseline as BaselineResult
from mltrain.run.split_result import BaselineVerdict, MetricValue
from mltrain.task import SPLITS, Objective, SplitName, Task

# Of more classes, differences that are drawn from the table of all three (true, model's, baseline's) cost 0.1 s each.
DRAWN_CLASSES = 5
CONSIDER_BOOSTING = ": consider gradient boosting for this table"

AnyBaseline: TypeAlias = Baseline | NaiveBaseline | BoostedGuesses


@dataclass(frozen=True)
class Judged:
    """Predictions that are compared.

    Attributes:
        values: by split.
        threshold: above which a probability means the positive class.
    """

    values: Mapping[SplitName, np.ndarray]
    threshold: float


@dataclass(frozen=True)
class BaselineResults:
    """What the results say of the baselines.

    Attributes:
        fits: by name, on how many rows each was fitted, or why it is left out.
        splits: by held-out split and name, its metrics and the model's differences from them.
        sentences: whether the model beats them.
    """

    fits: dict[str, BaselineFit]
    splits: dict[SplitName, dict[str, BaselineResult]]
    sentences: list[str]


def measure_baselines(
    spec: ExperimentSpec,
    prepared: Prepared,
    objective: Objective,
    model: Judged,
    boosting: BoostedGuesses | str | None = None,
) -> BaselineResults:
    """Fit the baselines on the training rows and measure them beside the model on every held-out split.

    A threshold for an aim is chosen for each in the same way as for the model. The sentences are about the last split,
    and about the metric of the objective if that is measured exactly, else about the first of `evaluation.metrics`.

    Args:
        spec: the experiment.
        prepared: its data.
        objective: of the run.
        model: what it says of the rows.
        boosting: what gradient boosting says of them, or why it says nothing; None where it was not asked for.
    """
    held_out: list[SplitName] = [name for name in SPLITS if name in prepared.examples and name != "train"]
    if not held_out:
        return BaselineResults({}, {}, [nothing_held_out(len(prepared.examples["train"].truth))])
    results = BaselineResults({}, {name: {} for name in held_out}, [])
    metrics = spec.evaluation.metrics_for(prepared.info.task)
    named = [metric for metric in metrics if metric.name == objective.metric.rpartition(".")[2]]
    main = [*named, metrics[0]][0]
    for baseline in _fitted(spec, prepared, results.fits, boosting):
        guesses = {
            name: _of_task(prepared.info.task, _guess(baseline, name, prepared.examples[name])) for name in held_out
        }
        judged = Judged(guesses, _threshold(spec.evaluation, prepared, guesses))
        for name in held_out:
            pair = _Pair(spec, prepared, name, model, judged)
            comparison = pair.comparison(main, baseline.words)
            verdict = BaselineVerdict(metric=main.name, outcome=comparison.outcome, words=baseline.words)
            results.splits[name][baseline.name] = pair.result(metrics, main, verdict)
        if baseline.name == BOOSTING and comparison.outcome == "worse":
            results.sentences.insert(0, f"{comparison.sentence()}{CONSIDER_BOOSTING}")  # a terminal has few lines
        else:
            results.sentences.append(comparison.sentence())
    return results


def _fitted(
    spec: ExperimentSpec, prepared: Prepared, fits: dict[str, BaselineFit], boosting: BoostedGuesses | str | None
) -> list[AnyBaseline]:
    """Return the baselines, and say in `fits` how each came about."""
    info, train = prepared.info, prepared.examples["train"]
    indices = [encoder.column for encoder in prepared.preprocessing.columns if encoder.is_index]
    linear: Baseline | str
    if indices:
        linear = f"the categories of '{indices[0]}' are index numbers, and their size has no meaning"
    else:
        linear = linear_baseline(info, train.inputs, train.truth, spec.seed, whole=train.forecasts is not None)
    baselines: list[AnyBaseline] = [
        constant_baseline(info, train.truth),
        *naive_baselines(train.forecasts),
    ]
    if isinstance(linear, Baseline):
        baselines.append(linear)
    if isinstance(boosting, BoostedGuesses):
        baselines.append(boosting)
    for each in baselines:
        failed: dict[str, Any] = {} if isinstance(each, NaiveBaseline) or each.converged else {"converged": False}
        fits[each.name] = BaselineFit(rows=each.rows, of=len(train.truth), **failed)
    if isinstance(linear, str):
        fits[KINDS[info.task].linear] = BaselineFit(left_out=linear)
    if isinstance(boosting, str):
        fits[BOOSTING] = BaselineFit(left_out=boosting)
    return baselines


def _guess(baseline: AnyBaseline, split: SplitName, examples: Examples) -> np.ndarray:
    if isinstance(baseline, BoostedGuesses):
        return baseline.guesses[split]
    if isinstance(baseline, NaiveBaseline):
        return baseline.guess(cast(ForecastRows, examples.forecasts))
    return baseline.predict(examples.inputs)


def _of_task(task: Task, guess: np.ndarray) -> np.ndarray:
    """Return predictions as those of the task: baselines give one probability for two classes, and `multiclass` that is
    stated for them has two."""
    return np.stack([1 - guess, guess], axis=1) if task == "multiclass" and guess.ndim == 1 else guess


def _threshold(spec: EvaluationSpec, prepared: Prepared, guesses: Mapping[SplitName, np.ndarray]) -> float:
    if prepared.info.task != "binary" or not isinstance(spec.threshold, ThresholdAim):
        return spec.threshold if isinstance(spec.threshold, float) else 0.5
    held_out = prepared.examples["validation"]
    return choose_threshold(spec.threshold, held_out.truth, guesses["validation"], held_out.weights).threshold


class _Pair:
    """Model and baseline on one split."""

    def __init__(
        self, spec: ExperimentSpec, prepared: Prepared, split: SplitName, model: Judged, other: Judged
    ) -> None:
        self._seed, self._split = draw_seed(spec.seed, split), split
        info, examples = prepared.info, prepared.examples[split]
        self._model, self._other = (
            rows_of(
                info.task,
                examples.truth,
                each.values[split],
                info.output.classes,
                each.threshold,
                examples.forecasts,
                examples.weights,
            )
            for each in (model, other)
        )
        self._classes, self._groups, self._weights = len(info.output.classes), examples.groups, examples.weights
        self._differences: dict[str, Difference] = {}

    def result(self, metrics: Sequence[Metric], main: Metric, verdict: BaselineVerdict) -> BaselineResult:
        """Return what the results say of the baseline."""
        compared = [metric for metric in metrics if metric == main or self._is_quick(metric)]
        differences = {metric.name: _value(self._difference(metric)) for metric in compared}
        measured = metric_results(metrics, self._other, self._seed, self._groups)
        return BaselineResult(metrics=measured, difference=differences, verdict=verdict)

    def comparison(self, metric: Metric, words: str) -> Comparison:
        """Return the two beside each other by one metric."""
        model, other = (measure([metric], rows)[0][metric.name] for rows in (self._model, self._other))
        p_value = self._p_value() if metric.type == "accuracy" else None
        difference, groups = self._difference(metric), self._groups
        units = None if groups is None else len(np.unique(groups))
        return Comparison(self._split, metric, words, model, other, difference, len(self._model.target), p_value, units)

    def _is_quick(self, metric: Metric) -> bool:
        return metric.type == "accuracy" or metric.type not in FROM_MARGINS or self._classes <= DRAWN_CLASSES

    def _difference(self, metric: Metric) -> Difference:
        if metric.name not in self._differences:
            self._differences[metric.name] = self._compared(metric)
        return self._differences[metric.name]

    def _compared(self, metric: Metric) -> Difference:
        if metric.type == "accuracy" and np.isfinite(self._model.predictions).all():
            # A table of right and wrong instead of one of all classes: the same difference, and four cells to draw.
            a, b = (
                Rows.of("binary", np.ones(len(each)), each, ("wrong", "right"), weights=self._weights)
                for each in self._right()
            )
            return paired_difference(metric, a, b, seed=self._seed, groups=self._groups)
        return paired_difference(metric, self._model, self._other, seed=self._seed, groups=self._groups)

    def _p_value(self) -> float:
        """Return what the sign test says of the rows, or groups, that one gets right and the other wrong."""
        if self._weights is None:
            return sign_test(*self._right_units())
        return weighting.sign_test(*self._right(), self._weights, numbered(self._groups))

    def _right_units(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what the sign test is about: rows, or groups."""
        right = self._right()
        return right if self._groups is None else right_more_often(*right, self._groups)

    def _right(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows the model gets right, and which the baseline (n,)."""
        model, other = (
            (each.predicted == each.target).reshape(len(each.target), -1).all(axis=1)
            for each in (self._model, self._other)
        )
        return model, other


def _value(difference: Difference) -> MetricValue:
    value, low, high = (
        each if math.isfinite(each) else None for each in (difference.value, difference.low, difference.high)
    )
    return MetricValue(value=value, low=low, high=high)
