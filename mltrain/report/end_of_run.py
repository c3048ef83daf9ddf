"""The end of a training in the terminal: numbers and conclusions that fit on one screen of 24 lines of 80 columns.

What does not fit is counted: metrics.json, the report and `mltrain show` have everything. The text is safe to print.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltrain.problems import printable, shortened
from mltrain.report.summary import (
    aligned,
    baseline_lines,
    finding_lines,
    kind_rows,
    measured_cell,
    output_rows,
    slice_rows,
    training_lines,
)
from mltrain.run.results import Results
from mltrain.run.split_result import SplitResult
from mltrain.wording import counted

HEIGHT = 24
WIDTH = 80
# Below the summary: the line of the report, and the prompt.
_ALWAYS_BELOW = 2
_ERROR = 2
_LONGEST_NAME = 30
_FEWEST_ROWS = 4
_FOR_SENTENCES = 7
_LONGEST_SENTENCE = 4  # lines


@dataclass(frozen=True)
class Line:
    """A line of the summary.

    Attributes:
        text: safe to print.
        words: whether a terminal may break it between words.
    """

    text: str
    words: bool = False

    def height(self, width: int) -> int:
        """Return how many lines of a screen it takes."""
        return len(wrapped(self.text, width)) if self.words else max(1, -(-len(self.text) // width))


def wrapped(text: str, width: int) -> list[str]:
    """Return a sentence as lines of a terminal; a number stays beside its percent sign."""
    lines = textwrap.wrap(re.sub(r"(?<=\d) %", "\xa0%", text), width, subsequent_indent="  ")
    return [line.replace("\xa0%", " %") for line in lines] or [""]


def end_of_run(
    results: Results, run: Path, depends_on: Sequence[str] = (), *, width: int = WIDTH, below: int = 0
) -> list[Line]:
    """Return the final numbers, what they mean, and where the run is.

    Args:
        results: of the run.
        run: the run directory.
        depends_on: what the predictions depend on, a sentence each.
        width: of the terminal.
        below: the number of lines that are printed after the summary besides the line of the report.
    """
    where = Line(printable(f"run    {run}"))
    blanks = 2
    report = Line(f"{where.text}/report.html").height(width) - 1
    missed = any(not gate.passed for gate in results.gates)
    below += _ERROR if missed else 0
    room = HEIGHT - _ALWAYS_BELOW - below - blanks - report - where.height(width)
    tables = _tables(results, width)
    ordered = [*_ordered(results, depends_on)]
    said = [Line(shortened(text, _LONGEST_SENTENCE * (width - 2)), words=True) for text in ordered]
    # A row for each of several targets comes before more than one sentence.
    of_kinds = any(split.of_kinds for split in results.splits.values())
    most = max((line.height(width) for line in said[:1]), default=0) + 1 if of_kinds else _FOR_SENTENCES
    reserved = min(sum(line.height(width) for line in said), most)
    fewest = next(
        (rows for rows in range(_FEWEST_ROWS, 1, -1) if reserved + _least(tables, rows) <= room),
        1,
    )
    sentences = _with_room(said, width, room - _least(tables, fewest))
    room -= sum(sentence.height(width) for sentence in sentences)
    lines = [Line("")]
    for position, table in enumerate(tables):
        shown = table.lines(room - _least(tables[position + 1 :], fewest))
        lines += shown
        room -= sum(line.height(width) for line in shown)
    return [*lines, Line(""), *sentences, where]


@dataclass(frozen=True)
class _Table:
    """A table that can be shown in part.

    Attributes:
        head: its first lines.
        rows: the rest, a line each.
        noun: what a row is.
        important: the position of the row that is shown in any case.
    """

    head: Sequence[str]
    rows: Sequence[str]
    noun: str
    important: int = 0

    def least(self, rows: int) -> int:
        """Return the number of lines with so few rows."""
        return len(self.head) + min(len(self.rows), rows)

    def lines(self, room: int) -> list[Line]:
        """Return the lines for which there is room; the last one counts the rows that are left out."""
        fitting = max(room - len(self.head), 1)
        shown = list(self.rows) if len(self.rows) <= fitting else list(self.rows[: fitting - 1])
        left_out = len(self.rows) - len(shown)
        if shown and self.important >= len(shown):
            shown[-1] = self.rows[self.important]
        if not shown and not self.head[0]:
            # Only the table of metrics has a heading that says something without rows.
            return [Line(f"… and {counted(left_out, self.noun)}; `mltrain show` has all")]
        more = f"more {self.noun}" if shown else self.noun
        left = [f"… and {counted(left_out, more)}"] if left_out else []
        return [Line(text) for text in (*self.head, *shown, *left)]


def _tables(results: Results, width: int) -> list[_Table]:
    splits = results.splits
    # The table of targets of different kinds has the first metrics of each.
    names = list(
        dict.fromkeys(
            name for split in splits.values() for name in split.metrics if name == "loss" or not split.of_kinds
        )
    )
    header, rows, *metric_rows = _fitting(splits, names, width)
    objective = results.objective.metric.partition(".")[2]
    important = names.index(objective) if objective in names else 0
    tables = [_Table([header, rows], metric_rows, "metric", important)]
    for last, measured in list(splits.items())[-1:]:
        if measured.outputs:
            of_targets = kind_rows if measured.of_kinds else output_rows
            head, *others = _narrow(of_targets(last, measured.outputs), width)
            tables.append(_Table(["", head], others, "target"))
        if measured.slices and not measured.of_kinds:  # the targets come first, and there is little room
            head, *others = _narrow(slice_rows(last, measured.slices), width)
            tables.append(_Table(["", head], others, "slice"))
    return tables


def _fitting(splits: Mapping[str, SplitResult], names: Sequence[str], width: int) -> list[str]:
    """Return the table of metrics with all intervals, or with those of the last split where the lines would be too
    long."""
    last = list(splits)[-1:]

    def lines(all_intervals: bool) -> list[str]:
        rows: list[list[Any]] = [["", *((split, "") for split in splits)]]
        rows.append(["n", *((f"{split.n}", "") for split in splits.values())])
        for name in names:
            cells = {split: measured_cell(found.metrics.get(name)) for split, found in splits.items()}
            if not all_intervals:
                cells = {split: (value, ends if split in last else "") for split, (value, ends) in cells.items()}
            rows.append([shortened(name, _LONGEST_NAME), *cells.values()])
        return aligned(rows)

    found = lines(all_intervals=True)
    return found if max(map(len, found)) <= width else lines(all_intervals=False)


def _narrow(rows: Sequence[Sequence[Any]], width: int) -> list[str]:
    """Return a table with as many of its columns as fit."""
    short = [[shortened(row[0], _LONGEST_NAME), *row[1:]] for row in rows]
    for columns in range(len(short[0]), 1, -1):
        lines = aligned([row[:columns] for row in short])
        if max(map(len, lines)) <= width:
            break
    return lines


def _with_room(lines: Sequence[Line], width: int, room: int) -> list[Line]:
    """Return the sentences for which there is room, and a line that counts the others."""
    if sum(line.height(width) for line in lines) <= room:
        return list(lines)
    shown: list[Line] = []
    room -= 1
    for line in lines:
        height = line.height(width)
        if height <= room:
            shown.append(line)
            room -= height
    return [*shown, Line(f"… and {counted(len(lines) - len(shown), 'more sentence')}; `mltrain show` has all")]


def _least(tables: Sequence[_Table], rows: int) -> int:
    return sum(table.least(rows) for table in tables)


def _ordered(results: Results, depends_on: Sequence[str]) -> Iterator[str]:
    """Yield the sentences, the most important ones first."""
    baselines = list(baseline_lines(results))
    yield from baselines
    yield from depends_on  # the config asked for it
    yield from finding_lines(results)
    yield from training_lines(results)
    # A comparison with the most frequent class says the same.
    if results.chance and not baselines:
        yield printable(results.chance.sentence)
