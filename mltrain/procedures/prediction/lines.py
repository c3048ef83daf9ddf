"""What `predict` reports about the rows it was given. The text is safe to print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mltrain.problems import printable
from mltrain.report.text import number, value_range

if TYPE_CHECKING:
    from mltrain.procedures.prediction.findings import Findings


def finding_lines(findings: Findings) -> tuple[str, ...]:
    """Return what differs from the training rows, a line a column: the worst drift first."""
    return tuple(printable(line) for line in _lines(findings))


def _lines(findings: Findings) -> Iterator[str]:
    yield from filter(None, (findings.unfinished, findings.other_weights, *findings.other_parts))
    if findings.renamed:
        yield f"the file already has a column of such a name, so the new columns are {', '.join(findings.added)}"
    if findings.images is not None:
        yield from findings.images.sentences
    yield from _of_series(findings)
    for name, missing in findings.missing.items():
        known = "" if missing.expected else ", but training rows have none missing"
        if name in findings.absent:
            yield f"{name}: no line has this key{findings.absent[name]}; all rows count as missing{known}"
        else:
            yield f"{name}: {_of(missing.count, findings.rows)} missing{known}; filled as in training"
    for name, count in findings.unknown.items():
        yield f"{name}: {_of(count, findings.rows)} in categories that training rows do not have; they count as unknown"
    for name, column in findings.outside.items():
        between = value_range(column.low, column.high)
        yield f"{name}: {_of(column.outside, findings.rows)} outside the range of the training rows, {between}"
    if findings.columns is None:
        yield "the run has no reference.json (it is of an earlier version), so ranges and drift were not checked"
    explained = findings.explained
    if explained is not None:
        mean = f" ({number(explained.baseline[''])})" if "" in explained.baseline else ""
        yield (
            f"explain.*: in {explained.unit}; their sum is the score of the row minus the score of the mean training "
            f"row{mean}, with a gap of up to {explained.gap:.1g}"
        )
    drifted = [column for column in findings.columns or () if column.stability.drift != "none"]
    for column in sorted(drifted, key=lambda each: -each.stability.value):
        yield f"{column.column}: PSI {column.stability.value:.2f}, {column.stability.drift} drift"
    if any(column.stability.drift == "large" for column in drifted):
        yield "the rows differ from the training rows; measure the model on them (mltrain evaluate RUN --data FILE)"


def _of_series(findings: Findings) -> Iterator[str]:
    if findings.without_history:
        whole = findings.without_history + findings.rows
        count = _of(findings.without_history, whole)
        yield f"{count} were not predicted: too few rows come before them in their series"
    if findings.gaps is not None:
        yield findings.gaps.sentence
    if findings.filled is not None:
        yield findings.filled.sentence
    if findings.ahead is not None:
        yield findings.ahead.sentence


def _of(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows"
