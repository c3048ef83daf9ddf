"""The rows about which the model is most wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from mltrain.outputs import KINDS
from mltrain.problems import shortened
from mltrain.report.page.charts.dates import EARLIEST, LATEST
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import section, sentence, sub, table
from mltrain.report.page.sections.explanation import shown_explanation
from mltrain.report.page.sections.targets import target_cells
from mltrain.report.text import number
from mltrain.report.worst import EXAMPLES, worst
from mltrain.run.examples import Example, WorstExamples
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results import Results

_DAY = 86_400_000_000
_START = datetime(1970, 1, 1)
_SALIENCY = (
    "The picture below each image shows how much each pixel changes the score of the predicted class, before the "
    "activation: light pixels change it most. It is the mean gradient over noisy copies of the image (SmoothGrad, "
    "Smilkov et al., 2017)."
)


def has_examples(facts: Facts) -> bool:
    """Return whether there are predictions of which some are the worst: of targets of different kinds, each target has
    others."""
    return facts.predictions is not None and facts.results is not None and not KINDS[facts.results.task].mixed


def examples_section(facts: Facts) -> Html | None:
    """Return the section; None where the run keeps no predictions."""
    results, predictions = facts.results, facts.predictions
    if results is None or predictions is None or not has_examples(facts):
        return None
    if predictions.target.ndim == 2:
        header, rows = _targets(results, facts.split, predictions)
        mean = "" if results.task == "multilabel" else ", in standard deviations of each"
        said = f"{_rows(len(rows), facts)} with the largest mean error over the targets{mean}."
    elif KINDS[results.task].of_numbers:
        header, rows = _values(predictions)
        said = f"{_rows(len(rows), facts)} with the largest error."
    else:
        header, rows = _classes(results, predictions)
        said = f"{_rows(len(rows), facts)} whose true class has the lowest probability."
    texts = 3 if KINDS[results.task].of_classes else 1
    files = {str(one.row): one.file for one in facts.examples.examples} if facts.examples is not None else {}
    if any(files.values()):
        header = (header[0], "file", *header[1:])
        rows = [(row[0], shortened(files.get(str(row[0]), "")), *row[1:]) for row in rows]
        texts += 1
    times = _times(predictions)
    if times:
        header = (header[0], "time (UTC)", *header[1:])
        rows = [(row[0], times.get(str(row[0]), ""), *row[1:]) for row in rows]
        texts += 1
    listed = table(f"The worst of {len(predictions.rows):,} rows", header, rows, texts)
    shown = facts.examples.examples if facts.examples is not None else ()
    inputs = _inputs(facts.examples) if facts.examples is not None else None
    explanation = shown_explanation(facts)
    maps = {each.row: each.picture for each in explanation.saliency} if explanation is not None else {}
    # Beside their columns, where the rows have such.
    pictures = _pictures(shown, maps, _outcomes(results, predictions)) if inputs is None else None
    about_maps = sentence(_SALIENCY) if maps and pictures else None
    return section("examples", "Worst examples", sentence(said), listed, pictures, about_maps, inputs)


def training_images(facts: Facts) -> Html | None:
    """Return training images as the model sees them; None where its first layers do not change them."""
    shown = facts.examples.training if facts.examples is not None else ()
    figures = [
        element(
            "figure",
            _picture(one.picture, f"Training image of row {one.row}"),
            [
                _picture(each, f"Training image of row {one.row}, change {number}")
                for number, each in enumerate(one.changed, start=1)
            ],
            element("figcaption", f"row {one.row}", f": {shortened(one.file)}" if one.file else None),
        )
        for one in shown
    ]
    if not figures or facts.examples is None:
        return None
    layers = ", ".join(f"`{name}`" for name in facts.examples.layers)
    said = f"Training images as they are, and as the model sees them after its first layers ({layers})."
    return sub("Training images", sentence(said), element("div", figures, class_="changed"))


def _times(predictions: StoredPredictions) -> dict[str, str]:
    """Return the time of each row by its number; days alone where no row has a time of day."""
    dates = predictions.dates
    if dates is None or not np.all((dates >= EARLIEST) & (dates <= LATEST)):
        return {}
    days = not np.any(dates % _DAY)
    found = {}
    for row, date in zip(predictions.rows.tolist(), dates.tolist(), strict=True):
        time = _START + timedelta(microseconds=date)
        found[str(row)] = time.date().isoformat() if days else time.isoformat(" ", "seconds")
    return found


def _rows(n: int, facts: Facts) -> str:
    return f"The {facts.split} row" if n == 1 else f"The {n} {facts.split} rows"


def _outcomes(results: Results, predictions: StoredPredictions) -> dict[int, Content]:
    """Return what is true and what was predicted, by the number of the row; several targets are in the table alone."""
    if predictions.target.ndim == 2:
        return {}
    found: dict[int, Content] = {}
    decided = _decided(results, predictions) if KINDS[results.task].of_classes else None
    for place in worst(predictions.target, predictions.values, EXAMPLES):
        if decided is not None:
            true, guess = (shortened(results.classes[int(of[place])], 30) for of in (predictions.target, decided))
        else:
            true, guess = (number(float(of[place])) for of in (predictions.target, predictions.values))
        right = decided is not None and predictions.target[place] == decided[place]
        shown = guess if right else element("strong", guess)
        found[int(predictions.rows[place])] = joined("true: ", true, element("br"), "predicted: ", shown)
    return found


def _decided(results: Results, predictions: StoredPredictions) -> np.ndarray:
    threshold = results.threshold.value if results.threshold else 0.5
    values = predictions.values
    return values.argmax(axis=1) if values.ndim == 2 else (values > threshold).astype(np.int64)


def _pictures(examples: Sequence[Example], maps: Mapping[int, str], outcomes: Mapping[int, Content]) -> Html | None:
    """Return the images beside each other, each with its saliency, what is true and predicted, its row and its file."""
    pictures = [
        element(
            "figure",
            _picture(one.picture, f"The image of row {one.row}"),
            _picture(maps[one.row], f"How much each pixel of row {one.row} counts") if one.row in maps else None,
            element(
                "figcaption",
                joined(outcomes[one.row], element("br")) if one.row in outcomes else None,
                f"row {one.row}",
                f": {shortened(one.file)}" if one.file else None,
            ),
        )
        for one in examples
        if one.picture
    ]
    return element("div", pictures, class_="pictures") if pictures else None


def _picture(png: str, words: str) -> Html:
    return element("img", src=f"data:image/png;base64,{png}", alt=words)


def _inputs(worst_rows: WorstExamples) -> Html | None:
    """Return the columns of the rows as a table, each row with its picture, where it has one."""
    columns = worst_rows.columns
    shown = [one for one in worst_rows.examples if len(one.values) == len(columns)]
    if not columns or not shown:
        return None
    caption, texts = "The inputs of these rows", 1 + min(worst_rows.texts, len(columns))
    if not any(one.picture for one in shown):
        return table(caption, ("row", *columns), [(str(one.row), *one.values) for one in shown], texts)
    rows = [
        (str(one.row), _picture(one.picture, f"The image of row {one.row}") if one.picture else "–", *one.values)
        for one in shown
    ]
    header = ("row", worst_rows.image or "image", *columns)
    return table(caption, header, rows, texts + 1)


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
    decided = _decided(results, predictions)
    for place in worst(predictions.target, predictions.values, EXAMPLES):
        true, guess = int(predictions.target[place]), int(decided[place])
        of_row = values[place]
        given = [1 - float(of_row), float(of_row)] if values.ndim == 1 else [float(each) for each in of_row]
        names = results.classes
        outcome = element("strong", names[guess]) if guess != true else names[guess]
        row = str(int(predictions.rows[place]))
        rows.append((row, names[true], outcome, number(given[true]), number(given[guess])))
    return ("row", "true", "predicted", "probability of the true class", "of the predicted"), rows
