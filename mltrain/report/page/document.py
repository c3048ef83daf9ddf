"""The whole page: one file that needs no other file, no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mltrain import __version__
from mltrain.outputs import KINDS
from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Html, element
from mltrain.report.page.sections.background import background_section, config_section
from mltrain.report.page.sections.data import audit_section, data_section
from mltrain.report.page.sections.examples import examples_section, has_examples, training_images
from mltrain.report.page.sections.explanation import explanation_section, importance_chart, outdated_sentence
from mltrain.report.page.sections.model import model_section
from mltrain.report.page.sections.probabilities import classification_charts, threshold_chart
from mltrain.report.page.sections.quantities import learned_chart, regression_charts
from mltrain.report.page.sections.results import results_section
from mltrain.report.page.sections.summary import summary_section
from mltrain.report.page.sections.targets import label_charts, number_charts
from mltrain.report.page.sections.training import curves, rate_chart, training_section
from mltrain.report.page.self_contained import self_contained
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results import Results


@dataclass(frozen=True)
class Charts:
    """The charts of a run.

    Attributes:
        curves: over the epochs.
        results: of the results.
        explanation: what the predictions depend on.
    """

    curves: tuple[Chart, ...]
    results: tuple[Chart, ...]
    explanation: tuple[Chart, ...]


def charts_of(facts: Facts) -> Charts:
    """Return all charts that this run has."""
    importance = importance_chart(facts)
    return Charts(
        tuple(_of_training(facts)),
        tuple(_of_results(facts)),
        (importance,) if importance is not None else (),
    )


def _of_training(facts: Facts) -> Iterator[Chart]:
    if facts.history.rows:
        yield from curves(facts.history, facts.best_epoch)
        if facts.rate_test is not None:
            yield rate_chart(facts.rate_test)


def page(facts: Facts, charts: Charts) -> bytes:
    """Return `report.html`."""
    sections = [
        results_section(facts, charts.results),
        examples_section(facts),
        explanation_section(facts, charts.explanation),
        training_section(facts, charts.curves, training_images(facts)),
        data_section(facts),
        audit_section(facts),
        model_section(facts),
        background_section(facts),
        config_section(facts),
    ]
    return self_contained(
        f"{facts.name}: report of a run",
        element("a", "To the content", href="#content", class_="skip"),
        element("nav", element("ul", _links(facts, charts)), aria_label="Sections"),
        element("main", summary_section(facts), sections, id="content"),
        element(
            "footer",
            element("p", f"Made by mltrain {__version__} from the files of the run. This file needs no other file."),
        ),
    )


def _of_results(facts: Facts) -> Iterator[Chart]:
    results, split, predictions = facts.results, facts.split, facts.predictions
    if results is None or split is None:
        return
    kind = KINDS[results.task]
    if kind.mixed:
        yield from _of_targets(results, split, predictions)
    elif kind.of_numbers and kind.several:
        yield from number_charts(results.splits[split], split, predictions) if predictions is not None else ()
    elif not kind.of_numbers:
        yield from classification_charts(results, split, predictions)
        yield from label_charts(results.splits[split], split)
        if results.task == "binary" and facts.threshold_predictions is not None:
            chart = threshold_chart(results, facts.threshold_split, facts.threshold_predictions)
            if chart is not None:
                yield chart
    elif predictions is not None:
        yield from regression_charts(facts.target, split, predictions)
    if facts.learned is not None:
        yield learned_chart(facts.learned, results.task == "binary")


def _of_targets(results: Results, split: str, predictions: StoredPredictions | None) -> Iterator[Chart]:
    """Yield the charts of targets of different kinds, those of each target together."""
    output = results.splits[split].output
    for number, part in enumerate(output.parts):
        if not results.splits[split].outputs[part.name].n:
            continue
        own = None if predictions is None else predictions.of_output(output, number)
        charts: Iterable[Chart] = ()
        if KINDS[part.task].of_classes:
            charts = classification_charts(results.of_output(part.name), split, own)
        elif own is not None:
            charts = regression_charts(part.name, split, own)
        for chart in charts:
            yield replace(chart, name=f"{chart.name}-{number + 1}", caption=f"{part.name}: {chart.caption}")


def _links(facts: Facts, charts: Charts) -> Iterator[Html]:
    names = {
        "diagnosis": "Diagnosis",
        "gates": "Gates",
        "results": "Results",
        "examples": "Examples",
        "explanation": "Importance",
        "training": "Training",
        "data": "Data",
        "audit": "Data audit",
        "model": "Model",
    }
    names |= {"background": "Background", "config": "Config"}
    absent = {
        "diagnosis": facts.results is None or not facts.results.diagnosis,
        "gates": facts.results is None or not facts.results.gates,
        "explanation": not charts.explanation and outdated_sentence(facts) is None,
    }
    absent |= {"examples": not has_examples(facts), "model": facts.architecture is None, "audit": facts.audit is None}
    for identifier, name in names.items():
        if not absent.get(identifier):
            yield element("li", element("a", name, href=f"#{identifier}"))
