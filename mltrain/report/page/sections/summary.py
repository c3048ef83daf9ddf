"""The summary at the top: the most important numbers, and in words what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mltrain.report.page.facts import Facts, headline, judged_split
from mltrain.report.page.html import Content, Html, element, joined, prose
from mltrain.report.page.parts import interval, sentence, table
from mltrain.report.page.sections.baselines import baseline_words
from mltrain.report.text import as_sentence, duration, number
from mltrain.run.record import Record, changes_sentence
from mltrain.run.results import Results
from mltrain.run.status import Status
from mltrain.wording import counted

_STATES = {
    "finished": "finished",
    "running": "is still running",
    "interrupted": "was interrupted",
    "failed": "failed",
}


def summary_section(facts: Facts) -> Html:
    """Return the title, the most important numbers, and the verdict in sentences."""
    results = facts.results
    parts: list[Content] = [
        element("h1", facts.name),
        element("p", element("code", facts.place), class_="place"),
        element("div", [tile(*each) for each in _tiles(facts)], class_=tiles_look(results)),
        badges(results),
        element("div", map(sentence, verdict(facts.status, results, facts.record)), class_="verdict"),
    ]
    if results is not None and results.diagnosis:
        found = [
            element("li", prose(one.sentence), joined(" (", element("code", one.key), ")") if one.key else None)
            for one in results.diagnosis
        ]
        parts.append(element("div", element("h2", "Diagnosis", id="diagnosis"), element("ul", found), class_="part"))
    if results is not None and results.gates:
        rows = [
            (gate_outcome(gate.passed), element("code", gate.gate), number(gate.value), prose(gate.reason))
            for gate in results.gates
        ]
        gates = table("Gates", ("outcome", "gate", "found", "reason"), rows, texts=4)
        parts.append(element("div", element("h2", "Gates", id="gates"), gates, class_="part"))
    return element("header", *parts)


def gate_outcome(passed: bool) -> Html:
    """Return whether a gate was passed, in a word and a colour."""
    return element("span", "✓ passed" if passed else "✗ missed", class_=f"outcome {'better' if passed else 'worse'}")


def standings(results: Results | None) -> Iterator[tuple[str, str]]:
    """Yield whether the model is better than each thing that it was compared with: an outcome and a few words."""
    split = judged_split(results) if results is not None else None
    if results is None or split is None:
        return
    for name, baseline in results.splits[split].baselines.items():
        words = baseline_words(name, baseline)
        match baseline.verdict.outcome:
            case "better":
                yield "better", f"✓ Better than {words}"
            case "worse":
                yield "worse", f"✗ Worse than {words}"
            case "equal":
                yield "unclear", f"= Equal to {words}"
            case "unclear":
                yield "unclear", f"≈ Not clearly different from {words}"
    if results.chance is not None and results.chance.better is False:
        yield "worse", "✗ Not better than chance"
    if results.gates:
        passed = all(gate.passed for gate in results.gates)
        yield ("better", f"✓ {gates_sentence(results)}") if passed else ("worse", f"✗ {gates_sentence(results)}")


def gates_sentence(results: Results) -> str:
    """Return what became of the gates: `1 of 3 gates missed`."""
    missed, n = sum(not gate.passed for gate in results.gates), len(results.gates)
    if missed:
        return f"{missed} of {n} gates missed"
    return f"All {n} gates passed" if n > 1 else "The gate is passed"


def tiles_look(results: Results | None) -> str:
    """Return the class of the tiles: the first number has the colour of the worst outcome."""
    found = {outcome for outcome, _ in standings(results)}
    worst = next((outcome for outcome in ("worse", "unclear", "better") if outcome in found), "")
    return f"tiles {worst}".rstrip()


def badges(results: Results | None) -> Html | None:
    """Return the outcomes, each in a colour and with a sign."""
    found = [element("li", words, class_=f"outcome {outcome}") for outcome, words in standings(results)]
    return element("ul", found, class_="badges") if found else None


def verdict(status: Status, results: Results | None, record: Record | None) -> Iterator[str]:
    """Yield how the run ended and what the results mean, one sentence each."""
    if status.state != "finished":
        yield f"The run {_STATES[status.state]}: {status.reason}."
    changes = changes_sentence(record.resumed) if record is not None else None
    if changes is not None:
        yield as_sentence(changes)
    split = judged_split(results) if results is not None else None
    first = headline(results) if results is not None else None
    if results is None or split is None or first is None:
        return
    name, value = first
    count = results.splits[split].rows_of(name)
    rows = f"{count:,} {split} {'row' if count == 1 else 'rows'}"
    if value.value is None:
        yield f"On {rows} the {name} has no value: {value.undefined or 'it is NaN or infinite'}."
    else:
        shown = interval(value)
        yield f"On {rows} the {name} is {number(value.value)}{f' (95 % interval {shown})' if shown else ''}."
    yield from (as_sentence(text) for text in results.baseline_sentences)
    if results.chance is not None:
        yield as_sentence(results.chance.sentence)
    if split == "train":
        yield "No rows were held out. These numbers are for training rows; expect worse ones for new rows."


def _tiles(facts: Facts) -> Iterator[tuple[str, str, str]]:
    if facts.headline is not None:
        name, value = facts.headline
        yield f"{facts.split} {name}", number(value.value), interval(value)
    if facts.judged is not None:
        rows = facts.judged.n if facts.headline is None else facts.judged.rows_of(facts.headline[0])
        yield f"{facts.split} rows", f"{rows:,}", _of_rows(facts)
    if facts.architecture is not None:
        yield "parameters", f"{facts.architecture.parameters:,}", counted(len(facts.architecture.layers), "layer")
    if facts.history.rows:
        best = facts.best_epoch
        yield "epochs", f"{len(facts.history.rows):,}", f"best: {best}" if best is not None else ""
    seconds = _seconds(facts)
    if seconds is not None:
        yield "time", duration(seconds), facts.record.device.value.partition(" ")[0] if facts.record.device else ""


def _of_rows(facts: Facts) -> str:
    return f"of {facts.record.data.rows:,}" if facts.record.data else ""


def tile(name: str, value: str, note: str) -> Html:
    """Return a number with its name above and a note below."""
    return element(
        "div",
        element("span", name, class_="tile-name"),
        element("strong", value),
        element("span", note, class_="range"),
    )


def _seconds(facts: Facts) -> float | None:
    if facts.profile is not None:
        return facts.profile.seconds
    return seconds_between(facts.record.started, facts.record.finished)


def seconds_between(started: str, finished: str | None) -> float | None:
    """Return how long something took: to the second, as its times are written; None where that is not known."""
    if finished is None:
        return None
    try:
        return max((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds(), 0.0)
    except (ValueError, TypeError):  # a text that is not a time, or one without its zone
        return None
