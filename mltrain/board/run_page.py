"""One run: its verdict and numbers, its state, curves, results and files. It is loaded again while the run trains."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from mltrain.board.document import document
from mltrain.board.folder import Address, written
from mltrain.board.overview import Overview, without_advice
from mltrain.board.table_page import epochs_text, left_text, state_cell, time_text
from mltrain.report.page.charts.scale import drawable
from mltrain.report.page.html import Content, Html, element, prose
from mltrain.report.page.parts import facts, figures, interval, section, sentence, table
from mltrain.report.page.sections.results import metrics_table
from mltrain.report.page.sections.summary import badges, gate_outcome, tile, tiles_look, verdict
from mltrain.report.page.sections.training import curves
from mltrain.report.text import duration, number
from mltrain.run.history import History
from mltrain.wording import counted

# Seconds: slow enough to read, fast enough to watch.
_REFRESH = 3


def run_page(address: Address, run: Overview, moving: bool) -> bytes:
    """Return the page.

    Args:
        address: of the run.
        run: it.
        moving: whether the page is loaded again while the run trains; a reader may stop that.
    """
    running = run.state == "running"
    place = f"/run/{written(address)}"
    return document(
        f"{'/'.join(address)}: {run.state}",
        element(
            "header",
            element("h1", address[0]),
            element("p", "/".join(address), class_="place"),
            element("div", [tile(*each) for each in _tiles(run)], class_=tiles_look(run.results)),
            badges(run.results),
            element("div", map(sentence, _verdict(run)), class_="verdict"),
            _report(address, run),
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


def _tiles(run: Overview) -> Iterator[tuple[str, str, str]]:
    if run.metric is not None:
        name, value = run.metric
        yield name, number(value.value), interval(value)
    elif run.curve is not None and run.current is not None:
        yield run.curve, number(run.current), "now" if run.state == "running" else "last"
    yield "epochs", epochs_text(run), left_text(run)
    if run.seconds is not None:
        yield "duration", duration(run.seconds), "in epochs" if run.counts_epochs else ""
    if run.seed:
        yield "seed", run.seed, ""


def _verdict(run: Overview) -> Iterator[str]:
    if run.state == "killed":
        yield "The process of this run is gone. `mltrain resume` continues the run."
    elif run.status is not None and run.state != "running":
        status = run.status.model_copy(update={"reason": without_advice(run.status.reason)})
        yield from verdict(status, run.results, run.record)


def _standing(run: Overview) -> Html:
    pairs: list[tuple[str, Content]] = [("Status", state_cell(run)), ("Started", f"{time_text(run.started)} UTC")]
    if run.status is not None and run.state != "running":
        pairs.append(("Last update", f"{time_text(run.status.updated)} UTC"))
        # The status of a run that was killed may be older than its last epochs.
        pairs += [("Steps", f"{run.status.step:,}")] if run.status.epoch >= run.epochs else []
    pairs.append(("Epochs", epochs_text(run)))
    if run.record is not None and run.record.data is not None:
        pairs.append(("Data", f"{run.record.data.source}, {counted(run.record.data.rows, 'row')}"))
    if run.record is not None and run.record.device is not None:
        pairs.append(("Device", f"{run.record.device.value} ({run.record.device.reason})"))
    pairs.append(("Directory", element("code", str(run.run.path.absolute()))))
    if run.state in ("killed", "interrupted"):
        # The command is copied into a shell, and a directory may have any name.
        pairs.append(("To continue", element("code", f"mltrain resume {quote(str(run.run.path))}")))
    return facts(pairs)


def _pause(place: str, moving: bool) -> Html:
    if moving:
        link = element("a", "Pause", href=f"{place}?still")
        return element("p", f"Reloads every {_REFRESH} s while the run trains. ", link)
    return element("p", "Reloading is paused. ", element("a", "Continue", href=place))


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
    rows = [
        [element("code", gate.gate), gate_outcome(gate.passed), prose(gate.reason), number(gate.value)]
        for gate in run.gates
    ]
    return table("Gates of the run", ["gate", "outcome", "reason", "found"], rows, texts=3)


def _files(address: Address, run: Overview) -> Iterator[Html]:
    for name in run.run.for_people():
        yield element("li", element("a", name, href=_place(address, name)))


def _place(address: Address, name: str) -> str:
    return f"/file/{written(address)}/{written(name.split('/'))}"
