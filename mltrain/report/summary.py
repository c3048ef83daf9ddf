"""The results of a run in words and as a table. The text is safe to print."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from mltrain.problems import printable
from mltrain.report.audit import audit_lines
from mltrain.report.backbones import backbone_lines
from mltrain.report.decisions import decision_lines
from mltrain.report.gates import gates_table
from mltrain.report.profile import profile_table
from mltrain.report.text import interval, number
from mltrain.run.architecture import Architecture
from mltrain.run.audit import Audit
from mltrain.run.looks import looks_sentence
from mltrain.run.profile import Profile
from mltrain.run.results import ObjectiveResult, Results, TrainedModel
from mltrain.run.split_result import MetricValue, OutputResult, SliceResult, SplitResult
from mltrain.task import OUT_OF_FOLD
from mltrain.wording import counted

SLICE_METRICS = 3
TARGET_METRICS = 4
LISTED = 8


def results_table(splits: Mapping[str, SplitResult]) -> str:
    """Return the final numbers as lines: a row per metric, a column per split, `–` where a metric has no value;
    behind a value its 95 % interval. The slices of the last split follow, a row each.
    """
    names = list(dict.fromkeys(name for split in splits.values() for name in split.metrics))
    rows = [["", *((split, "") for split in splits)], ["n", *((f"{split.n}", "") for split in splits.values())]]
    rows += [[name, *(measured_cell(split.metrics.get(name)) for split in splits.values())] for name in names]
    lines = aligned(rows)
    for last, measured in list(splits.items())[-1:]:
        if measured.outputs and not measured.of_kinds:
            lines += ["", *aligned(output_rows(last, measured.outputs))]
        if measured.slices:
            lines += ["", *aligned(slice_rows(last, measured.slices))]
    return "\n".join(lines)


def result_lines(results: Results) -> tuple[str, ...]:
    """Return what the results mean, a sentence per line, the verdicts first."""
    chance = [printable(results.chance.sentence)] if results.chance else []
    return (*baseline_lines(results), *training_lines(results), *chance, *finding_lines(results))


def split_lines(splits: Mapping[str, SplitResult]) -> tuple[str, ...]:
    """Return what there is to say of single splits: unknown categories, metrics without a value."""
    return tuple(printable(line) for line in _split_sentences(splits))


def baseline_lines(results: Results) -> tuple[str, ...]:
    """Return the comparisons with baselines, a sentence each."""
    return tuple(map(printable, results.baseline_sentences))


def finding_lines(results: Results) -> tuple[str, ...]:
    """Return what the diagnosis found, and what is to be known of single splits, a sentence each."""
    found = (f"{each.sentence} [{each.key}]" for each in results.diagnosis)
    return tuple(map(printable, (*found, *_split_sentences(results.splits))))


def training_lines(results: Results) -> tuple[str, ...]:
    """Return which epoch the model is from, what was learned and how it decides, a sentence each."""
    return tuple(map(printable, _training_sentences(results)))


def run_summary(found: Mapping[str, Any], results: Results | None) -> str:
    """Return what `show` prints of a run, as lines.

    Args:
        found: `run`, `status`, `killed`, `changes`, `started`, `finished`, `device`, `data`, `model`, `decisions`,
            `audit`, `epochs`, `kept_epochs`, `test_looks`, `plots`, `profile`; None for what a run does not have.
        results: of the run; None where it has none.
    """
    status, data, device = found["status"], found["data"], found["device"]
    ended = f"{status['state']}{': ' + status['reason'] if status.get('reason') else ''}"
    if found.get("killed"):
        ended = f"interrupted (its process is gone); `mltrain resume {shlex.quote(found['run'])}` continues it"
    lines = [f"run       {found['run']}", f"status    {ended}"]
    lines += [f"          {found['changes']}"] if found.get("changes") else []
    if results is not None:
        verdicts = baseline_lines(results)
        others = result_lines(results)[len(verdicts) :]
        lines += ["", *verdicts] if verdicts else []
        lines += ["", *results_table(results.splits).splitlines()]
        lines += ["", *others] if others else []
        lines += ["", "gates", *gates_table(results.gates).splitlines()] if results.gates else []
    lines += [
        "",
        f"time      {found['started']} – {found['finished'] or ''}".rstrip(" –"),
        f"epochs    {found['epochs']}",
    ]
    kept = found.get("kept_epochs")
    lines += [f"kept      the weights of epochs {', '.join(map(str, kept))}"] if kept else []
    lines += [f"data      {data['source']}, {counted(data['rows'], 'row')}"] if data else []
    model = found.get("model") and Architecture.model_validate(found["model"])
    lines += [f"model     {model.words}", *(f"          {line}" for line in backbone_lines(model))] if model else []
    lines += [f"device    {device['value']} ({device['reason']})"] if device else []
    lines += [looks_sentence(found["test_looks"])] if found["test_looks"] else []
    if found["decisions"]:
        decided = [(one["what"], one["value"], one["reason"]) for one in found["decisions"]]
        lines += ["", *decision_lines(decided)]
    if found["audit"]:
        audited = audit_lines(Audit.model_validate(found["audit"]), short=True)
        lines += ["", audited[0], *(f"  {line}" for line in audited[1:])]
    if found["plots"]:
        lines += ["", plots_line(found["plots"])]
    if found["profile"]:
        lines += ["", *profile_table(Profile.model_validate(found["profile"])).splitlines()]
    return "\n".join(printable(line) for line in lines)


def plots_line(plots: Sequence[Any]) -> str:
    """Return where the PNG files are, and how many; the folder also has charts as SVG."""
    folder = PurePath(str(plots[0])).parent
    return f"plots  {folder} ({counted(len(plots), 'PNG file')})"


def split_sentence(split: str) -> str | None:
    """Return which rows a split is; None where its name says it."""
    if split != OUT_OF_FOLD:
        return None
    return "the training rows, each predicted by the network of the ensemble that has not learned from it"


def groups_sentence(columns: Sequence[str], n: int | None) -> str:
    """Return what intervals rest on, where rows with the same values in `columns` belong together in `n` groups."""
    named = " and ".join(f"'{column}'" for column in columns)
    if n is None:
        return f"no column {named}: the intervals treat all rows as independent, so they may be too narrow"
    return f"the intervals are computed from {n} groups: rows with the same {named} are drawn together"


def weights_sentence(column: str, rows: int, effective: float) -> str:
    """Return what intervals rest on, where the rows count differently in the metrics."""
    said = f"the {counted(rows, 'row')} say as much as {effective:,.1f} of one weight"
    return f"the metrics are weighted by the column '{column}': {said}"


def slice_rows(split: str, slices: Sequence[SliceResult]) -> list[list[Any]]:
    """Return the first metrics of each slice, as many as a line has room for."""
    names = list(slices[0].metrics)[:SLICE_METRICS]
    rows: list[list[Any]] = [[f"slices of {split}", ("n", ""), *((name, "") for name in names)]]
    for each in slices:
        cells = (measured_cell(each.metrics.get(name)) for name in names)
        rows.append([each.slice, (f"{each.n}", ""), *cells])
    return rows


def output_rows(split: str, outputs: Mapping[str, OutputResult]) -> list[list[Any]]:
    """Return the first metrics of each target, as many as a line has room for."""
    names = list(next(iter(outputs.values())).metrics)[:TARGET_METRICS]
    rows: list[list[Any]] = [[f"{split}, by target", *((name, "") for name in names)]]
    rows += [[name, *(measured_cell(each.metrics.get(metric)) for metric in names)] for name, each in outputs.items()]
    return rows


def kind_rows(split: str, outputs: Mapping[str, OutputResult]) -> list[list[Any]]:
    """Return the first metrics of each target, each with its name: targets of different kinds have others."""
    rows: list[list[Any]] = [[f"{split}, by target", *([("", "")] * TARGET_METRICS)]]
    for name, each in outputs.items():
        cells = [measured_cell(value) for value in each.metrics.values()][:TARGET_METRICS]
        named = [(f"{metric} {value}", ends) for metric, (value, ends) in zip(each.metrics, cells, strict=False)]
        rows.append([name, *named, *([("", "")] * (TARGET_METRICS - len(named)))])
    return rows


def aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
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


def measured_cell(metric: MetricValue | None) -> tuple[str, str]:
    """Return a value and its interval as texts; both are empty where the metric was not measured."""
    return ("", "") if metric is None else (number(metric.value), interval(metric.low, metric.high))


def _training_sentences(results: Results) -> Iterator[str]:
    yield _model_sentence(results.model, results.objective)
    if results.coefficients:
        learned = [f"{name} = {number(value)}" for name, value in results.coefficients.items()]
        yield f"learned: {_listed(learned)}"
    yield from results.decision_sentences


def _split_sentences(splits: Mapping[str, SplitResult]) -> Iterator[str]:
    for split, measured in splits.items():
        rows = split_sentence(split)
        if rows is not None:
            yield f"{split}: {rows}"
        if measured.groups:
            yield f"{split}: {groups_sentence(measured.groups.columns, measured.groups.n)}"
        if measured.weights:
            yield f"{split}: {weights_sentence(measured.weights.column, measured.n, measured.weights.effective_rows)}"
        if measured.unknown_categories:
            counts = [f"{column} ({count})" for column, count in measured.unknown_categories.items()]
            yield f"{split}: categories that no training row has are ignored: {_listed(counts)}"
        few = [f"{each.slice} ({each.n})" for each in measured.slices if each.few_rows]
        if few:
            yield f"{split}: slices with too few rows for a conclusion: {_listed(few)}"
        for name, metric in measured.metrics.items():
            if metric.undefined:
                yield f"{split}.{name} has no value: {metric.undefined}"


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are: metrics.json has them all."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _model_sentence(model: TrainedModel, objective: ObjectiveResult) -> str:
    kept = f"the model is from epoch {model.epoch} of {model.epochs}"
    if model.weights == "average":
        kept = f"the model has the average weights of {counted(model.averaged or 0, 'epoch')} of {model.epochs}"
    if model.weights == "best" and objective.best is not None:
        kept += f", the best by {objective.metric} ({number(objective.best)})"
    return f"{kept}; training ended: {model.stopped}"
