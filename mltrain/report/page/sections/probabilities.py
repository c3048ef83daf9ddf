"""Charts of a classification: the confusion matrix, the effect of a threshold, and the calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mltrain.report.curve_points import (
    Reliability,
    precision_recall_points,
    reliability,
    roc_points,
    threshold_points,
)
from mltrain.report.page.charts.frame import Chart, Frame
from mltrain.report.page.charts.lines import LOOKS, Line, diagonal, drawn, key, upright
from mltrain.report.page.charts.matrix import MOST_CLASSES, matrix
from mltrain.report.page.charts.scale import UNIT
from mltrain.report.page.html import element
from mltrain.report.text import number
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results import Results
from mltrain.run.split_result import Calibration

_SQUARE = 350


def classification_charts(results: Results, split: str, predictions: StoredPredictions | None) -> Iterator[Chart]:
    """Yield the charts of a classification, judged on the rows of `split`."""
    counts = results.splits[split].confusion_matrix
    if counts and len(counts) <= MOST_CLASSES:
        yield _confusion(counts, results.classes, split)
    if predictions is None:
        return
    # A file may hold numbers that are not probabilities: these axes cannot show them.
    values = np.clip(np.nan_to_num(predictions.values.astype(np.float64)), 0.0, 1.0)
    target = predictions.target.astype(np.int64)
    ranked = _ranked_classes(values, target, results)
    if ranked:
        yield _roc(ranked, results, split)
        yield _precision_recall(ranked, results, split)
    if target.ndim == 1:
        yield _calibration(_bins(values, target, results.splits[split].calibration), results, split)


def threshold_chart(results: Results, split: str, predictions: StoredPredictions) -> Chart | None:
    """Return precision, recall and F1 for each threshold on the rows of `split`; None if they have only one class."""
    positive = predictions.target == 1
    if predictions.values.ndim != 1 or positive.all() or not positive.any():
        return None
    points = threshold_points(positive, predictions.values.astype(np.float64))
    named = (("precision", points.precision), ("recall", points.recall), ("F1", points.f1))
    lines = [
        Line(name, points.threshold.tolist(), y.tolist(), look) for (name, y), look in zip(named, LOOKS, strict=False)
    ]
    chosen = results.threshold.value if results.threshold else 0.5
    frame = Frame(
        UNIT, UNIT, "threshold", "value", height=_SQUARE, legend=(*key(lines), (f"used: {chosen:.3g}", "mark"))
    )
    at = int(np.abs(points.threshold - chosen).argmin())
    there = ", ".join(f"{name} {number(float(y[at]))}" for name, y in named)
    description = f"Precision, recall and F1 over the threshold; at {number(chosen)}: {there}"
    aim = f", chosen for {results.threshold.aim}" if results.threshold and results.threshold.aim else ""
    drawing = frame.draw(description, drawn(frame, lines), upright(frame, chosen))
    caption = f"Precision, recall and F1 for each threshold on the {split} rows; {chosen:.3g} is used{aim}."
    return Chart("threshold", drawing, caption)


def _confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], split: str) -> Chart:
    total, right = sum(map(sum, counts)), sum(row[place] for place, row in enumerate(counts))
    drawing = matrix(f"Confusion matrix of the {split} rows: {right} of {total} right", counts, classes)
    caption = f"Confusion matrix, {split}: {right:,} of {total:,} right. The shade is the share of the true class."
    return Chart("confusion", drawing, caption)


def _ranked_classes(
    values: np.ndarray, target: np.ndarray, results: Results
) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Return name, look, membership and scores of each class that has curves: the rarest six where there are more."""
    of_class = [(results.classes[1], target == 1, values)] if values.ndim == 1 else []
    if values.ndim == 2:
        members = target.T == 1 if target.ndim == 2 else [target == place for place in range(len(results.classes))]
        of_class = list(zip(results.classes, members, values.T, strict=True))
    # A curve needs rows of the class, and others.
    possible = [each for each in of_class if 0 < each[1].sum() < len(target)]
    if len(possible) > len(LOOKS):
        rarest = sorted(possible, key=lambda each: int(each[1].sum()))[: len(LOOKS)]
        possible = [each for each in possible if any(each is one for one in rarest)]
    return [(name, look, member, scores) for (name, member, scores), look in zip(possible, LOOKS, strict=False)]


def _which(ranked: Sequence[tuple[str, str, np.ndarray, np.ndarray]], results: Results) -> str:
    if results.task == "multilabel":
        return ", by label" if len(ranked) == len(results.classes) else f", the {len(ranked)} rarest labels"
    if len(results.classes) == 2:
        return ""
    if len(ranked) == len(results.classes):
        return ", each class against the rest"
    return f", the {len(ranked)} classes with the fewest rows, each against the rest"


def _roc(ranked: Sequence[tuple[str, str, np.ndarray, np.ndarray]], results: Results, split: str) -> Chart:
    lines, areas = [], []
    for name, look, member, scores in ranked:
        wrong, right = roc_points(member, scores)
        areas.append(f"{name} {number(float(np.trapezoid(right, wrong)))}")
        lines.append(Line(name, wrong.tolist(), right.tolist(), look))
    legend = key(lines) if len(lines) > 1 else ()
    frame = Frame(UNIT, UNIT, "false positive rate", "true positive rate", height=_SQUARE, legend=legend)
    drawing = frame.draw(
        f"ROC curve of the {split} rows; area: {', '.join(areas)}", diagonal(frame), drawn(frame, lines)
    )
    return Chart("roc", drawing, f"ROC, {split}{_which(ranked, results)}. The dashed line is guessing.")


def _precision_recall(ranked: Sequence[tuple[str, str, np.ndarray, np.ndarray]], results: Results, split: str) -> Chart:
    lines = []
    for name, look, member, scores in ranked:
        recall, precision = precision_recall_points(member, scores)
        lines.append(Line(name, recall.tolist(), precision.tolist(), look))
    legend = key(lines) if len(lines) > 1 else ()
    frame = Frame(UNIT, UNIT, "recall", "precision", height=_SQUARE, legend=legend)
    marks = [drawn(frame, lines)]
    said = f"Precision over recall of the {split} rows"
    caption = f"Precision and recall, {split}{_which(ranked, results)}."
    if len(ranked) == 1:
        share = float(ranked[0][2].mean())
        place = frame.down(share)
        marks.insert(0, element("line", x1=frame.left, x2=frame.right, y1=place, y2=place, class_="even"))
        said += f"; guessing has a precision of {number(share)}"
        caption += " The dashed line is guessing."
    return Chart("precision-recall", frame.draw(said, marks), caption)


def _bins(values: np.ndarray, target: np.ndarray, measured: Calibration | None) -> Reliability:
    """Return the bins that were measured, else bins of equal width."""
    measured_bins = measured.bins if measured is not None else ()
    whole = [(one.mean, one.share, one.n) for one in measured_bins if one.mean is not None and one.share is not None]
    if whole:
        said, came_true, rows = (np.array(column, np.float64) for column in zip(*whole, strict=True))
        return Reliability(np.clip(said, 0.0, 1.0), np.clip(came_true, 0.0, 1.0), np.maximum(rows, 1.0))
    if values.ndim == 1:
        return reliability(values, target == 1)
    return reliability(values.max(axis=1), values.argmax(axis=1) == target)


def _calibration(bins: Reliability, results: Results, split: str) -> Chart:
    binary = results.task == "binary"
    said = f"probability of {results.classes[1]}" if binary else "probability of the predicted class"
    line = Line("model", bins.said.tolist(), bins.came_true.tolist(), "one")
    frame = Frame(UNIT, UNIT, said, "true share" if binary else "share that is right", height=_SQUARE)
    dots = [
        element(
            "circle",
            element("title", f"{int(rows)} rows: predicted {number(float(x))}, true {number(float(y))}"),
            cx=frame.across(float(x)),
            cy=frame.down(float(y)),
            r=3 + 6 * float(np.sqrt(rows / bins.rows.max())),
            class_="dot one dense",
        )
        for x, y, rows in zip(bins.said, bins.came_true, bins.rows, strict=True)
    ]
    off = number(float((np.abs(bins.said - bins.came_true) * bins.rows).sum() / bins.rows.sum()))
    description = f"Calibration on the {split} rows: the mean difference between probability and share is {off}"
    drawing = frame.draw(description, diagonal(frame), drawn(frame, [line]), dots)
    caption = f"Calibration, {split}: on the dashed line, probabilities equal true shares. Larger dots have more rows."
    if results.temperature is not None:
        caption += f" The logits are divided by {number(results.temperature)}."
    return Chart("calibration", drawing, caption)
