"""Measuring: the values of metrics from the targets and the predictions of a split, and why one has no value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mltrain.evaluation.metric import Metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import SeveralRows, value_of


def measure(metrics: Sequence[Metric], rows: Rows | SeveralRows) -> tuple[dict[str, float], dict[str, str]]:
    """Return the value of each metric by its name in results, NaN where it has none, and for those why.

    Args:
        metrics: what to measure; each must fit the task of the rows.
        rows: as `rows_of` makes them.

    Raises:
        PluginError: a metric of a plugin fails.
    """
    values, reasons = {}, {}
    wrong = int(len(rows.target) - np.isfinite(rows.predictions).reshape(len(rows.target), -1).all(axis=1).sum())
    for metric in metrics:
        try:
            if wrong:
                raise UndefinedError(f"the predictions of {wrong} of {len(rows.target)} rows are NaN or infinite")
            values[metric.name] = value_of(metric, rows)
        except UndefinedError as reason:
            values[metric.name], reasons[metric.name] = math.nan, str(reason)
    return values, reasons
