"""All runs as a table: filtered and sorted by a form, and ticked to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from mltrain.board.changes import changes
from mltrain.board.document import document
from mltrain.board.folder import Address, written
from mltrain.board.overview import STATES, Overview
from mltrain.problems import shortened
from mltrain.report.page.charts.lines import thinned
from mltrain.report.page.charts.scale import around, drawable
from mltrain.report.page.html import Content, Html, breakable, element, joined, prose, short
from mltrain.report.page.parts import table, value_cell
from mltrain.report.text import duration, number

_ORDERS = {
    "newest": "newest first",
    "oldest": "oldest first",
    "name": "name",
    "status": "status",
    "epochs": "most epochs",
    "largest": "largest metric",
    "smallest": "smallest metric",
}
_CAPTION = "Tick two or more runs to compare them. “changed” compares a run with the run of that name before it."
# A cell has room for this many changes of a run, and for this many characters of each.
_CHANGES, _CHANGE_WIDTH = 2, 60
# Seconds: slow enough to read, fast enough to watch.
_REFRESH = 5
# Of a curve in a row of the table, in pixels.
_WIDTH, _HEIGHT, _EDGE = 120, 28, 3


@dataclass(frozen=True)
class Choice:
    """Which runs are shown, and in which order.

    Attributes:
        name: a part of their names, in letters of any size.
        status: their state; "" is any.
        sort: one of the orders; anything else is the newest first.
        moving: whether the page is loaded again while a run trains; a reader may stop that.
    """

    name: str = ""
    status: str = ""
    sort: str = ""
    moving: bool = True

    def of(self, found: Mapping[Address, Overview]) -> list[tuple[Address, Overview]]:
        """Return the runs that are shown. Of runs that are equal in the sorted quantity, the newest is first."""
        wanted = self.name.casefold()
        chosen = [
            (address, run)
            for address, run in reversed(list(found.items()))
            if wanted in "/".join(address).casefold() and self.status in ("", run.state)
        ]
        match self.sort:
            case "oldest":
                chosen.reverse()
            case "name":
                chosen.sort(key=lambda each: each[0][0])
            case "status":
                chosen.sort(key=lambda each: STATES.index(each[1].state))
            case "epochs":
                chosen.sort(key=lambda each: -each[1].epochs)
            case "largest" | "smallest":
                sign = -1.0 if self.sort == "largest" else 1.0
                chosen.sort(key=lambda each: _metric_place(each[1], sign))
        return chosen


def table_page(folder: Path, found: Mapping[Address, Overview], choice: Choice) -> bytes:
    """Return the page."""
    chosen = choice.of(found)
    shown = f"{len(chosen)} of {len(found)} runs" if len(chosen) != len(found) else _count(len(found), "run")
    header = element(
        "header", element("h1", "Runs"), element("p", f"{shown} in ", element("code", str(folder)), class_="place")
    )
    if not found:
        text = "There is no run yet: `mltrain train CONFIG` makes one. Then load this page again."
        return document("mltrain: runs", header, element("p", prose(text)))
    running = any(run.state == "running" for run in found.values())
    return document(
        "mltrain: runs",
        header,
        _filter(choice),
        _pause(choice) if running else None,
        _table(chosen, changes(found)) if chosen else _nothing(),
        refresh=_REFRESH if running and choice.moving else None,
    )


def _pause(choice: Choice) -> Html:
    asked = {"name": choice.name, "status": choice.status, "sort": choice.sort}
    query = urlencode({name: value for name, value in asked.items() if value})
    if choice.moving:
        still = element("a", "Pause", href=f"/?{query}{'&' if query else ''}still")
        return element("p", f"Reloads every {_REFRESH} s while a run trains; this clears the ticks. ", still)
    return element("p", "Reloading is paused. ", element("a", "Continue", href=f"/?{query}"))


def _filter(choice: Choice) -> Html:
    states = {"": "any", **{state: state for state in STATES}}
    return element(
        "form",
        element("label", "Name ", element("input", type="search", name="name", value=choice.name)),
        element("label", "Status ", _select("status", states, choice.status)),
        element("label", "Order ", _select("sort", _ORDERS, choice.sort)),
        element("button", "Show", type="submit"),
        action="/",
        method="get",
        role="search",
        class_="filter",
    )


def _select(name: str, options: Mapping[str, str], chosen: str) -> Html:
    inside = [element("option", shown, value=value, selected=value == chosen) for value, shown in options.items()]
    return element("select", inside, name=name)


def _nothing() -> Html:
    return element("p", "No run matches. ", element("a", "Show all", href="/"))


def _table(chosen: Sequence[tuple[Address, Overview]], changed: Mapping[Address, Sequence[str]]) -> Html:
    header = ["run", "status", "started (UTC)", "changed", "curve", "gates", "seed", "duration", "epochs", "metric"]
    rows = [list(_row(address, run, changed[address])) for address, run in chosen]
    return element(
        "form",
        table(
            _CAPTION,
            header,
            rows,
            texts=6,
        ),
        element("p", element("button", "Compare ticked runs", type="submit"), class_="below"),
        action="/compare",
        method="get",
        class_="runs",
    )


def _row(address: Address, run: Overview, changed: Sequence[str]) -> Iterator[Content]:
    name = "/".join(address)
    tick = element("input", type="checkbox", name="run", value=written(address), aria_label=f"compare {name}")
    link = element("a", address[0], href=f"/run/{written(address)}")
    identifier = element("span", "/".join(address[1:]), class_="range") if address[1:] else None
    yield element("div", tick, element("div", link, identifier), class_="named")
    yield state_cell(run)
    yield time_text(run.started)
    yield _changed(changed)
    yield _curve(run)
    yield gates_text(run)
    yield run.seed or "–"
    yield duration(run.seconds) if run.seconds is not None else "–"
    left = left_text(run)
    yield joined(epochs_text(run), element("span", left, class_="range") if left else None)
    yield _metric(run)


def _changed(changed: Sequence[str]) -> Content:
    """Return the first changes; all of them are the title, which a browser shows on hover."""
    if not changed:
        return "–"
    words = [breakable(shortened(each, _CHANGE_WIDTH)) for each in changed[:_CHANGES]]
    if len(changed) > _CHANGES:
        words[-1] = joined(words[-1], " …")
    return element("div", [element("span", each, class_="change") for each in words], title="\n".join(changed))


def _metric(run: Overview) -> Content:
    if run.metric is not None:
        return joined(value_cell(run.metric[1]), element("span", breakable(run.metric[0]), class_="range"))
    if run.current is None or run.curve is None:
        return "–"
    now = "now" if run.state == "running" else "last"
    return joined(number(run.current), element("span", f"{now}: ", breakable(shortened(run.curve, 40)), class_="range"))


def epochs_text(run: Overview) -> str:
    """Return the completed epochs: `3 of 15`; of a finished run their number."""
    if run.planned is None or run.state == "finished":
        return f"{run.epochs:,}"
    return f"{run.epochs:,} of {run.planned:,}"


def left_text(run: Overview) -> str:
    """Return how long a running training takes at most: `4 min 10 s left`; "" where that is not known."""
    return f"{duration(run.seconds_left)} left" if run.seconds_left is not None else ""


def state_cell(run: Overview) -> Html:
    """Return the state in a word, and below it the reason, unless that is clear."""
    shown = run.state not in ("finished", "begun") and run.reason
    why = (
        element("span", prose(shortened(run.reason.partition("\n")[0], 160), breaks=True), class_="range")
        if shown
        else None
    )
    return joined(element("span", run.state, class_=f"state {run.state}"), why)


def gates_text(run: Overview) -> str:
    """Return the outcome of the gates: `all 3 passed`."""
    missed = sum(not gate.passed for gate in run.gates)
    if not run.gates:
        return "–"
    return f"{missed} of {len(run.gates)} missed" if missed else f"all {len(run.gates)} passed"


def time_text(time: str) -> str:
    """Return `2026-11-20T20:15:00Z` as `2026-11-20 20:15:00`."""
    return shortened(time.replace("T", " ").removesuffix("Z"), 30) or "–"


def _curve(run: Overview) -> Content:
    if run.curve is None:
        return "–"
    return joined(
        sparkline(run.curve, run.history.column(run.curve)), element("span", shortened(run.curve, 40), class_="range")
    )


def _metric_place(run: Overview, sign: float) -> tuple[bool, float]:
    value = run.metric[1].value if run.metric else None
    return (True, 0.0) if value is None else (False, sign * value)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def sparkline(name: str, values: Sequence[float]) -> Html:
    """Return the values of `name`, one per epoch, as a line that ends in a dot. NaN and infinity leave a gap."""
    shown = f"{name} over {len(values)} epochs, from {number(values[0])} to {number(values[-1])}" if values else name
    scale = around(values)
    points = [
        (_EDGE + epoch / max(1, len(values) - 1) * (_WIDTH - 2 * _EDGE), value) for epoch, value in enumerate(values)
    ]
    path, dot, begins = "", None, True
    for x, value in thinned(points, _WIDTH // 2):
        if drawable(value):
            y = _HEIGHT - _EDGE - scale.share(value) * (_HEIGHT - 2 * _EDGE)
            path += f"{'M' if begins else 'L'}{short(x)} {short(y)}"
            dot = element("circle", cx=x, cy=y, r=2.5, class_="dot one")
        begins = not drawable(value)
    return element(
        "svg",
        element("title", shown),
        element("path", d=path, class_="line one") if path else None,
        dot,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=shown,
        class_="chart spark",
    )
