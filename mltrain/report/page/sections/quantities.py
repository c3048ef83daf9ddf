"""Charts of a regression, and of what was learned of one input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mltrain.report.page.charts.bars import counts_scale, histogram
from mltrain.report.page.charts.dates import EARLIEST, LATEST, DateScale
from mltrain.report.page.charts.frame import Chart, Frame
from mltrain.report.page.charts.lines import LOOK_OF_SPLIT, Line, diagonal, drawn, evenly, key, scattered
from mltrain.report.page.charts.scale import Scale, around
from mltrain.report.page.html import Html, element
from mltrain.report.text import number
from mltrain.run.learned import LearnedCurve
from mltrain.run.predictions import StoredPredictions

# The lines of more forecasts cannot be distinguished.
_LAST = 120


def regression_charts(target: str, split: str, predictions: StoredPredictions) -> Iterator[Chart]:
    """Yield the forecasts of a single series in the order of time, predicted against true values, and the residuals."""
    true, predicted = predictions.target.astype(np.float64), predictions.values.astype(np.float64)
    finite = np.isfinite(true) & np.isfinite(predicted)
    if not finite.any():
        return
    true, predicted = true[finite], predicted[finite]
    look = LOOK_OF_SPLIT.get(split, "three")
    if predictions.forecasts is not None and len(np.unique(predictions.forecasts.times)) == len(finite):
        order = np.argsort(predictions.forecasts.times[finite], kind="stable")[-_LAST:]
        dates = None if predictions.dates is None else predictions.dates[finite][order]
        yield _forecast(target, split, true[order], predicted[order], dates, predictions.forecasts.horizon)
    some = list(evenly(len(true)))
    of = f"{split}, {len(some):,} of {len(true):,} rows" if len(some) < len(true) else f"{split}, {len(true):,} rows"
    both = around([*true.tolist(), *predicted.tolist()])
    frame = Frame(both, both, f"true {target}", f"predicted {target}", height=350)
    correlation = _correlation(true, predicted)
    marks = scattered(frame, true[some].tolist(), predicted[some].tolist(), look)
    said = f"Predicted against true {target}, {of}{correlation}"
    yield Chart(
        "predicted",
        frame.draw(said, diagonal(frame), marks),
        f"Predicted against true, {of}. Dashed: equal.",
    )

    residuals = predicted - true
    span = around([*residuals.tolist(), 0.0])
    frame = Frame(around(predicted.tolist()), span, f"predicted {target}", "predicted − true", height=350)
    zero = _level(frame, 0.0)
    marks = scattered(frame, predicted[some].tolist(), residuals[some].tolist(), look)
    mean, deviation = number(float(residuals.mean())), number(float(residuals.std()))
    said = f"Residuals over the prediction: mean {mean}, deviation {deviation}"
    yield Chart(
        "residuals",
        frame.draw(said, zero, marks),
        f"Residuals, {of}. A visible pattern means that something was not learned.",
    )
    yield _histogram(residuals, span, split)


def _forecast(
    target: str, split: str, true: np.ndarray, predicted: np.ndarray, dates: np.ndarray | None, horizon: int
) -> Chart:
    """Return the last forecasts beside what came; below are dates, where all have one that a calendar can show."""
    steps = [float(step) for step in range(1, len(true) + 1)]
    across, name = around(steps), f"{split} rows, in the order of time"
    if dates is not None and len(dates) > 1 and EARLIEST <= dates[0] < dates[-1] <= LATEST:
        steps = [float(date) / 1e6 for date in dates.tolist()]
        margin = 0.02 * (steps[-1] - steps[0])
        across, name = DateScale(steps[0] - margin, steps[-1] + margin), f"time of the {split} rows (UTC)"
    lines = [
        Line("true", steps, true.tolist(), "ink"),
        Line("forecast", steps, predicted.tolist(), LOOK_OF_SPLIT.get(split, "three")),
    ]
    frame = Frame(across, around([*true.tolist(), *predicted.tolist()]), name, target, legend=key(lines))
    ahead = f"{horizon} row{'s' if horizon > 1 else ''} ahead"
    shown = f"the last {len(true):,} forecasts of {split}, {ahead}"
    return Chart("forecast", frame.draw(f"True {target} and {shown}", drawn(frame, lines)), f"{target}: {shown}.")


def learned_chart(learned: LearnedCurve, binary: bool) -> Chart:
    """Return the curve of the model over its one input, and rows beside it."""
    line = Line("learned", learned.grid, learned.predictions, "ink")
    inputs = [value for each in learned.points for value in each.input]
    targets = [value for each in learned.points for value in each.target]
    legend = [(each.split, f"dot {LOOK_OF_SPLIT.get(each.split, 'three')}") for each in learned.points]
    name = f"probability of {learned.target}" if binary else learned.target
    across, up = around([*learned.grid, *inputs]), around([*learned.predictions, *targets])
    frame = Frame(across, up, learned.input, name, height=350, legend=[*legend, ("learned", "line ink")])
    marks = [
        scattered(frame, each.input, each.target, LOOK_OF_SPLIT.get(each.split, "three")) for each in learned.points
    ]
    formula = f": {learned.formula}" if learned.formula else ""
    caption = f"What was learned of {learned.input}{formula}."
    return Chart(
        "learned", frame.draw(f"{name} over {learned.input}, learned{formula}", marks, drawn(frame, [line])), caption
    )


def _histogram(residuals: np.ndarray, span: Scale, split: str) -> Chart:
    counts, edges = np.histogram(
        residuals, bins=min(40, max(5, int(np.sqrt(len(residuals))))), range=(span.low, span.high)
    )
    shown = [int(count) for count in counts]
    frame = Frame(span, counts_scale(shown), "predicted − true", "rows")
    low, middle, high = (number(float(value)) for value in np.quantile(residuals, (0.05, 0.5, 0.95)))
    said = f"Histogram of the residuals: 90 % are between {low} and {high}, half below {middle}"
    place = frame.across(0.0)
    zero = element("line", x1=place, x2=place, y1=frame.top, y2=frame.bottom, class_="even")
    drawing = frame.draw(said, histogram(frame, [float(edge) for edge in edges], shown), zero)
    return Chart("residual-histogram", drawing, f"Residuals, {split}: 90 % are between {low} and {high}.")


def _level(frame: Frame, value: float) -> Html:
    place = frame.down(value)
    return element("line", x1=frame.left, x2=frame.right, y1=place, y2=place, class_="even")


def _correlation(true: np.ndarray, predicted: np.ndarray) -> str:
    if len(true) < 2 or not true.std() or not predicted.std():
        return ""
    across, up = true - true.mean(), predicted - predicted.mean()
    spread = float(np.sqrt((across**2).sum())) * float(np.sqrt((up**2).sum()))
    return f"; correlation {number(float((across * up).sum()) / spread)}"
