"""Runs side by side as one page: no script, nothing that is loaded, light and dark. Every text of a run is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from mltrain.comparison.compared_run import ComparedRun
from mltrain.comparison.curves import COLOURS, Curve, curves_svg
from mltrain.comparison.side_by_side import SideBySide
from mltrain.comparison.text import config_cell, few, metric_cell, pair_cells, pair_sentences
from mltrain.errors import RunError
from mltrain.problems import printable
from mltrain.run.history import History

_MOST_CURVES = 12
# Okabe and Ito's colours, told apart by all kinds of colour vision; darkened where they would be faint on white.
_LIGHT = ("#0072b2", "#b35900", "#007a5a", "#a3447d", "#2a87b8", "#8a7600", "#555555", "#000000")
_DARK = ("#56b4e9", "#e69f00", "#2fc49a", "#e08fc0", "#9ad0f0", "#f0e442", "#aaaaaa", "#ffffff")
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "12 4", "4 4", "1 5", "14 3 3 3")

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --faint: #5b5b66; --line: #d7d7de; @light@ }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf1; --paper: #17171b; --faint: #a9a9b6; --line: #3a3a44; @dark@ }
}
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--faint); font-weight: 600; } p, li { max-width: 60rem; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 12px; } .grid { stroke: var(--line); }
polyline { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.rest polyline { stroke: var(--faint); stroke-width: 1; opacity: .5; } .key { width: 2rem; height: .6rem; }
@lines@
@media print { body { margin: 0; max-width: none; } .wide { overflow: visible; } }
"""


def comparison_page(found: SideBySide, above: str = "") -> str:
    """Return the page: which run is better, the metrics, what differs in the configs, and the curves.

    Args:
        found: the runs.
        above: markup of ours that comes first.
    """
    parts = [
        above,
        f"<h1>{len(found.runs)} runs</h1>",
        f"<p>Each is compared with run 1, {_safe(found.why_first)}, by {_safe(found.compared_by)} on the same rows: "
        "what it has more, with the 95 % interval of that.</p>",
        *(_list(pair_sentences(found)) if few(found) else ()),
        "<h2>Metrics</h2>",
        _metrics(found),
        "<h2>Configs</h2>",
        _configs(found),
        "<h2>Curves</h2>",
        *_curves(found.runs),
    ]
    if found.left_out:
        parts += ["<h2>Left out</h2>", *_list(each.reason for each in found.left_out)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>mltrain: {len(found.runs)} runs</title>\n<style>{_style()}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _style() -> str:
    lines = "\n".join(
        f".c{n} polyline, .c{n}.key line {{ stroke: var(--c{n}); stroke-dasharray: {_DASHES[n]}; }}"
        for n in range(COLOURS)
    )
    light, dark = (" ".join(f"--c{n}: {each};" for n, each in enumerate(colours)) for colours in (_LIGHT, _DARK))
    return _STYLE.replace("@light@", light).replace("@dark@", dark).replace("@lines@", lines)


def _metrics(found: SideBySide) -> str:
    cells = [[metric_cell(run, metric) for metric in found.metrics] for run in found.runs]
    against = pair_cells(found)
    rows = [[*_name(found, n), against[n], *each] for n, each in enumerate(cells)]
    return _table("Metrics", ["", "run", "against 1", *found.metrics], rows)


def _configs(found: SideBySide) -> str:
    if not found.config:
        return "<p>They do not differ.</p>"
    if few(found):
        rows = [["", path, *map(config_cell, values)] for path, values in found.config.items()]
        return _table("Configs", ["", "key", *(_name(found, n)[1] for n in range(len(found.runs)))], rows)
    rows = [
        [*_name(found, n), *(config_cell(values[n]) for values in found.config.values())]
        for n in range(len(found.runs))
    ]
    return _table("Configs", ["", "run", *found.config], rows)


def _name(found: SideBySide, position: int) -> tuple[str, str]:
    """Return the key of a run in the curves, and its number with its name."""
    return _key(position), f"{position + 1}  {found.runs[position].name}"


def _curves(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """Yield a figure for each quantity that a run measured after every epoch."""
    histories: list[History] = []
    for run in runs:
        try:
            histories.append(run.directory.history())
        except RunError as error:
            yield f"<p>{_safe(str(error))}</p>"
            histories.append(History((), ()))
    # Losses first, then what was measured on rows that were not trained on.
    names = {name for history in histories for name in history.columns if "." in name}
    ordered = sorted(names, key=lambda name: (not name.endswith(".loss"), name.startswith("train."), name))
    labels = [printable(f"{position}  {run.name}") for position, run in enumerate(runs, start=1)]
    yield '<div class="curves">'
    for name in ordered[:_MOST_CURVES]:
        values = [history.column(name) if name in history.columns else () for history in histories]
        curves = [Curve(label, each) for label, each in zip(labels, values, strict=True)]
        yield f"<section><h3>{_safe(name)}</h3>{curves_svg(printable(name), curves)}</section>"
    yield "</div>"
    if len(ordered) > _MOST_CURVES:
        yield f"<p>Not drawn: {_safe(', '.join(ordered[_MOST_CURVES:]))}.</p>"


def _key(position: int) -> str:
    """Return the stroke by which a run is known in the curves: markup of our own."""
    if position >= COLOURS:
        return ""
    stroke = '<line x1="0" x2="32" y1="5" y2="5" stroke-width="3"/>'
    return f'<svg class="key c{position}" viewBox="0 0 32 10" aria-hidden="true">{stroke}</svg>'


def _table(label: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first cell of a row is the key of the run, the second its name, which is its header."""
    top = "".join(f'<th scope="col">{_safe(cell)}</th>' for cell in head)
    body = ""
    for key, name, *cells in rows:
        values = "".join(f"<td>{_safe(cell)}</td>" for cell in cells)
        body += f'<tr><td>{key}</td><th scope="row">{_safe(name)}</th>{values}</tr>\n'
    # What is wider than the page is scrolled, by the keyboard too: therefore it takes the focus.
    region = f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0">'
    return f"{region}<table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table></div>"


def _list(lines: Iterable[str]) -> list[str]:
    return ["<ul>", *(f"<li>{_safe(line)}</li>" for line in lines), "</ul>"]


def _safe(text: str) -> str:
    return escape(printable(text))
