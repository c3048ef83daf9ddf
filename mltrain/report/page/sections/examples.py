"""The rows about which the model is most wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mltrain.evaluation.worst import EXAMPLES, worst
from mltrain.problems import shortened
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element
from mltrain.report.page.parts import section, table
from mltrain.report.page.sections.explanation import shown_explanation
from mltrain.report.page.sections.targets import target_cells
from mltrain.report.text import number
from mltrain.run.examples import Example
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results_form import Results
from mltrain.task import OF_CLASSES

_SALIENCY = (
    "Below each image: the lighter a pixel, the more it moves the score of the predicted class, before the activation. "
    "It is the mean gradient over copies with noise in them (SmoothGrad, Smilkov et al., 2017)."
)


def examples_section(facts: Facts) -> Html | None:
    """Return the section; None where the run keeps no predictions."""
    results, predictions = facts.results, facts.predictions
    if results is None or predictions is None:
        return None
    if predictions.target.ndim == 2:
        header, rows = _targets(results, facts.split, predictions)
        mean = "" if results.task == "multilabel" else ", in deviations of each"
        sentence = f"The {len(rows)} {facts.split} rows with the largest errors on the average over the targets{mean}."
    elif results.task == "regression":
        header, rows = _values(predictions)
        sentence = f"The {len(rows)} {facts.split} rows with the largest errors."
    else:
        header, rows = _classes(results, predictions)
        sentence = f"The {len(rows)} {facts.split} rows whose true class was given the lowest probability."
    texts = 3 if results.task in OF_CLASSES else 1
    listed = table(f"Worst of {len(predictions.rows):,} rows", header, rows, texts)
    shown = facts.examples.examples if facts.examples is not None else ()
    inputs = _inputs(facts.examples.columns, shown) if facts.examples is not None else None
    explanation = shown_explanation(facts)
    maps = {each.row: each.picture for each in explanation.saliency} if explanation is not None else {}
    pictures = _pictures(shown, maps)
    said = element("p", _SALIENCY) if maps and pictures else None
    return section("examples", "Worst examples", element("p", sentence), listed, pictures, said, inputs)


def _pictures(examples: Sequence[Example], maps: Mapping[int, str]) -> Html | None:
    """Return the images beside each other, each with the number of its row, its file and its saliency."""
    pictures = [
        element(
            "figure",
            _picture(one.picture, f"The image of row {one.row}"),
            _picture(maps[one.row], f"How much each pixel of row {one.row} counts") if one.row in maps else None,
            element("figcaption", f"row {one.row}", f": {shortened(one.file)}" if one.file else None),
        )
        for one in examples
        if one.picture
    ]
    return element("div", pictures, class_="pictures") if pictures else None


def _picture(png: str, words: str) -> Html:
    return element("img", src=f"data:image/png;base64,{png}", alt=words)


def _inputs(columns: Sequence[str], examples: Sequence[Example]) -> Html | None:
    """Return the columns of the rows as a table."""
    rows = [(str(one.row), *one.values) for one in examples if len(one.values) == len(columns)]
    return table("The inputs of these rows", ("row", *columns), rows) if columns and rows else None


def _targets(
    results: Results, split: str | None, predictions: StoredPredictions
) -> tuple[Sequence[str], list[Sequence[Content]]]:
    places = worst(predictions.target, predictions.values, EXAMPLES)
    rows: list[Sequence[Content]] = [
        (str(int(predictions.rows[place])), *target_cells(predictions, int(place))) for place in places
    ]
    names = results.splits[split].outputs if split is not None else ()
    return ("row", *(f"{name}: predicted (true)" for name in names)), rows


def _values(predictions: StoredPredictions) -> tuple[Sequence[str], list[Sequence[Content]]]:
    rows: list[Sequence[Content]] = []
    for place in worst(predictions.target, predictions.values, EXAMPLES):
        true, predicted = float(predictions.target[place]), float(predictions.values[place])
        row = str(int(predictions.rows[place]))
        rows.append((row, number(true), number(predicted), number(predicted - true)))
    return ("row", "true", "predicted", "error"), rows


def _classes(results: Results, predictions: StoredPredictions) -> tuple[Sequence[str], list[Sequence[Content]]]:
    rows: list[Sequence[Content]] = []
    values = predictions.values
    threshold = results.threshold.value if results.threshold else 0.5
    decided = values.argmax(axis=1) if values.ndim == 2 else (values > threshold).astype(np.int64)
    for place in worst(predictions.target, predictions.values, EXAMPLES):
        true, guess = int(predictions.target[place]), int(decided[place])
        of_row = values[place]
        given = [1 - float(of_row), float(of_row)] if values.ndim == 1 else [float(each) for each in of_row]
        names = results.classes
        outcome = element("strong", names[guess]) if guess != true else names[guess]
        row = str(int(predictions.rows[place]))
        rows.append((row, names[true], outcome, number(given[true]), number(given[guess])))
    return ("row", "true", "predicted", "probability of the true class", "of the predicted"), rows
