"""`model.keras`: raw columns in, predictions out, with nothing in it but what ships with Keras.

The graph has two storeys. Outside are the inputs, which carry the names of the raw columns; inside are preprocessing
and the trained model. So a column may be called `cast` or `where`: Keras gives such names to operations, and refuses a
graph that has a name twice. All numbers are filled and scaled together, in float64 like NumPy does it, so that a table
of a thousand columns costs five operations and not five thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import compress
from typing import Any

import keras
import numpy as np
from keras import ops

from mltrain.data.encoders.array import ArrayEncoder
from mltrain.data.encoders.category import CategoryEncoder, EmbeddedEncoder, IndexEncoder
from mltrain.data.encoders.column import Encoder, RawInput
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.known import KnownEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.encoders.ordinal import OrdinalEncoder
from mltrain.data.encoders.scaling import Scaling
from mltrain.data.encoders.text import TokensEncoder
from mltrain.data.encoders.text_columns import TextColumnsEncoder
from mltrain.data.mixed_targets import MixedTargets
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import Target
from mltrain.data.target import TargetEncoder
from mltrain.data.texts.graph import column_graph, tokens_graph
from mltrain.wording import free_name

# (number of the encoder, number of the column among those it makes): where a column is in the encoded table.
Place = tuple[int, int]


@dataclass(frozen=True)
class ColumnGraph:
    """What one raw column adds to the graph.

    Attributes:
        inputs: its own inputs inside the graph: a text, or an array. All numbers share one.
        encoded: its encoded columns, float32 (batch, columns), or its encoded array (batch, …); None where they are
            numbers that are still to be scaled.
        scalings: of its numbers; without a `number`, they are the next of the input that numbers share.
        number: float64 (batch, 1): a number that is made of a text.
        indicator: whether one more encoded column is 1 where the first number is missing.
    """

    inputs: tuple[Any, ...] = ()
    encoded: Any = None
    scalings: tuple[Scaling, ...] = ()
    number: Any = None
    indicator: bool = False


@singledispatch
def graph_of(encoder: Encoder) -> ColumnGraph:
    """Return what a column adds to the graph; each kind of encoder has a function of its own below."""
    raise NotImplementedError(f"no graph for {type(encoder).__name__}")


@graph_of.register
def _(encoder: NumberEncoder) -> ColumnGraph:
    return ColumnGraph(scalings=(encoder.scaling,), indicator=encoder.indicator)


@graph_of.register
def _(encoder: DatetimeEncoder) -> ColumnGraph:
    return ColumnGraph(scalings=tuple(scaled.scaling for scaled in encoder.parts), indicator=encoder.indicator)


@graph_of.register
def _(encoder: CategoryEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    # The first column is for unknown texts.
    return ColumnGraph(inputs=(text,), encoded=_lookup(encoder.categories, "one_hot")(text)[:, 1:])


@graph_of.register
def _(encoder: IndexEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    return ColumnGraph(inputs=(text,), encoded=ops.cast(_lookup(encoder.categories, "int")(text), "float32"))


@graph_of.register
def _(encoder: EmbeddedEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    return ColumnGraph(inputs=(text,), encoded=ops.cast(_lookup(encoder.categories, "int")(text), "int32"))


@graph_of.register
def _(encoder: OrdinalEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    order = _lookup(encoder.categories, "int")(text)
    known = ops.cast(order, "float64") - 1.0
    number = ops.where(ops.equal(order, 0), np.float64(np.nan), known)
    return ColumnGraph(inputs=(text,), scalings=(encoder.scaling,), number=number, indicator=encoder.indicator)


@graph_of.register
def _(encoder: TokensEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    return ColumnGraph(inputs=(text,), encoded=tokens_graph(encoder, text))


@graph_of.register
def _(encoder: TextColumnsEncoder) -> ColumnGraph:
    text = keras.Input((1,), dtype="string")
    return ColumnGraph(inputs=(text,), encoded=column_graph(encoder, text))


@graph_of.register
def _(encoder: ArrayEncoder) -> ColumnGraph:
    raw = keras.Input(encoder.shape, dtype=encoder.dtype)
    encoded = raw
    if any(encoder.center):
        encoded = ops.subtract(encoded, np.asarray(encoder.center, np.float32))
    if any(width != 1 for width in encoder.width):
        encoded = ops.divide(encoded, np.asarray(encoder.width, np.float32))
    if encoder.channel:
        encoded = ops.expand_dims(encoded, -1)
    return ColumnGraph(inputs=(raw,), encoded=encoded)


@graph_of.register
def _(encoder: KnownEncoder) -> ColumnGraph:
    """Each step is a row of a table: all steps of all rows go through one graph, and come back as steps."""
    raw = [keras.Input(each.shape, dtype=each.dtype) for each in encoder.raw_inputs]
    flat = [ops.reshape(each, (-1, 1)) for each in raw]
    numbers = [each for each in flat if each.dtype == "float64"]
    graphs = [graph_of(part) for part in encoder.parts]
    shared = [keras.Input((len(numbers),), dtype="float64")] if numbers else []
    texts = [each for graph in graphs for each in graph.inputs]
    table = keras.Model([*shared, *texts], _encoded_table(encoder.parts, graphs, shared))
    joined = [keras.layers.Concatenate(dtype="float64")(numbers)] if numbers else []
    encoded = table([*joined, *(each for each in flat if each.dtype != "float64")])
    return ColumnGraph(inputs=tuple(raw), encoded=ops.reshape(encoded, (-1, *encoder.encoded_shape)))


def raw_model(preprocessing: Preprocessing, core: keras.Model) -> keras.Model:
    """Return a model that takes raw columns, as `model({"island": tf.constant([["Biscoe"]]), "age": …})`.

    For a table it takes a dict of one tensor (batch, 1) a column: numbers and truth values as floats, NaN if missing;
    text as strings, empty if missing; dates as their parts, `sold.month`. A slash in a column's name becomes an
    underscore, the only character that Keras refuses. An image or array column is the raw array (batch, …): in the
    dict, or by itself where it is the only column. Predictions are those of `core`; a target that was scaled for
    training comes out in its own units.

    It loads with plain `keras.models.load_model` in a process that knows nothing of mltrain. Called, it computes the
    bits of `Preprocessing.encode`; Keras' `predict` rounds its input to float32 first. A graph cannot raise errors:
    with `missing: error` a missing number makes the prediction NaN, and an unknown category counts as none.

    Args:
        preprocessing: what was fitted.
        core: the trained model, on encoded features; a dict of them by the name of the input where there are several.
    """
    taken = {raw.name for raw in preprocessing.raw_inputs}
    inputs = {raw.name: keras.Input(raw.shape, dtype=raw.dtype, name=raw.name) for raw in preprocessing.raw_inputs}
    if preprocessing.array is not None:
        (array,) = inputs.values()
        graph = graph_of(preprocessing.array)
        predictions = _predictions(preprocessing.target, core, graph.encoded)
        inside = keras.Model(*graph.inputs, predictions, name=free_name("predict", taken))
        return keras.Model(array, inside(array), name=free_name("raw", taken))

    numbers = [inputs[raw.name] for raw in preprocessing.raw_inputs if _is_number(raw)]
    others = [inputs[raw.name] for raw in preprocessing.raw_inputs if not _is_number(raw)]
    inside = _columns_graph(preprocessing, core, len(numbers), free_name("predict", taken))
    joined = [keras.layers.Concatenate(dtype="float64", name=free_name("numbers", taken))(numbers)] if numbers else []
    return keras.Model(inputs, inside([*joined, *others]), name=free_name("raw", taken))


def _is_number(raw: RawInput) -> bool:
    return raw.dtype == "float64" and raw.shape == (1,)


def _columns_graph(preprocessing: Preprocessing, core: keras.Model, count: int, name: str) -> keras.Model:
    """Return the model that takes [numbers (batch, count), text (batch, 1), array (batch, …), …]."""
    shared = [keras.Input((count,), dtype="float64")] if count else []
    graphs = [graph_of(encoder) for encoder in preprocessing.columns]
    given = [*shared, *(each for graph in graphs for each in graph.inputs)]
    encoded = []
    for each in preprocessing.inputs:
        feeding = [preprocessing.input_of(encoder) == each.name for encoder in preprocessing.columns]
        encoders = list(compress(preprocessing.columns, feeding))
        own_graphs = list(compress(graphs, feeding))
        if not each.columns:
            encoded.append(own_graphs[0].encoded)
            continue
        pairs = zip(preprocessing.columns, feeding, strict=True)
        fed = [fits for encoder, fits in pairs for raw in encoder.raw_inputs if _is_number(raw)]
        own = shared if all(fed) else [ops.take(shared[0], np.flatnonzero(fed), axis=1)] if any(fed) else []
        encoded.append(_encoded_table(encoders, own_graphs, own))
    predictions = _predictions(preprocessing.target, core, encoded[0] if len(encoded) == 1 else encoded)
    return keras.Model(given, predictions, name=name)


def _encoded_table(encoders: Sequence[Encoder], graphs: Sequence[ColumnGraph], shared: Sequence[Any]) -> Any:
    """Return the columns of an input of a table beside each other, float32 (batch, features).

    Args:
        encoders: of its columns.
        graphs: of the same.
        shared: their numbers, float64 (batch, count), where they have any.
    """
    blocks: list[Any] = []
    made: list[Place] = []
    for number, (encoder, graph) in enumerate(zip(encoders, graphs, strict=True)):
        if graph.encoded is not None:
            blocks.append(graph.encoded)
            made += [(number, position) for position in range(len(encoder.names))]

    numbers = [*shared, *(graph.number for graph in graphs if graph.number is not None)]
    if numbers:
        scalings, places = _scaled_columns(graphs)
        scaled, absent = _scaled(ops.concatenate(numbers, axis=1), scalings)
        blocks.append(scaled)
        made += places
        watched = [number for number, graph in enumerate(graphs) if graph.indicator]
        if watched:
            blocks.append(ops.take(absent, [places.index((number, 0)) for number in watched], axis=1))
            made += [(number, len(graphs[number].scalings)) for number in watched]
    encoded = ops.concatenate(blocks, axis=1)
    in_order = sorted(range(len(made)), key=made.__getitem__)
    return encoded if in_order == list(range(len(made))) else ops.take(encoded, in_order, axis=1)


def _scaled_columns(graphs: Sequence[ColumnGraph]) -> tuple[list[Scaling], list[Place]]:
    """Return scaling and place of each scaled column: those of the input that numbers share come first."""
    scaled = [
        (graph.number is not None, number, position)
        for number, graph in enumerate(graphs)
        for position in range(len(graph.scalings))
    ]
    places = [(number, position) for _, number, position in sorted(scaled)]
    return [graphs[number].scalings[position] for number, position in places], places


def _scaled(numbers: Any, scalings: Sequence[Scaling]) -> tuple[Any, Any]:
    """Return float64 (batch, columns) numbers filled and scaled, and 1 where they were missing, both as float32."""
    absent = ops.isnan(numbers)
    fills = np.array([np.nan if scaling.fill is None else scaling.fill for scaling in scalings])
    filled = ops.where(absent, fills, numbers)
    centered = ops.subtract(filled, np.array([scaling.center for scaling in scalings]))
    scaled = ops.divide(centered, np.array([scaling.width for scaling in scalings]))
    return ops.cast(scaled, "float32"), ops.cast(absent, "float32")


def _lookup(categories: Sequence[str], output: str) -> keras.layers.Layer:
    """Return the layer that finds a text among `categories`: 0 is unknown, 1 the first."""
    return keras.layers.StringLookup(
        vocabulary=list(categories),
        num_oov_indices=1,
        mask_token=None,
        # Its name must not be a category, or Keras refuses the vocabulary.
        oov_token=free_name("[UNK]", categories),
        output_mode=output,
    )


def _predictions(target: Target, core: keras.Model, encoded: Any) -> Any:
    # Layers that change images draw at random in any call that does not say that it is no training.
    predictions = core(encoded, training=False)
    if isinstance(target, MixedTargets):
        return _each_prediction(target, predictions)
    if isinstance(target, TargetEncoder):
        return _restored(target, predictions)
    if any(part.log_limits is not None for part in target.parts):
        each = [_restored(part, predictions[:, place : place + 1]) for place, part in enumerate(target.parts)]
        return keras.layers.Concatenate(dtype="float32")(each)
    centers, widths = [part.center for part in target.parts], [part.width for part in target.parts]
    if (set(centers), set(widths)) == ({0.0}, {1.0}):
        return predictions
    return keras.layers.Rescaling(widths, centers, dtype="float32")(predictions)


def _restored(part: TargetEncoder, predictions: Any) -> Any:
    """Return predictions for one target in its own units."""
    if part.log_limits is not None:
        # In float64: a power of e multiplies what float32 has rounded by the exponent.
        low, high = part.log_limits
        exact = ops.clip(ops.cast(predictions, "float64"), low, high)
        exponents = ops.add(ops.multiply(exact, np.float64(part.width)), np.float64(part.center))
        return ops.cast(ops.exp(exponents), "float32")
    if (part.center, part.width) == (0.0, 1.0):
        return predictions
    return keras.layers.Rescaling(part.width, part.center, dtype="float32")(predictions)


def output_names(target: MixedTargets) -> tuple[str, ...]:
    """Return the names of the outputs of `model.keras`: the targets, in which `/`, which Keras refuses, becomes `_`."""
    names: list[str] = []
    for column in target.columns:
        names.append(free_name(column.replace("/", "_"), names))
    return tuple(names)


def _each_prediction(target: MixedTargets, predictions: Any) -> dict[str, Any]:
    """Return the predictions for each target (batch, units) by its name, from those of all beside each other."""
    found, first = {}, 0
    for name, part in zip(output_names(target), target.parts, strict=True):
        values = predictions[:, first : first + part.outputs]
        found[name] = _restored(part, values)
        first += part.outputs
    return found
