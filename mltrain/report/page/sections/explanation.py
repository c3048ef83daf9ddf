"""What the predictions depend on: the importance of the columns."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.report.explanation import importance_sentences
from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.charts.ranges import Range, ranges
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import figure, section, sentence, table, value_cell
from mltrain.report.text import as_sentence, number
from mltrain.run.explanation import ColumnImportance, Explanation, Importances
from mltrain.run.split_result import MetricValue

# More bars are a page of their own.
_MOST_BARS, _MOST_ROWS = 30, 100
_CAUTION = (
    "Columns with the same information can replace each other, so each may look unimportant. The model may depend "
    "on other columns than the target does."
)


def shown_explanation(facts: Facts) -> Explanation | None:
    """Return what the run has, if it is of the model that the page shows."""
    found, results = facts.explanation, facts.results
    return found if found is not None and results is not None and found.is_of(results.model) else None


def outdated_sentence(facts: Facts) -> str | None:
    """Return a sentence if the explanation is of another model than the page shows."""
    found = facts.explanation
    if found is None or facts.results is None or shown_explanation(facts) is not None:
        return None
    return f"explanation.json explains the model of epoch {found.epoch}, not this one. Run `mltrain explain` again."


def importance_chart(facts: Facts) -> Chart | None:
    """Return the importance of the most important columns; None where it was not measured."""
    found = shown_explanation(facts)
    if found is None or found.importance is None or not found.importance.columns:
        return None
    importance = found.importance
    bars = [
        Range(each.column, each.value, _end(each.low, each.value), _end(each.high, each.value), each.told)
        for each in importance.columns[:_MOST_BARS]
        if each.value is not None
    ]
    most = ", ".join(f"{bar.name} {number(bar.value)}" for bar in bars[:10])
    more = (
        f", the first {len(bars)} of {len(importance.columns)} columns" if len(importance.columns) > len(bars) else ""
    )
    said = f"Importance of the columns by {importance.metric}, the most important first: {most}"
    without = f"By how much {importance.metric} becomes worse without a column, with 95 % intervals{more}"
    drawing = ranges(said, bars, f"how much worse {importance.metric} becomes")
    return Chart("importance", drawing, f"{without}. Pale: no significant difference from zero.")


def explanation_section(facts: Facts, charts: Sequence[Chart]) -> Html | None:
    """Return the section; None if no importance was measured. The saliency of images is shown with the images."""
    outdated = outdated_sentence(facts)
    if outdated is not None:
        return section("explanation", "Importance", sentence(outdated, class_="note"))
    found = shown_explanation(facts)
    if found is None or found.importance is None:
        return None
    sentences = [sentence(as_sentence(each)) for each in importance_sentences(found.importance, found.split)]
    beside = element("div", map(figure, charts), _table(found.importance), class_="beside")
    return section("explanation", "Importance", sentences, beside, sentence(_CAUTION))


def _table(importance: Importances) -> Html:
    rows = [(_name(each), value_cell(_recorded(each))) for each in importance.columns[:_MOST_ROWS]]
    more = f", the first {_MOST_ROWS} of {len(importance.columns)}" if len(importance.columns) > _MOST_ROWS else ""
    return table(f"Importance by {importance.metric}{more}", ("column", "importance"), rows)


def _name(each: ColumnImportance) -> Content:
    return each.column if each.told else joined(each.column, element("span", "not significant", class_="range"))


def _recorded(each: ColumnImportance) -> MetricValue:
    return MetricValue(value=each.value, low=each.low, high=each.high, undefined="its predictions are NaN or infinite")


def _end(end: float | None, value: float) -> float:
    return value if end is None else end
