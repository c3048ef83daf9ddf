"""The model: a diagram of its layers, and the parameters of each."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.charts.layers import MOST, Box, layers
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Html, element
from mltrain.report.page.parts import aligned, figure, section, table
from mltrain.run.architecture import Architecture, RecordedLayer


def model_section(facts: Facts) -> Html | None:
    """Return the section on the layers; None where the run does not say them."""
    model = facts.architecture
    if model is None:
        return None
    sentence = element("p", f"{model.words}.")
    if not model.is_stack:
        backbones = [_parts_table(layer) for layer in model.layers if layer.parts]
        return section("model", "Model", sentence, _graph_table(model), *backbones)
    rows = zip(
        [layer.name for layer in model.layers],
        [layer.kind for layer in model.layers],
        [shape_text(layer.output) for layer in model.layers],
        aligned([f"{layer.parameters:,}" for layer in model.layers]),
        strict=True,
    )
    listed = table("Layers", ("layer", "kind", "output", "parameters"), rows, texts=3)
    diagram = figure(diagram_chart(model))
    return section("model", "Model", sentence, element("div", diagram, listed, class_="beside"))


def _graph_table(model: Architecture) -> Html:
    """Return the table of a graph: what each layer takes says more than a diagram of a stack."""
    inputs = [(name, "Input", "", shape_text(shape), "0") for name, shape in model.inputs.items()]
    layers = [
        (layer.name, layer.kind, ", ".join(layer.after), shape_text(layer.output), f"{layer.parameters:,}")
        for layer in model.layers
    ]
    header, rows = ("layer", "kind", "takes", "output", "parameters"), [*inputs, *layers]
    if not any(layer.inputs for layer in model.layers):
        return table("Layers", header, rows, texts=4)
    # An automatic name, such as embedding_1, does not say which input it is for.
    of_inputs = [*model.inputs, *(", ".join(layer.inputs) for layer in model.layers)]
    named = [(row[0], of_input, *row[1:]) for row, of_input in zip(rows, of_inputs, strict=True)]
    return table("Layers", (header[0], "of the input", *header[1:]), named, texts=5)


def _parts_table(backbone: RecordedLayer) -> Html:
    """Return the table of the parts of a backbone."""
    rows = (
        (part.name, part.first, f"{part.layers:,}", f"{part.parameters:,}", f"{part.trainable:,}")
        for part in backbone.parts
    )
    header = ("part", "first layer", "layers", "parameters", "of which are trained")
    return table(f"Parts of {backbone.name}, {backbone.kind}", header, rows, texts=2)


def diagram_chart(model: Architecture) -> Chart:
    """Return the diagram, of the first and last layers where there are many."""
    boxes = [Box(layer.kind, shape_text(layer.output), layer.parameters) for layer in model.layers]
    total = model.parameters
    shown: Sequence[Box] = [Box("Input", shape_text(model.input), 0), *boxes]
    if len(shown) > MOST:
        half = MOST // 2 - 1
        between = shown[half:-half]
        shown = [*shown[:half], Box(f"{len(between)} more layers", "", 0), *shown[-half:]]
    names = ", ".join(f"{box.kind} {box.shape}".strip() for box in shown)
    drawing = layers(f"The layers from the input to the output: {names}", shown, total)
    return Chart(
        "model", drawing, "From the input to the output: what each layer gives, its parameters, and their share."
    )


def shape_text(shape: Sequence[int | None]) -> str:
    """Return a shape as `8 × 8 × 16`."""
    return " × ".join("any" if size is None else str(size) for size in shape) or "1"
