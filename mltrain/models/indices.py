"""Layers that take index numbers: every one in the data must have a place in their table. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent
from mltrain.task import DataInfo

# By layer, the argument that says how many index numbers there are.
INDEX_ARGUMENTS = {"CategoryEncoding": "num_tokens", "Embedding": "input_dim", "ReversibleEmbedding": "input_dim"}
SAME_VALUES = {"Flatten", "Identity", "Permute", "RepeatVector", "Reshape"}


@dataclass(frozen=True)
class IndexTable:
    """The layer that looks up the index numbers of the data.

    Attributes:
        layer: its number.
        argument: the name of the argument that says its size.
        size: how many index numbers have a place in it: those from 0 to `size - 1`; "auto" where there are as many as
            the texts have tokens.
    """

    layer: int
    argument: str
    size: int | Literal["auto"]


def index_table(layers: Sequence[KerasComponent]) -> IndexTable | None:
    """Return the first layer that looks at the values of the data, where it takes them for index numbers."""
    for number, layer in enumerate(layers):
        if layer.type in INDEX_ARGUMENTS:
            return IndexTable(number, INDEX_ARGUMENTS[layer.type], layer.argument(INDEX_ARGUMENTS[layer.type]))
        if layer.type not in SAME_VALUES:
            return None
    return None


def sized(layers: tuple[KerasComponent, ...], info: DataInfo) -> tuple[KerasComponent, ...]:
    """Return layers with the number of tokens in place of "auto".

    Raises:
        MisfitError: the data are no texts.
    """
    table = index_table(layers)
    if table is None or table.size != "auto":
        return layers
    if info.input.indices is None:
        other = f"'{info.input.name}' holds other numbers"
        message = f"auto is the number of tokens of a text, but {other}: state the largest index + 1"
        raise MisfitError(("model", "layers", table.layer, table.argument), message)
    layer = layers[table.layer]
    arguments = {**dict(layer.arguments), table.argument: info.input.indices}
    return tuple(
        replace(layer, arguments=tuple(arguments.items())) if number == table.layer else each
        for number, each in enumerate(layers)
    )


def refuse_tokens(info: DataInfo, path: tuple[str | int, ...]) -> None:
    """Refuse the tokens of a text where no layer looks them up: their numbers are names.

    Args:
        info: the data.
        path: of what takes them for numbers.

    Raises:
        MisfitError: the data are tokens.
    """
    if info.input.indices is not None:
        name = info.input.name
        raise MisfitError(
            path,
            f"the tokens of the text '{name}' are index numbers, which a layer must look up first: use a model that "
            f"does (pooled, cnn, rnn, transformer, fusion), or set data.features.{name}.encoding: tf_idf for columns "
            "of numbers",
        )


@dataclass(frozen=True)
class IndexSize:
    """How many index numbers of an input have a place in the layer that looks them up.

    Attributes:
        input: its name.
        path: of the size in the config.
        size: those from 0 to `size - 1` have a place.
    """

    input: str
    path: tuple[str | int, ...]
    size: int


def refuse_small(sizes: Iterable[IndexSize], info: DataInfo) -> None:
    """Refuse sizes that are too small for the index numbers of their inputs.

    On a CPU such an index ends the training in the middle; on a GPU it is a row of zeros, and nothing is said.

    Raises:
        MisfitError: an index in the data is negative, or too large for the layer that looks it up; has all of them.
    """
    problems: list[tuple[tuple[str | int, ...], str]] = []
    inputs = {each.name: each for each in info.inputs}
    for each in sizes:
        given = inputs[each.input]
        if given.indices is not None:
            # All tokens, whichever of them these rows have.
            smallest, largest = 0.0, float(given.indices - 1)
        elif given.limits is not None:
            smallest, largest = given.limits
        else:
            continue
        if largest >= each.size:
            message = f"the largest index in the data is {largest:.15g}: expected at least {int(largest) + 1}"
            message += " (or auto)" if given.indices is not None else ""
            problems.append((each.path, f"{message}, received {each.size}"))
        elif smallest < 0:
            problems.append((each.path, f"the smallest index in the data is {smallest:g}, and indices begin at 0"))
    if problems:
        raise MisfitError.of(problems)
