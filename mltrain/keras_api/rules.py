"""What must hold between the arguments of one component. Keras would say it too, but only after TensorFlow's import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_RECURRENT = {"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN"}


@dataclass(frozen=True)
class _Rule:
    """A condition on the arguments of the components whose name fits `names`, reported at `argument`."""

    kind: str
    names: str
    argument: str
    holds: Callable[[Mapping[str, Any]], bool]
    message: str


def broken(kind: str, name: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the argument and the message of every rule that does not hold.

    Args:
        kind: of the component.
        name: its canonical name.
        arguments: all of them, each valid by itself.
    """
    for rule in _RULES:
        if rule.kind == kind and re.fullmatch(rule.names, name) and not rule.holds(arguments):
            yield rule.argument, rule.message


def _each(value: Any) -> tuple[Any, ...]:
    """Return a size as a tuple: Keras takes one number for all dimensions."""
    return value if isinstance(value, tuple) else (value,)


def _output_padding_fits(given: Mapping[str, Any]) -> bool:
    padding, strides = _each(given["output_padding"]), _each(given["strides"])
    rank = max(len(padding), len(strides))
    if padding == (None,):
        return True
    each_dimension = zip(padding * (rank // len(padding)), strides * (rank // len(strides)), strict=True)
    return all(edge < stride for edge, stride in each_dimension)


def _is_recurrent(layer: Any) -> bool:
    return layer is None or layer.type in _RECURRENT


_RULES = (
    _Rule(
        "layer",
        r"Conv(LSTM)?[123]D(Transpose)?",
        "dilation_rate",
        lambda given: max(_each(given["strides"])) == 1 or max(_each(given["dilation_rate"])) == 1,
        "strides and dilation_rate cannot both be above 1",
    ),
    _Rule(
        "layer",
        r"Conv[123]D",
        "groups",
        lambda given: given["filters"] % given["groups"] == 0,
        "filters must be a multiple of groups",
    ),
    _Rule(
        "layer",
        r"Conv[123]DTranspose",
        "output_padding",
        _output_padding_fits,
        "output_padding must be below strides",
    ),
    _Rule(
        "layer",
        "Bidirectional",
        "layer",
        lambda given: _is_recurrent(given["layer"]),
        f"expected a recurrent layer: {', '.join(sorted(_RECURRENT))}",
    ),
    _Rule(
        "layer",
        "Bidirectional",
        "backward_layer",
        lambda given: _is_recurrent(given["backward_layer"]),
        f"expected a recurrent layer: {', '.join(sorted(_RECURRENT))}",
    ),
    _Rule(
        "layer",
        "GroupQueryAttention",
        "num_query_heads",
        lambda given: given["num_query_heads"] % given["num_key_value_heads"] == 0,
        "num_query_heads must be a multiple of num_key_value_heads",
    ),
    _Rule(
        "layer",
        "Normalization",
        "variance",
        lambda given: len(_each(given["mean"])) == len(_each(given["variance"])),
        "mean and variance must have the same length",
    ),
    _Rule(
        "layer",
        "Permute",
        "dims",
        lambda given: sorted(given["dims"]) == list(range(1, len(given["dims"]) + 1)),
        "expected the numbers from 1 to the number of dimensions, each once (the batch is not counted)",
    ),
    _Rule(
        "layer",
        "RandomGaussianBlur",
        "kernel_size",
        lambda given: all(size % 2 for size in _each(given["kernel_size"])),
        "expected odd numbers",
    ),
    _Rule(
        "layer",
        "Reshape",
        "target_shape",
        lambda given: given["target_shape"].count(-1) < 2,
        "only one dimension can be -1 (unknown)",
    ),
    _Rule(
        "layer",
        "Resizing",
        "pad_to_aspect_ratio",
        lambda given: not (given["pad_to_aspect_ratio"] and given["crop_to_aspect_ratio"]),
        "crop_to_aspect_ratio and pad_to_aspect_ratio cannot both be true",
    ),
    _Rule(
        "layer",
        "STFTSpectrogram",
        "frame_step",
        lambda given: (given["frame_step"] or 1) <= given["frame_length"],
        "frame_step cannot be above frame_length",
    ),
    _Rule(
        "layer",
        "STFTSpectrogram",
        "fft_length",
        lambda given: (given["fft_length"] or given["frame_length"]) >= given["frame_length"],
        "fft_length cannot be below frame_length",
    ),
    _Rule(
        "metric",
        "AUC",
        "num_labels",
        lambda given: given["multi_label"] or given["num_labels"] is None,
        "num_labels is only for multi_label: true",
    ),
    _Rule(
        "metric",
        "(OneHot)?IoU",
        "target_class_ids",
        lambda given: all(label < given["num_classes"] for label in given["target_class_ids"]),
        "every class must be below num_classes",
    ),
    _Rule(
        "metric",
        "BinaryIoU",
        "target_class_ids",
        lambda given: set(given["target_class_ids"]) <= {0, 1},
        "expected only the classes 0 and 1",
    ),
    _Rule(
        "optimizer",
        ".*",
        "clipnorm",
        lambda given: [given["clipnorm"], given["clipvalue"], given["global_clipnorm"]].count(None) >= 2,
        "set only one of clipnorm, clipvalue and global_clipnorm",
    ),
    _Rule(
        "schedule",
        "PiecewiseConstantDecay",
        "values",
        lambda given: len(given["values"]) == len(given["boundaries"]) + 1,
        "expected one value more than the number of boundaries",
    ),
)
