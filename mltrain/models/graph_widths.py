"""The last axis of what each node of a graph gives, as far as it follows from the config alone. No TensorFlow.

So that the most frequent misfit, an Add of 32 and 64 numbers, is found by `validate`, before any data is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mltrain.keras_api.components import KerasComponent
from mltrain.models.graph_steps import Step, Wrong

# By layer, the argument that is the size of its last axis.
_STATED = {
    **dict.fromkeys(("Dense", "LSTM", "GRU", "SimpleRNN"), "units"),
    **{f"{name}{axes}D": "filters" for name in ("Conv", "SeparableConv", "ConvLSTM") for axes in (1, 2, 3)},
    **{f"Conv{axes}DTranspose": "filters" for axes in (1, 2, 3)},
    "Embedding": "output_dim",
}
_SAME = frozenset(
    (
        *("Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dropout", "ELU", "Identity"),
        *("GaussianDropout", "GaussianNoise", "GroupNormalization", "LayerNormalization", "LeakyReLU", "Masking"),
        *("PReLU", "ReLU", "RMSNormalization", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
        *(f"{name}{axes}D" for name in ("AveragePooling", "MaxPooling", "UpSampling") for axes in (1, 2, 3)),
        *(f"Global{name}Pooling{axes}D" for name in ("Average", "Max") for axes in (1, 2, 3)),
        *("UnitNormalization", "Cropping1D", "Cropping2D", "ZeroPadding1D", "ZeroPadding2D"),
    )
)
_ELEMENTWISE = frozenset(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"))


def width_problems(steps: Sequence[Step]) -> Iterator[Wrong]:
    """Yield `(path below model, message)` for layers that need equal sizes and are given others.

    Args:
        steps: each behind those that it takes.
    """
    widths: dict[str, int] = {}
    words = {step.key: step.words for step in steps}
    for step in steps:
        known = {source: widths[source] for source in step.sources if source in widths}
        # A size of 1 is repeated as often as it takes.
        if step.layer.type in _ELEMENTWISE and len({width for width in known.values() if width != 1}) > 1:
            meeting = " and ".join(f"{words[source]} with {width}" for source, width in known.items())
            message = f"{step.layer.type} needs equal sizes of the last axis, and {meeting} meet here"
            yield (*step.path, "from"), message
            continue
        width = _width(step.layer, step.sources, known)
        if width is not None:
            widths[step.key] = width


def _width(layer: KerasComponent, sources: Sequence[str], known: Mapping[str, int]) -> int | None:
    if layer.type in _STATED:
        return int(layer.argument(_STATED[layer.type]))
    given = [known.get(source) for source in sources]
    first = given[0] if given else None
    if layer.type in _SAME and dict(layer.arguments).get("data_format") in (None, "channels_last"):
        return first
    if layer.type in _ELEMENTWISE and first is not None and None not in given:
        return max(width for width in given if width is not None)
    if layer.type == "Concatenate" and layer.argument("axis") == -1 and None not in given:
        return sum(width for width in given if width is not None)
    if layer.type == "MultiHeadAttention" and layer.argument("output_shape") is None:
        return first
    return None
