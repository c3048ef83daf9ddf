"""The table of a folder of runs: a row for each run, then what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from mltrain.problems import printable
from mltrain.report.text import number
from mltrain.run.split_result import MetricValue

# For the columns of metrics, so that a line of a log stays readable.
_ROOM = 88


def fitting(names: Sequence[str], first: str) -> list[str]:
    """Return the metrics for which a line has room, with `first` at the front."""
    ordered = [first, *(name for name in names if name != first)]
    ends = accumulate(max(len(name), 8) + 2 for name in ordered)
    return [name for name, end in zip(ordered, ends, strict=True) if end <= _ROOM]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for label, *cells in rows:
        numbers = [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([f"{label:<{widths[0]}}", *numbers]))
    return lines


def not_shown(names: Sequence[str], shown: Sequence[str], file: str) -> list[str]:
    """Return the line that names the metrics without room, after an empty one; nothing where all are shown."""
    more = [name for name in names if name not in shown]
    return ["", printable(f"not shown: {', '.join(more)}; all are in {file}")] if more else []


def values(metrics: Mapping[str, MetricValue], names: Sequence[str]) -> list[str]:
    """Return the cell of each metric."""
    return [number(metrics[name].value) if name in metrics else number(None) for name in names]
