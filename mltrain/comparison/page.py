"""Runs side by side as a page, of the same parts as the report of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mltrain.comparison.compared_run import ComparedRun
from mltrain.comparison.curves import Curve, curves_chart, look_of
from mltrain.comparison.side_by_side import SideBySide
from mltrain.comparison.text import config_cell, few, metric_cell, pair_cells, pair_sentences, scope_of_intervals
from mltrain.errors import RunError
from mltrain.report.page.charts.frame import line
from mltrain.report.page.html import Html, element, joined, prose
from mltrain.report.page.parts import figure, section, table
from mltrain.report.page.self_contained import self_contained
from mltrain.report.text import as_sentence
from mltrain.run.history import History

_MOST_CURVES = 12


def comparison_page(found: SideBySide) -> bytes:
    """Return the comparison as one file."""
    return self_contained(title(found), element("main", comparison(found)))


def title(found: SideBySide) -> str:
    """Return the title of the page."""
    return f"mltrain: {len(found.runs)} runs"


def comparison(found: SideBySide) -> Html:
    """Return which run is better, the metrics, the differences of the configs, and the curves."""
    explained = (
        f"Each run is compared with run 1, {found.why_first}, by {found.compared_by} on the same rows. "
        "A difference is the value of the run minus the value of run 1, with its 95 % interval."
    )
    explained = " ".join([explained, *map(as_sentence, scope_of_intervals(found))])
    verdict = _list(pair_sentences(found)) if few(found) else None
    left_out = _list(each.reason for each in found.left_out) if found.left_out else None
    return joined(
        element(
            "header", element("h1", f"{len(found.runs)} runs"), element("p", prose(explained), class_="place"), verdict
        ),
        section("metrics", "Metrics", _metrics(found)),
        section("configs", "Configs", _configs(found)),
        section("curves", "Curves", *_curves(found.runs)),
        section("left-out", "Left out", left_out) if left_out else None,
    )


def _metrics(found: SideBySide) -> Html:
    caption, against = "Metrics of each run, with their 95 % intervals", pair_cells(found)
    names = _names(found)
    if few(found):
        by_metric = [[metric, *(metric_cell(run, metric) for run in found.runs)] for metric in found.metrics]
        return table(
            caption, ["metric", *names], [["compared with 1", *against], *by_metric], texts=1 + len(names), stacked=True
        )
    by_run = [
        [name, sentence, *(metric_cell(run, metric) for metric in found.metrics)]
        for name, sentence, run in zip(names, against, found.runs, strict=True)
    ]
    return table(caption, ["run", "compared with 1", *found.metrics], by_run, texts=2, stacked=True)


def _configs(found: SideBySide) -> Html:
    if not found.config:
        return element("p", "The configs do not differ.")
    caption, names = "Differences", _names(found)
    if few(found):
        by_key = [[path, *map(config_cell, values)] for path, values in found.config.items()]
        return table(caption, ["key", *names], by_key, texts=1 + len(names), stacked=True)
    by_run = [
        [name, *(config_cell(values[position]) for values in found.config.values())]
        for position, name in enumerate(names)
    ]
    return table(caption, ["run", *found.config], by_run, texts=1 + len(found.config), stacked=True)


def _names(found: SideBySide) -> list[Html]:
    return [_name(run, position) for position, run in enumerate(found.runs)]


def _name(run: ComparedRun, position: int) -> Html:
    """Return the number of a run with its name, behind the stroke by which it is known in the curves."""
    stroke = element(
        "svg",
        line(0, 5, 32, 5, f"line {look_of(position)}"),
        viewBox="0 0 32 10",
        class_="chart swatch",
        aria_hidden="true",
    )
    return joined(stroke, f"{position + 1}  {run.name}")


@dataclass(frozen=True)
class _Trained:
    """What was measured after every epoch of a run, or of one of several seeds, and how it is called in a chart."""

    name: str
    position: int
    history: History


def _curves(runs: Sequence[ComparedRun]) -> Iterator[Html]:
    """Yield a figure for each quantity that a run measured after every epoch."""
    trained: list[_Trained] = []
    for position, run in enumerate(runs):
        for name, each in {f"seed {seed}": each for seed, each in run.seeds.items()}.items() or [("", run)]:
            history = History((), ())
            try:
                history = each.directory.history()
            except RunError as error:
                yield element("p", str(error))
            trained.append(_Trained(f"{position + 1}  {run.name} {name}".rstrip(), position, history))
    # Losses first, then what was measured on rows that were not trained on.
    names = {name for each in trained for name in each.history.columns if "." in name}
    ordered = sorted(names, key=lambda name: (not name.endswith(".loss"), name.startswith("train."), name))
    yield element("div", [_figure(name, trained) for name in ordered[:_MOST_CURVES]], class_="figures")
    if len(ordered) > _MOST_CURVES:
        yield element("p", f"Without a chart: {', '.join(ordered[_MOST_CURVES:])}.")


def _figure(name: str, trained: Sequence[_Trained]) -> Html:
    curves = [
        Curve(each.name, each.history.column(name) if name in each.history.columns else (), each.position)
        for each in trained
    ]
    chart = curves_chart(name, curves)
    return figure(chart) if chart else element("p", f"{name} has no value in any epoch.")


def _list(lines: Iterable[str]) -> Html:
    return element("ul", [element("li", each) for each in lines])
