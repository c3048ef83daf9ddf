"""The plain bootstrap, for metrics of which only their values are known: those of plugins.

Efron, Bootstrap methods: another look at the jackknife, 1979. Rows are drawn within each class, so that no draw loses
one; rows of one group are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mltrain.evaluation.metric import OwnMetric
from mltrain.evaluation.own_values import drawn_value
from mltrain.evaluation.rows import Rows
from mltrain.outputs import KINDS

# So many rows are drawn for one interval at most: 1,000 draws of 100,000 rows, and of a million the fewest draws.
MOST_ROWS = 100_000_000
FEWEST_DRAWS = 200


def drawn_values(metric: OwnMetric, rows: Rows, seed: int, draws: int, groups: np.ndarray | None) -> np.ndarray:
    """Return the values of a metric on draws of the rows (draws,); two models on the same rows get the same draws.

    Args:
        metric: of a plugin.
        rows: of a split.
        seed: of the draws.
        draws: how many, if the rows are not too many.
        groups: (n,) whole numbers from 0; None where every row is for itself.

    Raises:
        UndefinedError: it has no value on one of the draws.
        PluginError: it fails.
    """
    draws = min(draws, max(FEWEST_DRAWS, MOST_ROWS // len(rows.target)))
    generator = np.random.default_rng(seed)
    return np.array([drawn_value(metric, each) for each in _drawn(rows, generator, draws, groups)])


def _drawn(rows: Rows, generator: np.random.Generator, draws: int, groups: np.ndarray | None) -> Iterator[Rows]:
    classes = np.zeros(len(rows.target), np.int64) if KINDS[rows.task].of_numbers else rows.target
    parts = classes if groups is None else groups
    order, size = np.argsort(parts, kind="stable"), np.bincount(parts)
    start = np.cumsum(size) - size
    for _ in range(draws):
        if groups is None:  # within each class as many rows as it has
            of_row = parts[order]
            places = start[of_row] + (generator.random(len(order)) * size[of_row]).astype(np.int64)
        else:  # as many groups as there are, each with all its rows
            drawn = generator.integers(0, len(size), len(size))
            ends = np.cumsum(size[drawn])
            places = np.repeat(start[drawn] - ends + size[drawn], size[drawn]) + np.arange(ends[-1])
        chosen = order[places]
        yield replace(rows, target=rows.target[chosen], predictions=rows.predictions[chosen])
