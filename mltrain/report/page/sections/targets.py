"""The results of several targets: a table with one row per target, and a small chart of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from mltrain.report.page.charts.bars import Bar, bars
from mltrain.report.page.charts.frame import Chart, Frame
from mltrain.report.page.charts.lines import LOOKS, Line, diagonal, drawn, key
from mltrain.report.page.charts.matrix import matrix
from mltrain.report.page.charts.scale import UNIT
from mltrain.report.page.html import Content, Html, element
from mltrain.report.page.parts import table, value_cell
from mltrain.report.page.sections.quantities import regression_charts
from mltrain.report.page.sections.training import file_name
from mltrain.report.text import number
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results import Results
from mltrain.run.split_result import SplitResult

# Nobody looks at more small charts; the table has every target.
_MOST_CHARTS, _MOST_BARS = 12, 24


def targets_table(judged: SplitResult, split: str) -> Html:
    """Return the metrics of each target."""
    names = list(dict.fromkeys(name for each in judged.outputs.values() for name in each.metrics))
    rows: list[list[Content]] = [
        [target, *(value_cell(each.metrics.get(name)) for name in names)] for target, each in judged.outputs.items()
    ]
    return table(f"Targets, {split}", ("target", *names), rows)


def label_charts(judged: SplitResult, split: str) -> Iterator[Chart]:
    """Yield the calibration of the labels, and the confusion matrix of each."""
    lines = []
    for (name, each), look in zip(judged.outputs.items(), LOOKS, strict=False):
        bins = each.calibration.bins if each.calibration is not None else ()
        known = [(one.mean, one.share) for one in bins if one.mean is not None and one.share is not None]
        if known:
            said, came_true = ([min(max(value, 0.0), 1.0) for value in column] for column in zip(*known, strict=True))
            lines.append(Line(name, said, came_true, look))
    if lines:
        frame = Frame(UNIT, UNIT, "probability of the label", "share with the label", height=350, legend=key(lines))
        description = f"Calibration of {', '.join(line.name for line in lines)} on the {split} rows"
        drawing = frame.draw(description, diagonal(frame), drawn(frame, lines))
        few = "" if len(lines) == len(judged.outputs) else f", the first {len(lines)} labels"
        caption = f"Calibration, {split}{few}: a label on the dashed line has honest probabilities."
        yield Chart("calibration", drawing, caption)
    for name, each in list(judged.outputs.items())[:_MOST_CHARTS]:
        counts = each.confusion_matrix
        if counts:
            right = counts[0][0] + counts[1][1]
            total = sum(map(sum, counts))
            drawing = matrix(f"Confusion matrix of {name}: {right} of {total} right", counts, ("without", "with"))
            yield Chart(f"confusion-{file_name(name)}", drawing, f"{name}, {split}: {right:,} of {total:,} right.")


def number_charts(judged: SplitResult, split: str, predictions: StoredPredictions) -> Iterator[Chart]:
    """Yield predicted against true values of each target."""
    for place, name in list(enumerate(judged.outputs))[:_MOST_CHARTS]:
        column = StoredPredictions(predictions.rows, predictions.target[:, place], predictions.values[:, place])
        for chart in islice(regression_charts(name, split, column), 1):
            yield replace(chart, name=f"predicted-{file_name(name)}", caption=f"{name}: {chart.caption}")


def label_balance(results: Results) -> Iterator[Chart]:
    """Yield a chart of the rows of each split that have each label."""
    for split, each in results.splits.items():
        known = [(name, output.confusion_matrix) for name, output in each.outputs.items() if output.confusion_matrix]
        having = {name: sum(with_it) for name, (_, with_it) in known}
        shown = list(having.items())[:_MOST_BARS]
        labels = [Bar(name, count, f"{count:,} ({count / max(each.n, 1):.1%})") for name, count in shown]
        said = ", ".join(f"{bar.name} {bar.written}" for bar in labels)
        first = "" if len(shown) == len(having) else f", the first {len(shown)}"
        drawing = bars(f"Rows of {split} that have each label: {said}", labels)
        yield Chart(f"labels-{split}", drawing, f"Labels of the {split} rows{first}.")


def target_cells(predictions: StoredPredictions, place: int) -> list[Content]:
    """Return the prediction and the true value of each target of a row; wrong labels are bold."""
    labels = predictions.target.dtype.kind == "i"
    cells: list[Content] = []
    for true, predicted in zip(predictions.target[place].tolist(), predictions.values[place].tolist(), strict=True):
        text = f"{number(predicted)} ({true if labels else number(true)})"
        cells.append(element("strong", text) if labels and (predicted > 0.5) != (true == 1) else text)
    return cells
