"""One run: how it stands, its curves, its results, and the way to its files. Comes again by itself while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from mltrain.board.document import document
from mltrain.board.folder import Address, written
from mltrain.board.overview import Overview
from mltrain.board.table_page import state_cell, time_text
from mltrain.report.page.charts.scale import drawable
from mltrain.report.page.html import Content, Html, element
from mltrain.report.page.parts import facts, figures, section, table
from mltrain.report.page.sections.results import metrics_table
from mltrain.report.page.sections.training import curves
from mltrain.report.text import number
from mltrain.run.history import History

# Seconds: slow enough to read, fast enough to watch.
_REFRESH = 3


def run_page(address: Address, run: Overview, moving: bool) -> bytes:
    """Return the page.

    Args:
        address: of the run.
        run: it.
        moving: whether the page comes again while the run trains; a reader may stop that.
    """
    running = run.state == "running"
    place = f"/run/{written(address)}"
    return document(
        f"{'/'.join(address)}: {run.state}",
        element(
            "header", element("h1", address[0]), element("p", "/".join(address), class_="place"), _report(address, run)
        ),
        _standing(run),
        _pause(place, moving) if running else None,
        [section("faults", "What is wrong", [element("p", each, class_="note") for each in run.faults])]
        if run.faults
        else None,
        section("curves", "Curves", _curves(run)),
        section("results", "Results", metrics_table(run.results)) if run.results else None,
        section("gates", "Gates", _gates(run)) if run.gates else None,
        section("files", "Files", element("ul", _files(address, run))),
        refresh=_REFRESH if running and moving else None,
    )


def _report(address: Address, run: Overview) -> Html | None:
    page = run.run.page.name
    return (
        element("p", element("a", "The report", href=_place(address, page))) if page in run.run.for_people() else None
    )


def _standing(run: Overview) -> Html:
    pairs: list[tuple[str, Content]] = [("Status", state_cell(run)), ("Started", f"{time_text(run.started)} UTC")]
    if run.status is not None:
        pairs += [("Last word", f"{time_text(run.status.updated)} UTC"), ("Steps", f"{run.status.step:,}")]
    pairs.append(("Epochs", f"{run.epochs:,}"))
    if run.record is not None and run.record.data is not None:
        pairs.append(("Data", f"{run.record.data.source}, {run.record.data.rows:,} rows"))
    if run.record is not None and run.record.device is not None:
        pairs.append(("Device", f"{run.record.device.value} ({run.record.device.reason})"))
    pairs.append(("Directory", element("code", str(run.run.path.absolute()))))
    if run.state in ("killed", "interrupted"):
        # It will be copied into a shell, and a directory may have any name.
        pairs.append(("To go on", element("code", f"mltrain resume {quote(str(run.run.path))}")))
    return facts(pairs)


def _pause(place: str, moving: bool) -> Html:
    if moving:
        link = element("a", "Stop that", href=f"{place}?still")
        return element("p", f"This page is loaded again every {_REFRESH} seconds while the run trains. ", link)
    return element("p", "This page stays as it is. ", element("a", "Follow the run again", href=place))


def _curves(run: Overview) -> Html:
    if not run.history.rows:
        return element("p", "No epoch was completed.")
    if not _has_epochs(run.history):
        return element("p", "history.csv does not number its epochs.")
    model = run.results.model if run.results else None
    return figures(curves(run.history, model.epoch if model and model.weights == "best" else None))


def _has_epochs(history: History) -> bool:
    return "epoch" in history.columns and all(map(drawable, history.column("epoch")))


def _gates(run: Overview) -> Html:
    rows = [[gate.gate, "passed" if gate.passed else "missed", gate.reason, number(gate.value)] for gate in run.gates]
    return table("What was asked of the run", ["gate", "verdict", "why", "value"], rows, texts=3)


def _files(address: Address, run: Overview) -> Iterator[Html]:
    for name in run.run.for_people():
        yield element("li", element("a", name, href=_place(address, name)))


def _place(address: Address, name: str) -> str:
    return f"/file/{written(address)}/{written(name.split('/'))}"
