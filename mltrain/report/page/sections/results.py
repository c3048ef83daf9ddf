"""The results: metrics with their intervals, baselines, slices, classes, and the charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import figure, figures, interval, section, sentence, sub, table, value_cell
from mltrain.report.page.sections.baselines import baselines_part
from mltrain.report.page.sections.targets import targets_table
from mltrain.report.summary import groups_sentence, split_sentence, weights_sentence
from mltrain.report.text import number
from mltrain.run.results import Results
from mltrain.run.split_result import SliceResult, SplitResult

_MOST_ROWS = 100


def results_section(facts: Facts, charts: Sequence[Chart]) -> Html:
    """Return the section on what came out."""
    results, split, judged = facts.results, facts.split, facts.judged
    if results is None or split is None or judged is None:
        return section("results", "Results", element("p", "The run ended before it was measured."))
    # A table of numbers leaves room for the first chart.
    beside = element("div", element("div", metrics_table(results)), map(figure, charts[:1]), class_="beside")
    parts: list[Content] = [beside]
    parts += [sentence(each, class_="note") for each in undefined_sentences(results)]
    parts.append(figures(charts[1:]))
    if judged.of_kinds:
        parts += [_of_target(results, name, split) for name in judged.outputs]
    elif judged.outputs:
        parts.append(sub("By target", targets_table(judged, split)))
    if split != "train" and not judged.of_kinds:
        parts.append(sub("Compared with baselines", *baselines_part(results, judged, split)))
    if judged.classes:
        parts.append(sub("By class", _classes(judged, split)))
    if judged.slices:
        parts.append(sub("By slice", _slices(judged, split)))
    if results.coefficients:
        rows = [(name, number(value)) for name, value in results.coefficients.items()]
        parts.append(sub("Coefficients", table("Coefficients, in the units of the data", ("input", "value"), rows)))
    return section("results", "Results", *parts)


def _of_target(results: Results, name: str, split: str) -> Html:
    """Return what there is of one of several targets of different kinds beside its metrics."""
    alone = results.of_output(name)
    judged = alone.splits[split]
    parts: list[Content] = [f"{alone.task}, {judged.n:,} rows of {split}"]
    if split != "train":
        parts += baselines_part(alone, judged, split)
    if judged.classes:
        parts.append(_classes(judged, split))
    return sub(f"Target {name}", *parts)


def metrics_table(results: Results) -> Html:
    """Return the metrics, a row each and a column a split."""
    splits = results.splits
    names = dict.fromkeys(name for split in splits.values() for name in split.metrics)
    rows: list[list[Content]] = [["rows", *(f"{split.n:,}" for split in splits.values())]]
    rows += [[name, *(value_cell(split.metrics.get(name)) for split in splits.values())] for name in names]
    ranged = any(interval(value) for split in splits.values() for value in split.metrics.values())
    return table("Metrics" + (", with 95 % intervals" if ranged else ""), ("metric", *splits), rows)


def undefined_sentences(results: Results) -> Iterator[str]:
    """Yield what the intervals rest on, why a metric has no value, and which categories are new."""
    for name, split in results.splits.items():
        rows = split_sentence(name)
        if rows is not None:
            yield f"{name}: {rows}"
        if split.groups is not None:
            yield f"{name}: {groups_sentence(split.groups.columns, split.groups.n)}"
        if split.weights is not None:
            yield f"{name}: {weights_sentence(split.weights.column, split.n, split.weights.effective_rows)}"
        if split.unknown_categories:
            counts = ", ".join(f"{column} ({count})" for column, count in split.unknown_categories.items())
            yield f"{name}: categories that no training row has are ignored: {counts}"
        for metric, value in split.metrics.items():
            if value.undefined:
                yield f"{name}.{metric} has no value: {value.undefined}"


def _classes(judged: SplitResult, split: str) -> Html:
    shown = list(judged.classes.items())[:_MOST_ROWS]
    rows = [
        (name, f"{each.n:,}", value_cell(each.precision), value_cell(each.recall), value_cell(each.f1))
        for name, each in shown
    ]
    more = f", the first {_MOST_ROWS} of {len(judged.classes)}" if len(judged.classes) > len(shown) else ""
    return table(f"Classes, {split}{more}", ("class", "rows", "precision", "recall", "F1"), rows)


def _slices(judged: SplitResult, split: str) -> Html:
    shown = judged.slices[:_MOST_ROWS]
    names = list(dict.fromkeys(name for each in shown for name in each.metrics))
    rows = [
        (_slice_name(each), f"{each.n:,}", *(value_cell(each.metrics.get(name)) for name in names)) for each in shown
    ]
    return table(f"Slices, {split}", ("slice", "rows", *names), rows)


def _slice_name(each: SliceResult) -> Content:
    if not each.few_rows:
        return each.slice
    return joined(each.slice, element("span", "too few rows to tell", class_="range"))
