"""Sample arguments for every component of the catalogue, made from the types that the catalogue states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mltrain.keras_api import catalogue
from mltrain.keras_api.argument_types import ArgumentType, Choice, ComponentOf, ListOf, Scalar
from mltrain.keras_api.catalogue import Argument, Entry

COMPONENTS = {
    "activation": "relu",
    "cell": {"type": "LSTMCell", "units": 2},
    "constraint": "NonNeg",
    "initializer": "HeNormal",
    "layer": {"type": "LSTM", "units": 2},
    "regularizer": "L2",
    "schedule": {"type": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 10},
}
# Where the first sample of a type does not fit the other arguments.
CHOSEN: dict[str, Any] = {
    "Bidirectional.backward_layer": {"type": "LSTM", "units": 2, "go_backwards": True},
    "Dot.axes": 1,
    "Embedding.input_dim": 3,  # `auto` is ours, and becomes a number before the layer is made
    "EinsumDense.equation": "ab,bc->ac",
    "EinsumDense.output_shape": [3],
    "GroupQueryAttention.num_key_value_heads": 1,
    "IoU.num_classes": 3,
    "OneHotIoU.num_classes": 3,
    "Permute.dims": [2, 1],
    "PiecewiseConstantDecay.boundaries": [1.0],
    "PiecewiseConstantDecay.values": [0.1, 0.01],
    "Reshape.target_shape": [-1],
    "SpectralNormalization.layer": {"type": "Dense", "units": 2},
    "TimeDistributed.layer": {"type": "Dense", "units": 2},
}


def samples(expected: ArgumentType) -> Iterator[Any]:
    """Yield valid values of a type: each alternative, each choice, numbers at their bounds."""
    for alternative in expected.alternatives:
        match alternative:
            case Choice(values):
                yield from values
            case ComponentOf(kind):
                yield COMPONENTS[kind]
            case ListOf(items, length):
                yield from ([item] * (length or 2) for item in samples(items))
            case Scalar("boolean"):
                yield from (True, False)
            case Scalar("null"):
                yield None
            case Scalar("text" | "name"):
                yield "abc"
            case Scalar(word, bounds):
                yield from _numbers(word, dict(bounds))


def _numbers(word: str, bounds: dict[str, float]) -> Iterator[float]:
    step = 1 if word == "integer" else 0.25
    yield from (limit for sign, limit in bounds.items() if "=" in sign)
    yield from (limit + step for sign, limit in bounds.items() if sign == ">")
    yield from (limit - step for sign, limit in bounds.items() if sign == "<")
    if not {"<", "<="} & bounds.keys():
        yield bounds.get(">=", bounds.get(">", 0)) + 3


def sample(entry: Entry, argument: Argument) -> Any:
    """Return one valid value of an argument."""
    return CHOSEN.get(f"{entry.name}.{argument.name}", next(samples(argument.type)))


def minimal(entry: Entry) -> dict[str, Any]:
    """Return the fewest arguments that a component can be made of."""
    return {argument.name: sample(entry, argument) for argument in entry.required}


_ENTRIES = [entry for kind in catalogue.kinds() for entry in catalogue.entries(kind)]


def _each(entries: list[Entry]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: f"{entry.kind}-{entry.name}")


every_entry = _each(_ENTRIES)
# A backbone is made for images of a size: `tests/models/test_pretrained.py` makes each.
every_made_entry = _each([entry for entry in _ENTRIES if entry.kind != "backbone"])
