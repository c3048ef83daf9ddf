"""Runs side by side as text, a few in columns, many in lines. The text is safe to print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mltrain.comparison.compared_run import ComparedRun
from mltrain.comparison.pairing import Pair
from mltrain.comparison.side_by_side import SideBySide
from mltrain.config.yaml_text import value_text
from mltrain.problems import printable, shortened
from mltrain.report.text import number
from mltrain.wording import counted, in_words

# More columns than these, and wider ones, fit on no screen.
_COLUMNS = 4
_WIDEST = 48


def comparison_text(found: SideBySide) -> str:
    """Return the runs, what differs in their configs, their metrics, and which is better, as lines."""
    numbers = [str(position) for position in range(1, len(found.runs) + 1)]
    parts = [_table([(each, run.name, _kept(run)) for each, run in zip(numbers, found.runs, strict=True)])]
    parts.append(_config_lines(found, numbers))
    parts.append(_metric_lines(found, numbers))
    if few(found):
        if len(found.runs) > 2:
            parts.append(f"each run against run 1, {found.why_first}:")
        parts.append("\n".join(pair_sentences(found)))
    parts += scope_of_intervals(found)
    return "\n\n".join(parts)


def scope_of_intervals(found: SideBySide) -> list[str]:
    """Return the sentence that says what the intervals of the metrics cover, where it is not the same for all runs."""
    of_seeds = [f"run {position}" for position, run in enumerate(found.runs, start=1) if run.seeds]
    if not of_seeds:
        return []
    rest = "" if len(of_seeds) == len(found.runs) else ", those of the other runs the chance of the rows"
    return [f"the intervals of {in_words(of_seeds)} are over seeds and cover chance in the training{rest}"]


def few(found: SideBySide) -> bool:
    """Return whether the runs fit beside each other, with a sentence for each pair."""
    return len(found.runs) <= _COLUMNS


def pair_sentences(found: SideBySide) -> list[str]:
    """Return what each pair says, in a line."""
    return [printable(each.sentence(f"run {position}", "run 1")) for position, each in enumerate(found.pairs, start=2)]


def pair_cells(found: SideBySide) -> list[str]:
    """Return for each run how it stands to the first, in a few words: `not resolved, 0.0013 [-0.0155, 0.0181]`."""
    return ["", *map(_pair_cell, found.pairs)]


def metric_cell(run: ComparedRun, metric: str, *, interval: bool = True) -> str:
    """Return `0.9474 [0.8902, 0.9756]`, or the value alone; `–` where there is none."""
    split, _, name = metric.partition(".")
    measured = run.measured_on(split).get(name)
    if measured is None:
        return number(None)
    known = interval and measured.low is not None and measured.high is not None
    ends = f" [{number(measured.low)}, {number(measured.high)}]" if known else ""
    return f"{number(measured.value)}{ends}"


def config_cell(value: Any) -> str:
    """Return a value of a config in a few characters; `–` for none, as null is one, too."""
    return "–" if value is None else shortened(value_text(value), _WIDEST)


def _pair_cell(each: Pair) -> str:
    if each.different:
        return f"different {each.different}"
    found = each.found
    if found is None:
        return f"not paired, {number(each.difference)}"
    if found.verdict == "equal":
        return "equal"
    return f"{found.verdict}, {number(found.value)} [{number(found.low)}, {number(found.high)}]"


def _kept(run: ComparedRun) -> str:
    if run.seeds:
        return f"mean of {counted(len(run.seeds), 'seed')}"
    model = run.results.model
    return f"epoch {model.epoch} of {model.epochs}"


def _config_lines(found: SideBySide, numbers: Sequence[str]) -> str:
    if not found.config:
        return "their configs do not differ"
    if few(found):
        rows = [(path, *map(config_cell, values)) for path, values in found.config.items()]
        return _table([("config", *numbers), *rows])
    return "\n".join(["config", *(f"  {printable(path)}: {_groups(each)}" for path, each in found.config.items())])


def _groups(values: Sequence[Any]) -> str:
    """Return `0.01 (1, 3–5), 0.001 (2)`: each value with the runs that have it."""
    groups: dict[str, list[int]] = {}
    for position, value in enumerate(values, start=1):
        groups.setdefault(config_cell(value), []).append(position)
    return ", ".join(f"{value} ({_ranges(positions)})" for value, positions in groups.items())


def _ranges(positions: Sequence[int]) -> str:
    ranges: list[list[int]] = []
    for position in positions:
        if ranges and ranges[-1][-1] == position - 1:
            ranges[-1] = [ranges[-1][0], position]
        else:
            ranges.append([position])
    return ", ".join("–".join(map(str, each)) for each in ranges)


def _metric_lines(found: SideBySide, numbers: Sequence[str]) -> str:
    if few(found):
        sizes = [("rows", *(f"{run.results.splits[run.split].n:,}" for run in found.runs))]
        rows = [(metric, *(metric_cell(run, metric) for run in found.runs)) for metric in found.metrics]
        return _table([("", *numbers), *sizes, *rows])
    rows = [
        (each, *(metric_cell(run, metric, interval=False) for metric in found.metrics), pair)
        for each, run, pair in zip(numbers, found.runs, pair_cells(found), strict=True)
    ]
    table = _table([("", *found.metrics, "against 1"), *rows])
    return f"{table}\n\nagainst 1, {found.why_first}: {found.compared_by}, on the same rows, with its 95 % interval"


def _table(rows: Sequence[Sequence[str]]) -> str:
    safe = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in safe
    )
