"""The baselines: one table of what each reaches on the same rows, and why one is absent."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import interval, sentence, table, value_cell
from mltrain.report.text import number
from mltrain.run.results import Results
from mltrain.run.split_result import Baseline, MetricValue, SplitResult

_WORDS = {
    "majority": "always predicting the most common class",
    "mean": "always predicting the mean",
    "logistic": "logistic regression",
    "ridge": "ridge regression",
    "poisson": "Poisson regression",
    "boosting": "gradient boosting",
    "naive": "the last value",
    "seasonal_naive": "the value one season before",
}
# More columns are not beside each other on a screen of 1200 pixels; the metrics are then the columns.
_MOST_COLUMNS = 6
_OUTCOMES = {"better": "✓ better", "worse": "✗ worse", "equal": "= equal", "unclear": "≈ not clear"}


def baseline_words(name: str, baseline: Baseline | None = None) -> str:
    """Return a baseline in words: `logistic regression`."""
    return (baseline.verdict.words if baseline is not None else "") or _WORDS.get(name, name)


def baselines_part(results: Results, judged: SplitResult, split: str) -> Iterator[Html]:
    """Yield the table of the baselines, and a sentence for each that is absent or was fitted on a part of the rows."""
    each = judged.baselines
    names = [name for name in judged.metrics if any(name in one.metrics for one in each.values())]
    if names:
        header: list[Content] = ["metric", "model"]
        for name, one in each.items():
            header += [baseline_words(name, one), f"model − {baseline_words(name, one)}"]
        lines = [header, *_rows(judged, names)]
        if len(header) > max(len(lines), _MOST_COLUMNS):
            lines = [list(line) for line in zip(*lines, strict=True)]
            lines[0][0] = ""
        yield table(f"The model and its baselines on the same {split} rows", lines[0], lines[1:])
    yield from map(sentence, absent_sentences(results))
    if not each and not results.baselines:
        yield sentence("No baseline was measured. `evaluation.baselines: true` measures them.")


def absent_sentences(results: Results) -> Iterator[str]:
    """Yield why a baseline was not measured, or how its fit was limited."""
    for name, fit in results.baselines.items():
        words = baseline_words(name)
        if fit.left_out is not None:
            yield f"There is no comparison with {words}: {fit.left_out}."
            continue
        if fit.rows and fit.of and fit.rows < fit.of:
            yield f"To save time, {words} was fitted on {fit.rows:,} of the {fit.of:,} training rows."
        if not fit.converged:
            yield f"The fit of {words} stopped before it converged, so a better fit may exist."


def _rows(judged: SplitResult, names: list[str]) -> Iterator[list[Content]]:
    verdicts = [one.verdict for one in judged.baselines.values()]
    for name in names:
        row: list[Content] = [name, value_cell(judged.metrics[name])]
        for one, verdict in zip(judged.baselines.values(), verdicts, strict=True):
            outcome = verdict.outcome if verdict.metric == name else ""
            row += [value_cell(one.metrics.get(name)), _difference(one.difference.get(name), outcome)]
        yield row


def _difference(value: MetricValue | None, outcome: str) -> Content:
    if value is None or value.value is None:
        return ""
    return joined(
        f"{'+' if value.value > 0 else ''}{number(value.value)}",
        element("span", interval(value), class_="range"),
        element("span", _OUTCOMES[outcome], class_=f"outcome {outcome}") if outcome in _OUTCOMES else None,
    )
