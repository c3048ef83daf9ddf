"""What the finished runs of a cross-validation say together, from their directories alone. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mltrain.comparison.compared_run import ComparedRun, read_run
from mltrain.config.plugins import Plugins
from mltrain.errors import RunError
from mltrain.evaluation.fold_means import fold_mean, up_to_perfect, verdict
from mltrain.gates.gate import Gate
from mltrain.gates.judging import judge, judge_folds
from mltrain.procedures.folds.pooled import pooled
from mltrain.report.folds import verdict_sentence
from mltrain.run.folds_form import CrossValidation, FoldBaseline, FoldDifference, FoldMean, FoldRun
from mltrain.run.results import Judgement
from mltrain.run.run_folder import RunFolder
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import MetricValue, SplitResult

Values = Sequence[MetricValue | None]


@dataclass(frozen=True)
class _Fold:
    """A finished run, as it is compared."""

    run: ComparedRun

    @property
    def test(self) -> SplitResult:
        """The results of its test."""
        return self.run.results.splits["test"]


def fold_results(
    folder: RunFolder, folds: int, gates: Sequence[Gate], plugins: Plugins | None = None
) -> CrossValidation:
    """Return what the runs of a folder say together.

    Args:
        folder: with a finished run for each fold.
        folds: how many there are.
        gates: of the config.
        plugins: with which its metrics can be measured again.

    Raises:
        RunError: a run is not finished or damaged, or they are not the folds of one set of rows.
    """
    found = [_read(folder, fold, plugins) for fold in range(1, folds + 1)]
    first = found[0].run
    named = first.primary
    name, direction = named.partition(".")[2], first.direction(named)
    tested_to_trained = sum(each.test.n / each.run.results.splits["train"].n for each in found) / folds
    metrics = _means(first, [each.test.metrics for each in found], tested_to_trained)
    baselines, left_out = _baselines(found, tested_to_trained)
    together = CrossValidation(
        task=first.task,
        classes=first.classes,
        metric=name,
        folds=tuple(_of_run(fold, each) for fold, each in enumerate(found, start=1)),
        metrics=metrics,
        baselines=baselines,
        baselines_left_out=left_out,
        pooled=pooled([each.run for each in found]),
        sentence=verdict_sentence(name, direction, folds, metrics[name], baselines),
    )
    return together.model_copy(update={"gates": (*_of_each(gates, found), *judge_folds(gates, together))})


def _read(folder: RunFolder, fold: int, plugins: Plugins | None) -> _Fold:
    directory = RunDirectory(folder.run(fold))
    run = read_run(directory, plugins)
    splits = run.results.splits
    if not {"train", "test"} <= splits.keys() or not splits["train"].n:
        raise RunError(f"{directory.path}: metrics.json: no training or no test rows, so it is not a fold")
    return _Fold(run)


def _of_run(fold: int, found: _Fold) -> FoldRun:
    rows = {split: each.n for split, each in found.run.results.splits.items()}
    return FoldRun(fold=fold, run=found.run.directory.path.name, rows=rows, metrics=found.test.metrics)


def _baselines(found: Sequence[_Fold], tested_to_trained: float) -> tuple[dict[str, FoldBaseline], dict[str, str]]:
    """Return each baseline that all folds have, with the model's differences from it, and which fold lacks another."""
    baselines, left_out = {}, {}
    for name in dict.fromkeys(name for each in found for name in each.test.baselines):
        lacking = [fold for fold, each in enumerate(found, start=1) if name not in each.test.baselines]
        if lacking:
            left_out[name] = f"fold {lacking[0]} has none"
            continue
        measured = [each.test.baselines[name].metrics for each in found]
        differences = {}
        for metric in measured[0]:
            exact = found[0].run.exact(metric)
            if exact is not None:
                apart = [
                    _difference(each.test.metrics, other, metric) for each, other in zip(found, measured, strict=True)
                ]
                mean = _mean(apart, tested_to_trained)
                differences[metric] = FoldDifference(**mean.model_dump(), verdict=verdict(mean, exact.direction))
        means = _means(found[0].run, measured, tested_to_trained)
        baselines[name] = FoldBaseline(metrics=means, difference=differences)
    return baselines, left_out


def _means(
    run: ComparedRun, measured: Sequence[Mapping[str, MetricValue]], tested_to_trained: float
) -> dict[str, FoldMean]:
    """Return the mean of each metric over the folds."""
    means = {}
    for name in measured[0]:
        mean, bounding = _mean([each.get(name) for each in measured], tested_to_trained), run.bounding(name)
        means[name] = mean if bounding is None else up_to_perfect(mean, bounding)
    return means


def _difference(model: Mapping[str, MetricValue], other: Mapping[str, MetricValue], metric: str) -> MetricValue | None:
    first, second = model.get(metric), other.get(metric)
    if first is None or first.value is None:
        return first
    if second is None or second.value is None:
        return second
    return MetricValue(value=first.value - second.value)


def _mean(values: Values, tested_to_trained: float) -> FoldMean:
    """Return the mean over the folds; where one has no value there is none, with the reason."""
    numbers = []
    for fold, each in enumerate(values, start=1):
        if each is None or each.value is None:
            why = (each.undefined if each is not None else None) or "it has no value"
            return FoldMean(mean=None, std=None, low=None, high=None, min=None, undefined=f"fold {fold}: {why}")
        numbers.append(each.value)
    return fold_mean(numbers, tested_to_trained)


def _of_each(gates: Sequence[Gate], found: Sequence[_Fold]) -> Iterator[Judgement]:
    """Yield what becomes of each gate that is no gate of folds: in every fold, named with it."""
    for of_folds in zip(*(judge(gates, each.run.results.splits) for each in found), strict=True):
        for fold, each in enumerate(of_folds, start=1):
            yield each.model_copy(update={"gate": f"fold {fold}: {each.gate}"})
