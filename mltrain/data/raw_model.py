"""`model.keras`: raw columns in, predictions out, with nothing in it but what ships with Keras.

The graph has two storeys. Outside are the inputs, which carry the names of the raw columns; inside are preprocessing
and the trained model. So a column may be called `cast` or `where`: Keras gives such names to operations, and refuses a
graph that has a name twice. All numbers are filled and scaled together, in float64 like NumPy does it, so that a table
of a thousand columns costs five operations and not five thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mltrain.data.encoders.array import ArrayEncoder
from mltrain.data.encoders.category import CategoryEncoder, IndexEncoder, OrdinalEncoder
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.encoders.scaling import Scaling
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import Target

# (number of the encoder, number of the column among those it makes): where a column stands in the encoded table.
Place = tuple[int, int]


def raw_model(preprocessing: Preprocessing, core: keras.Model) -> keras.Model:
    """Return a model that takes raw columns, as `model({"island": tf.constant([["Biscoe"]]), "age": …})`.

    For a table it takes a dict of one tensor (batch, 1) a column: numbers and truth values as floats, NaN if missing;
    text as strings, empty if missing; dates as their parts, `sold.month`. A slash in a column's name becomes an
    underscore, the only character that Keras refuses. For an image or array column it takes the raw arrays (batch, …)
    themselves. Predictions are those of `core`; a target that was scaled for training comes out in its own units.

    It loads with plain `keras.models.load_model` in a process that knows nothing of mltrain. Called, it computes the
    bits of `Preprocessing.features`; Keras' `predict` rounds its input to float32 first. A graph cannot raise errors:
    with `missing: error` a missing number makes the prediction NaN, and an unknown category counts as none.

    Args:
        preprocessing: what was fitted.
        core: the trained model, on encoded features.
    """
    taken = {raw.name for raw in preprocessing.raw_inputs}
    inputs = {raw.name: keras.Input(raw.shape, dtype=raw.dtype, name=raw.name) for raw in preprocessing.raw_inputs}
    if preprocessing.array is not None:
        (image,) = inputs.values()
        inside = _array_graph(preprocessing.array, preprocessing.target, core, _free("predict", taken))
        return keras.Model(image, inside(image), name=_free("raw", taken))

    numbers = [inputs[raw.name] for raw in preprocessing.raw_inputs if raw.dtype != "string"]
    texts = [inputs[raw.name] for raw in preprocessing.raw_inputs if raw.dtype == "string"]
    inside = _table_graph(preprocessing, core, len(numbers), _free("predict", taken))
    joined = [keras.layers.Concatenate(dtype="float64", name=_free("numbers", taken))(numbers)] if numbers else []
    return keras.Model(inputs, inside([*joined, *texts]), name=_free("raw", taken))


def _array_graph(encoder: ArrayEncoder, target: Target, core: keras.Model, name: str) -> keras.Model:
    raw = keras.Input(encoder.shape, dtype=encoder.dtype)
    encoded = raw
    if any(encoder.center):
        encoded = ops.subtract(encoded, np.asarray(encoder.center, np.float32))
    if any(width != 1 for width in encoder.width):
        encoded = ops.divide(encoded, np.asarray(encoder.width, np.float32))
    if encoder.channel:
        encoded = ops.expand_dims(encoded, -1)
    return keras.Model(raw, _predictions(target, core, encoded), name=name)


def _table_graph(preprocessing: Preprocessing, core: keras.Model, count: int, name: str) -> keras.Model:
    """Return the model that takes [numbers (batch, count), text (batch, 1), text (batch, 1), …]."""
    inputs: list[Any] = [keras.Input((count,), dtype="float64")] if count else []
    numbers, scalings, places = list(inputs), *_scaled_columns(preprocessing)
    indicators: list[tuple[int, Place]] = _indicators(preprocessing, places)
    blocks: list[Any] = []
    made: list[Place] = []

    for number, encoder in enumerate(preprocessing.columns):
        if not isinstance(encoder, CategoryEncoder | IndexEncoder | OrdinalEncoder):
            continue
        text = keras.Input((1,), dtype="string")
        inputs.append(text)
        if isinstance(encoder, CategoryEncoder):
            blocks.append(_lookup(encoder.categories, "one_hot")(text)[:, 1:])  # the first column is for unknown texts
            made += [(number, position) for position in range(len(encoder.categories))]
        elif isinstance(encoder, IndexEncoder):
            blocks.append(ops.cast(_lookup(encoder.categories, "int")(text), "float32"))
            made.append((number, 0))
        else:
            order = _lookup(encoder.categories, "int")(text)
            known = ops.cast(order, "float64") - 1.0
            numbers.append(ops.where(ops.equal(order, 0), np.float64(np.nan), known))

    if numbers:
        scaled, absent = _scaled(ops.concatenate(numbers, axis=1), scalings)
        blocks.append(scaled)
        made += places
        if indicators:
            blocks.append(ops.take(absent, [column for column, _ in indicators], axis=1))
            made += [place for _, place in indicators]
    encoded = ops.concatenate(blocks, axis=1)
    in_order = sorted(range(len(made)), key=made.__getitem__)
    if in_order != list(range(len(made))):
        encoded = ops.take(encoded, in_order, axis=1)
    return keras.Model(inputs, _predictions(preprocessing.target, core, encoded), name=name)


def _scaled_columns(preprocessing: Preprocessing) -> tuple[list[Scaling], list[Place]]:
    """Return scaling and place of each scaled column: numbers and parts of dates first, then ordered categories."""
    raw: list[tuple[Scaling, Place]] = []
    ordinal: list[tuple[Scaling, Place]] = []
    for number, encoder in enumerate(preprocessing.columns):
        if isinstance(encoder, NumberEncoder):
            raw.append((encoder.scaling, (number, 0)))
        elif isinstance(encoder, DatetimeEncoder):
            raw += [(scaled.scaling, (number, position)) for position, scaled in enumerate(encoder.parts)]
        elif isinstance(encoder, OrdinalEncoder):
            ordinal.append((encoder.scaling, (number, 0)))
    return [scaling for scaling, _ in raw + ordinal], [place for _, place in raw + ordinal]


def _indicators(preprocessing: Preprocessing, places: Sequence[Place]) -> list[tuple[int, Place]]:
    """Return for each 0/1 column that says what was missing: the scaled column that it watches, and its place."""
    return [
        (places.index((number, 0)), (number, len(encoder.names) - 1))
        for number, encoder in enumerate(preprocessing.columns)
        if isinstance(encoder, NumberEncoder | DatetimeEncoder | OrdinalEncoder) and encoder.indicator
    ]


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
        oov_token=_free("[UNK]", categories),
        output_mode=output,
    )


def _predictions(target: Target, core: keras.Model, encoded: Any) -> Any:
    # Layers that change images draw at random in any call that does not say that it is no training.
    predictions = core(encoded, training=False)
    centers, widths = [part.center for part in target.parts], [part.width for part in target.parts]
    if (set(centers), set(widths)) == ({0.0}, {1.0}):
        return predictions
    scale, offset = (widths[0], centers[0]) if len(widths) == 1 else (widths, centers)
    return keras.layers.Rescaling(scale, offset, dtype="float32")(predictions)


def _free(name: str, taken: Sequence[str] | set[str]) -> str:
    """Return `name`, with as many underscores after it as make it none of `taken`."""
    while name in taken:
        name += "_"
    return name
