"""The results of a run in words and as a table, from what is in metrics.json. The text is safe to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from mltrain.counted import counted
from mltrain.evaluation.gates import recorded
from mltrain.problems import printable
from mltrain.report.audit import audit_lines
from mltrain.report.decisions import decision_lines
from mltrain.report.gates import gates_table
from mltrain.report.profile import profile_table
from mltrain.report.text import interval, number
from mltrain.run.audit import Audit
from mltrain.run.looks import looks_sentence
from mltrain.run.profile import Profile

SLICE_METRICS = 3
TARGET_METRICS = 4


def results_table(metrics: Mapping[str, Any]) -> str:
    """Return the final numbers as lines: a row a metric, a column a split, `–` where a metric has no value; behind a
    value its 95 % interval. The slices of the last split follow, a row each.

    Args:
        metrics: `splits.<split>.n` and `splits.<split>.metrics.<name>`, with `value`, perhaps `low` and `high`; perhaps
            `splits.<split>.slices`.
    """
    splits = metrics["splits"]
    names = list(dict.fromkeys(name for split in splits.values() for name in split["metrics"]))
    rows = [["", *((split, "") for split in splits)], ["n", *((f"{split['n']}", "") for split in splits.values())]]
    rows += [[name, *(_cell(split["metrics"].get(name)) for split in splits.values())] for name in names]
    lines = _aligned(rows)
    for last, measured in list(splits.items())[-1:]:
        if measured.get("outputs"):
            lines += ["", *_output_lines(last, measured["outputs"])]
        if measured.get("slices"):
            lines += ["", *_slice_lines(last, measured["slices"])]
    return "\n".join(lines)


def result_lines(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the results say, a sentence a line.

    Args:
        metrics: what is in metrics.json; of `model`, `objective`, `coefficients`, `chance` and
            `diagnosis`, those that are there.
    """
    return tuple(printable(line) for line in _sentences(metrics))


def split_lines(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what there is to say of single splits: unknown categories, metrics without a value."""
    return tuple(printable(line) for line in _split_sentences(metrics["splits"]))


def run_summary(found: Mapping[str, Any]) -> str:
    """Return what `show` prints of a run, as lines.

    Args:
        found: `run`, `status`, `started`, `finished`, `device`, `data`, `decisions`, `audit`, `epochs`,
            `metrics`, `test_looks`, `plots`, `profile`; None for what a run does not have.
    """
    status, data, device = found["status"], found["data"], found["device"]
    lines = [
        f"run       {found['run']}",
        f"status    {status['state']}{': ' + status['reason'] if status.get('reason') else ''}",
        f"time      {found['started']} – {found['finished'] or ''}",
        f"epochs    {found['epochs']}",
    ]
    lines += [f"data      {data['source']}, {counted(data['rows'], 'row')}"] if data else []
    lines += [f"device    {device['value']} ({device['reason']})"] if device else []
    if found["decisions"]:
        decided = [(one["what"], one["value"], one["reason"]) for one in found["decisions"]]
        lines += ["", *decision_lines(decided)]
    if found["audit"]:
        lines += ["", "audit of the data", *(f"  {line}" for line in audit_lines(Audit.model_validate(found["audit"])))]
    if found["metrics"]:
        lines += ["", *results_table(found["metrics"]).splitlines(), "", *result_lines(found["metrics"])]
        gates = recorded(found["metrics"])
        lines += ["", "gates", *gates_table(gates).splitlines()] if gates else []
    if found["test_looks"]:
        lines += ["", looks_sentence(found["test_looks"])]
    if found["plots"]:
        lines += ["", plots_line(found["plots"])]
    if found["profile"]:
        lines += ["", *profile_table(Profile.model_validate(found["profile"])).splitlines()]
    return "\n".join(printable(line) for line in lines)


def plots_line(plots: Sequence[Any]) -> str:
    """Return where the pictures are, and how many."""
    folder = PurePath(str(plots[0])).parent
    return f"plots  {folder} ({len(plots)} picture{'' if len(plots) == 1 else 's'})"


def groups_sentence(columns: Sequence[str], n: int | None) -> str:
    """Return what intervals rest on, where rows with the same values in `columns` belong together in `n` groups."""
    named = " and ".join(f"'{column}'" for column in columns)
    if n is None:
        return f"no column {named}: the intervals treat all rows as independent, so they may be too narrow"
    return f"the intervals are computed from {n} groups: rows with the same {named} are drawn together"


def _slice_lines(split: str, slices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the first metrics of each slice, as many as a line has room for."""
    names = list(slices[0]["metrics"])[:SLICE_METRICS]
    rows = [[f"slices of {split}", ("n", ""), *((name, "") for name in names)]]
    rows += [
        [each["slice"], (f"{each['n']}", ""), *(_cell(each["metrics"].get(name)) for name in names)] for each in slices
    ]
    return _aligned(rows)


def _output_lines(split: str, outputs: Mapping[str, Any]) -> list[str]:
    """Return the first metrics of each target, as many as a line has room for."""
    names = list(next(iter(outputs.values()))["metrics"])[:TARGET_METRICS]
    rows: list[list[Any]] = [[f"{split}, by target", *((name, "") for name in names)]]
    rows += [[name, *(_cell(each["metrics"].get(metric)) for metric in names)] for name, each in outputs.items()]
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return rows of a name and of cells `(value, interval)` as lines: names and intervals to the left, values to the
    right."""
    flat = [[printable(row[0]), *(printable(part) for cell in row[1:] for part in cell)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    lines = []
    for name, *parts in flat:
        line = f"{name:<{widths[0]}}"
        for column, part in enumerate(parts, start=1):
            if column % 2:
                line += f"  {part:>{widths[column]}}"
            elif widths[column]:
                line += f" {part:<{widths[column]}}"
        lines.append(line.rstrip())
    return lines


def _cell(metric: Mapping[str, Any] | None) -> tuple[str, str]:
    return ("", "") if metric is None else (number(metric["value"]), interval(metric.get("low"), metric.get("high")))


def _sentences(metrics: Mapping[str, Any]) -> Iterator[str]:
    if "model" in metrics:
        yield _model_sentence(metrics["model"], metrics.get("objective"))
    if metrics.get("coefficients"):
        learned = ", ".join(f"{name} = {number(value)}" for name, value in metrics["coefficients"].items())
        yield f"learned: {learned}"
    yield from metrics.get("decision_sentences", ())
    if metrics.get("chance"):
        yield metrics["chance"]["sentence"]
    yield from metrics.get("baseline_sentences", ())
    for found in metrics.get("diagnosis", ()):
        yield f"{found['sentence']} [{found['key']}]"
    yield from _split_sentences(metrics["splits"])


def _split_sentences(splits: Mapping[str, Any]) -> Iterator[str]:
    for split, measured in splits.items():
        if measured.get("groups"):
            yield f"{split}: {groups_sentence(**measured['groups'])}"
        if measured.get("unknown_categories"):
            counts = ", ".join(f"{column} ({count})" for column, count in measured["unknown_categories"].items())
            yield f"{split}: categories that no training row has are ignored: {counts}"
        few = [f"{each['slice']} ({each['n']})" for each in measured.get("slices") or () if each.get("few_rows")]
        if few:
            yield f"{split}: slices with too few rows for a conclusion: {', '.join(few)}"
        for name, metric in measured["metrics"].items():
            if metric.get("undefined"):
                yield f"{split}.{name} has no value: {metric['undefined']}"


def _model_sentence(model: Mapping[str, Any], objective: Mapping[str, Any] | None) -> str:
    kept = f"the model is from epoch {model['epoch']} of {model['epochs']}"
    if model["weights"] == "best" and objective and objective["best"] is not None:
        kept += f", the best by {objective['metric']} ({number(objective['best'])})"
    return f"{kept}; training ended: {model['stopped']}"
