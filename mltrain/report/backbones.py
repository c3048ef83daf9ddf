"""The backbones of a model and their parts, a sentence each."""

from __future__ import annotations

from mltrain.problems import printable
from mltrain.run.architecture import Architecture, RecordedLayer


def backbone_lines(model: Architecture) -> tuple[str, ...]:
    """Return a line for each backbone: its parameters, and those of its parts, as
    `backbone: VGG16, 260,160 parameters, all trained (block1 38,720, block2 221,440)`."""
    return tuple(printable(_line(layer)) for layer in model.layers if layer.parts)


def _line(layer: RecordedLayer) -> str:
    parts = ", ".join(f"{part.name} {part.parameters:,}" for part in layer.parts)
    return f"{layer.name}: {layer.kind}, {layer.parameters:,} parameters, {trained(layer)} ({parts})"


def trained(layer: RecordedLayer) -> str:
    """Return how many of the parameters of a layer are trained, in words."""
    if layer.trainable == layer.parameters:
        return "all trained"
    return f"{layer.trainable:,} of them trained" if layer.trainable else "none trained"
