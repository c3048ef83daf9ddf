"""The layers of `tabular`, all of them Keras' own, and what is fitted on the training rows. Imports TensorFlow.

What is fitted, the scaling and the borders of the pieces, are weights that are not trained: they are in the checkpoints
and in `model.keras` like all others, and nothing but a training looks at the rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mltrain.keras_api.components import KerasComponent, make
from mltrain.models.branches import applied, flat_inputs, network
from mltrain.models.members import MEAN, MEMBERS
from mltrain.models.mlp import hidden_layers
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Input

# Numbers are squeezed between minus and plus so much (Holzmüller et al., 2024).
_LIMIT = 3.0
# The layers of one input have its place behind the name, where there are several.
_SCALING, _BORDERS = "robust_scaling", "borders_of_pieces"
_HEAD = "head"


@dataclass(frozen=True)
class NumberForm:
    """How numbers enter the network: the fields of `Tabular` of the same names."""

    scaling: str
    numbers: str
    pieces: int
    width: int
    frequency: float


@dataclass(frozen=True)
class Trunk:
    """What is behind the entrance: the fields of `Tabular` of the same names."""

    units: Sequence[int]
    activation: KerasComponent
    dropout: float
    members: int
    column_factors: bool


def tabular_model(form: NumberForm, trunk: Trunk, info: DataInfo) -> keras.Model:
    """Return the model with random weights; see `Tabular.build`."""

    def body(tensors: Sequence[Any]) -> Any:
        parts = [
            _entering(form, tensor, given, number, len(tensors))
            for number, (tensor, given) in enumerate(zip(tensors, info.inputs, strict=True))
        ]
        joined = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="columns")(parts)
        return _heads(info, _members(trunk, info, joined))

    return network(info, body, head_is_added=False)


def fit_numbers(form: NumberForm, model: keras.Model, info: DataInfo, inputs: Mapping[str, np.ndarray]) -> None:
    """Give a model the scaling of the numbers of the training rows, and the borders of their pieces.

    Args:
        form: of the model.
        model: as `tabular_model` made it.
        info: what is known of the data.
        inputs: the encoded training rows, by the name of the input.
    """
    for number, given in enumerate(info.inputs):
        places = list(given.places_of_numbers)
        if not places:
            continue
        flat = inputs[given.name].reshape(len(inputs[given.name]), -1)
        values = flat[:, places].astype(np.float64)
        if form.scaling == "robust":
            center, factor = robust_scaling(values)
            layer = model.get_layer(_named(_SCALING, number, len(info.inputs)))
            layer.set_weights([factor.astype(np.float32), (-center * factor).astype(np.float32)])
            values = squeezed((values - center) * factor)
        if form.numbers == "pieces":
            slopes, offsets = pieces(values, form.pieces)
            layer = model.get_layer(_named(_BORDERS, number, len(info.inputs)))
            layer.set_weights([slopes.astype(np.float32), offsets.astype(np.float32)])


def robust_scaling(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return center and factor of float64 `(rows, columns)`: the median, and 1 / (third quartile - first quartile);
    where half of the rows have one value, 2 / (maximum - minimum), and 0 for a constant column (Holzmüller et al.,
    2024)."""
    first, center, third = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    quartiles, whole = third - first, values.max(axis=0) - values.min(axis=0)
    with np.errstate(divide="ignore"):
        factor = np.where(quartiles > 0, 1 / quartiles, np.where(whole > 0, 2 / whole, 0.0))
    return center, factor


def squeezed(values: Any) -> Any:
    """Return `(…)` numbers squeezed smoothly between -3 and 3: x / sqrt(1 + (x / 3)²) (Holzmüller et al., 2024)."""
    return values / (1.0 + (values / _LIMIT) ** 2) ** 0.5


def pieces(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes and offsets `(columns, count)`, so that slope × value + offset passes from 0 to 1 in each piece.

    The borders are quantiles of the values; equal ones become one, and pieces that are left over give 0 everywhere
    (Gorishniy et al., 2022, equation 1).

    Args:
        values: float64 `(rows, columns)`.
        count: of pieces.
    """
    slopes = np.zeros((values.shape[1], count))
    offsets = np.zeros_like(slopes)
    quantiles = np.quantile(values, np.linspace(0.0, 1.0, count + 1), axis=0)
    for column, borders in enumerate(quantiles.T):
        known = np.unique(borders.astype(np.float32)).astype(np.float64)
        if len(known) > 1:
            slope = 1 / np.diff(known)
            slopes[column, : len(slope)] = slope
            offsets[column, : len(slope)] = -known[:-1] * slope
    return slopes, offsets


def _named(name: str, number: int, inputs: int) -> str:
    return name if inputs == 1 else f"{name}_{number + 1}"


def _entering(form: NumberForm, tensor: Any, given: Input, number: int, inputs: int) -> Any:
    """Return `(batch, width)` for an input: what enters the first hidden layer."""
    if given.kind == "category":
        return flat_inputs((tensor,), (given,))
    places = list(given.places_of_numbers)
    if not places:
        return tensor
    if len(given.shape) > 1:
        tensor = keras.layers.Flatten()(tensor)
    everything = len(places) == tensor.shape[1]
    numbers = tensor if everything else ops.take(tensor, np.array(places, "int32"), axis=1)
    if form.scaling == "robust":
        numbers = squeezed(_fitted("bf,f->bf", (len(places),), "f", _named(_SCALING, number, inputs))(numbers))
    formed = numbers if form.numbers == "none" else _formed(form, numbers, _named(_BORDERS, number, inputs))
    if everything:
        return formed
    others = np.setdiff1d(np.arange(tensor.shape[1]), places).astype("int32")
    return ops.concatenate([formed, ops.take(tensor, others, axis=1)], axis=1)


def _fitted(equation: str, shape: tuple[int, ...], axes: str, name: str) -> keras.Layer:
    """Return a layer whose weights are fitted, and not trained."""
    return keras.layers.EinsumDense(
        equation, shape, bias_axes=axes, kernel_initializer="ones", trainable=False, name=name
    )


def _formed(form: NumberForm, numbers: Any, borders: str) -> Any:
    """Return numbers `(batch, columns)` as `(batch, columns * width)`."""
    columns, count, width = numbers.shape[1], form.pieces, form.width
    if form.numbers == "pieces":
        shares = keras.layers.ReLU(max_value=1.0)(_fitted("bf,ft->bft", (columns, count), "ft", borders)(numbers))
        bound = 1 / math.sqrt(count)
        formed = _of_each("bft,ftw->bfw", (columns, width), bound)(shares)
        straight = _of_each("bf,fw->bfw", (columns, width), 1.0, bias=False)(numbers)
        return keras.layers.Flatten()(ops.relu(formed + straight))
    waves = keras.layers.EinsumDense(
        "bf,ft->bft",
        (columns, count),
        bias_axes="ft",
        kernel_initializer=keras.initializers.RandomNormal(stddev=2 * math.pi * form.frequency),
        bias_initializer=keras.initializers.RandomUniform(-math.pi, math.pi),
    )(numbers)
    formed = ops.relu(_of_each("bft,ftw->bfw", (columns, width), 1 / math.sqrt(count))(ops.cos(waves)))
    return keras.layers.Flatten()(ops.concatenate([formed, ops.expand_dims(numbers, -1)], axis=-1))


def _of_each(equation: str, shape: tuple[int, ...], bound: float, *, bias: bool = True) -> keras.Layer:
    """Return a layer with weights of its own for each column, which begin evenly between minus and plus `bound`."""
    start = keras.initializers.RandomUniform(-bound, bound)
    return keras.layers.EinsumDense(
        equation,
        shape,
        bias_axes="fw" if bias else None,
        kernel_initializer=start,
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


def _members(trunk: Trunk, info: DataInfo, joined: Any) -> Any:
    """Return the scores of each member `(batch, members, units)`, before the activation."""
    width, members, units = joined.shape[1], trunk.members, info.output.units
    if trunk.column_factors:
        joined = keras.layers.EinsumDense("bf,f->bf", (width,), kernel_initializer="ones", name="factors")(joined)
    if members > 1:
        factors = keras.layers.EinsumDense(
            "bf,mf->bmf", (members, width), kernel_initializer="ones", name="factors_of_members"
        )
        hidden = factors(joined)
        # Signs at random make the members differ from the first step on (Gorishniy et al., 2024).
        drawn = keras.random.uniform((members, width), seed=keras.random.SeedGenerator())
        factors.kernel.assign(ops.where(drawn < 0.5, -1.0, 1.0))
    else:
        hidden = ops.expand_dims(joined, 1)
    first_weights = {"kernel_initializer": make("initializer", "HeNormal")}
    hidden = applied(hidden_layers(trunk.units, trunk.activation, trunk.dropout, more=first_weights), hidden)
    bound = 1 / math.sqrt(hidden.shape[-1])
    return keras.layers.EinsumDense(
        "bmf,mfu->bmu",
        (members, units),
        bias_axes="mu",
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        dtype="float32",
        name=MEMBERS,
    )(hidden)


def _heads(info: DataInfo, scores: Any) -> Any:
    """Return the predictions `(batch, units)` for the scores of each member `(batch, members, units)`."""
    mean = keras.layers.GlobalAveragePooling1D(dtype="float32", name=MEAN)(scores)
    if not info.output.parts:
        activation = KINDS[info.task].activation
        return keras.layers.Activation(activation, dtype="float32", name=_HEAD)(mean)
    given = keras.Input((info.output.units,), name="scores")
    found = [
        keras.layers.Activation(KINDS[part.task].activation, dtype="float32", name=f"head_{number}")(given[:, place])
        for number, (part, place) in enumerate(info.output.placed, start=1)
    ]
    return keras.Model(given, keras.layers.Concatenate(name="outputs")(found), name=_HEAD)(mean)
