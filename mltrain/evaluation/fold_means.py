"""The mean over the folds of a cross-validation, and how far it can be trusted. No NumPy here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from mltrain.evaluation.metric import Direction, Metric
from mltrain.evaluation.paired import Verdict, verdict_of
from mltrain.evaluation.student import t_quantile
from mltrain.run.folds_form import FoldMean


def fold_mean(values: Sequence[float], tested_to_trained: float) -> FoldMean:
    """Return the mean of one number a fold, with its 95 % interval by the corrected resampled t test.

    The runs share most of their training rows, so that their results vary less than those of new data would: the
    variance of the mean is s² (1/k + n_test/n_train) instead of s²/k, with k - 1 degrees of freedom (Nadeau and Bengio,
    "Inference for the generalization error", Machine Learning 52, 2003, section 4).

    Args:
        values: two or more.
        tested_to_trained: rows of the test for each row of the training.
    """
    mean, deviation = fmean(values), stdev(values)
    half = t_quantile(len(values) - 1) * deviation * math.sqrt(1 / len(values) + tested_to_trained)
    return FoldMean(mean=mean, std=deviation, low=mean - half, high=mean + half, min=min(values))


def up_to_perfect(found: FoldMean, metric: Metric) -> FoldMean:
    """Return the mean of a metric without what of its interval is better than perfect: t knows no bounds."""
    perfect = metric.perfect
    if perfect is None or found.low is None or found.high is None:
        return found
    if metric.direction == "min" and found.min is not None and found.min < perfect:
        return found  # a loss with a negative penalty, of a layer of the user's own
    low, high = (
        (found.low, min(found.high, perfect)) if metric.direction == "max" else (max(found.low, perfect), found.high)
    )
    return found.model_copy(update={"low": low, "high": high})


def verdict(difference: FoldMean, direction: Direction) -> Verdict | None:
    """Return whether a model is better than another, by the mean of their differences; None where there is none."""
    mean, low, high = difference.mean, difference.low, difference.high
    if mean is None or low is None or high is None:
        return None
    return verdict_of(mean, low, high, direction)
