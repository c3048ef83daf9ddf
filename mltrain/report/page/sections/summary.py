"""The summary at the top: what came out in a number, and in words what to think of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import interval, table
from mltrain.report.text import as_sentence, duration, number

_STATES = {
    "finished": "finished",
    "running": "still running",
    "interrupted": "was interrupted",
    "failed": "failed",
}


def summary_section(facts: Facts) -> Html:
    """Return the title, the numbers that say most, and the verdict in sentences."""
    sentences = [element("p", sentence) for sentence in verdict(facts)]
    parts: list[Content] = [
        element("h1", facts.name),
        element("p", element("code", facts.place), class_="place"),
        element("div", [_tile(*tile) for tile in _tiles(facts)], class_="tiles"),
        element("div", *sentences, class_="verdict"),
    ]
    results = facts.results
    if results is not None and results.diagnosis:
        found = [
            element("li", one.sentence, joined(" (", element("code", one.key), ")") if one.key else None)
            for one in results.diagnosis
        ]
        parts.append(element("div", element("h2", "Diagnosis", id="diagnosis"), element("ul", found), class_="part"))
    if results is not None and results.gates:
        rows = [
            ("✓ passed" if gate.passed else "✗ missed", element("code", gate.gate), number(gate.value), gate.reason)
            for gate in results.gates
        ]
        gates = table("Gates", ("outcome", "gate", "found", "reason"), rows, texts=4)
        parts.append(element("div", element("h2", "Gates", id="gates"), gates, class_="part"))
    return element("header", *parts)


def verdict(facts: Facts) -> Iterator[str]:
    """Yield what to think of the run, a sentence each."""
    results, headline = facts.results, facts.headline
    if facts.status.state != "finished":
        yield f"The run {_STATES[facts.status.state]}: {facts.status.reason}."
    if results is None or headline is None or facts.judged is None:
        return
    name, value = headline
    rows = f"{facts.judged.n:,} {facts.split} rows"
    if value.value is None:
        yield f"On {rows} the {name} has no value: {value.undefined or 'it was not finite'}."
    else:
        shown = interval(value)
        yield f"On {rows} the {name} is {number(value.value)}{f' (95 % interval {shown})' if shown else ''}."
    yield from (as_sentence(text) for text in results.baseline_sentences)
    if results.chance is not None:
        yield as_sentence(results.chance.sentence)
    missed = sum(not gate.passed for gate in results.gates)
    if results.gates:
        yield f"{missed} of {len(results.gates)} gates missed." if missed else f"All {len(results.gates)} gates passed."
    if facts.split == "train":
        yield "There are no held-out rows: these numbers are of rows that were learned, and say little of new ones."


def _tiles(facts: Facts) -> Iterator[tuple[str, str, str]]:
    if facts.headline is not None:
        name, value = facts.headline
        yield f"{facts.split} {name}", number(value.value), interval(value)
    if facts.judged is not None:
        yield f"{facts.split} rows", f"{facts.judged.n:,}", _of_rows(facts)
    if facts.architecture is not None:
        yield "parameters", f"{facts.architecture.parameters:,}", f"{len(facts.architecture.layers)} layers"
    if facts.history.rows:
        best = facts.best_epoch
        yield "epochs", f"{len(facts.history.rows):,}", f"best: {best}" if best is not None else ""
    seconds = _seconds(facts)
    if seconds is not None:
        yield "time", duration(seconds), facts.record.device.value.partition(" ")[0] if facts.record.device else ""


def _of_rows(facts: Facts) -> str:
    return f"of {facts.record.data.rows:,}" if facts.record.data else ""


def _tile(name: str, value: str, note: str) -> Html:
    return element(
        "div",
        element("span", name, class_="tile-name"),
        element("strong", value),
        element("span", note, class_="range"),
    )


def _seconds(facts: Facts) -> float | None:
    """Return how long the run took: to the second, as its times are written."""
    if facts.profile is not None:
        return facts.profile.seconds
    if facts.record.finished is None:
        return None
    try:
        started, finished = (datetime.fromisoformat(each) for each in (facts.record.started, facts.record.finished))
        return max((finished - started).total_seconds(), 0.0)
    except (ValueError, TypeError):  # a text that is no time, or one without its zone
        return None
