"""Networks of several branches, and the parts of which branches are made. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent
from mltrain.models.head import head_layer
from mltrain.models.walk import refuse_other_outputs
from mltrain.task import DataInfo, Input
from mltrain.wording import free_name


def network(
    info: DataInfo,
    body: Callable[[list[Any]], Any],
    head_is_added: bool = True,
    taken: Collection[str] = (),
    head: Mapping[str, Any] = MappingProxyType({}),
) -> keras.Model:
    """Return a model of all inputs that ends in the head for the task, or in one for each of several targets.

    Args:
        info: what is known of the data.
        body: from the tensors of the inputs, in their order, to `(batch, features)`; for targets of different kinds it
            may return one tensor for each, by its name.
        head_is_added: whether `body` does not end in a head.
        taken: names that layers of `body` have.
        head: arguments of the layers that are added.

    Raises:
        MisfitError: the outputs are of another shape than the task needs.
    """
    names = ["features"] if len(info.inputs) == 1 else [f"input_{number + 1}" for number in range(len(info.inputs))]
    inputs = [
        keras.Input(each.shape, dtype=each.dtype, name=free_name(name, taken))
        for each, name in zip(info.inputs, names, strict=True)
    ]
    return network_of(inputs, body(inputs), info, head_is_added, taken, head)


def network_of(
    inputs: Sequence[Any],
    outputs: Any,
    info: DataInfo,
    head_is_added: bool = True,
    taken: Collection[str] = (),
    head: Mapping[str, Any] = MappingProxyType({}),
) -> keras.Model:
    """Return the model from inputs to the heads behind `outputs`; arguments and errors as for `network`."""
    policy = keras.config.dtype_policy()
    if head_is_added:
        try:
            # Probabilities of three digits make a bad loss: the head computes in float32 whatever the others do.
            keras.config.set_dtype_policy("float32")
            outputs = _with_heads(outputs, info, taken, head)
        finally:
            keras.config.set_dtype_policy(policy)
    refuse_other_outputs(outputs.shape[1:], info)
    return keras.Model(inputs[0] if len(inputs) == 1 else inputs, outputs, name="model")


def _with_heads(outputs: Any, info: DataInfo, taken: Collection[str], head: Mapping[str, Any]) -> Any:
    """Return outputs behind the head for the task; for targets of different kinds those of all heads beside each
    other."""
    if not info.output.parts:
        return build(head_layer(info, **{"name": free_name("head", taken), **head}))(outputs)
    found = []
    for number, each in enumerate(info.of_parts, start=1):
        below = outputs[each.output.name] if isinstance(outputs, dict) else outputs
        found.append(build(head_layer(each, **{"name": free_name(f"head_{number}", taken), **head}))(below))
    return keras.layers.Concatenate(name=free_name("outputs", taken))(found)


def applied(layers: Sequence[KerasComponent], tensor: Any) -> Any:
    """Return a tensor after layers."""
    for layer in layers:
        tensor = build(layer)(tensor)
    return tensor


def embedding(tensor: Any, given: Input, width: int, indices: int | None, *, masked: bool) -> Any:
    """Return index numbers `(batch, steps)` as vectors `(batch, steps, width)`.

    Args:
        tensor: of the input.
        given: what is known of it.
        width: of a vector.
        indices: how many different numbers there are, where the input does not know it.
        masked: whether the layers behind it are told which steps are padding, 0.

    Raises:
        ValueError: how many numbers there are is known neither to the input nor to the config.
    """
    size = given.indices or indices
    if size is None:
        raise ValueError("state `indices`, the number of different index numbers in its arrays")
    return keras.layers.Embedding(size, width, mask_zero=masked)(tensor)


def flat_inputs(tensors: Sequence[Any], inputs: Sequence[Input]) -> Any:
    """Return columns of tables and vectors of categories beside each other, `(batch, features)`; the vector of an
    unknown category is 0."""
    parts = []
    for tensor, given in zip(tensors, inputs, strict=True):
        if given.kind != "category":
            parts.append(tensor)
            continue
        vectors = embedding(tensor, given, given.width or 1, None, masked=False)
        parts.append(mean_of_steps(vectors, steps_that_count(tensor)))
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def steps_that_count(tensor: Any) -> Any:
    """Return which index numbers `(batch, steps)` are not padding, as booleans."""
    return ops.not_equal(tensor, 0)


def mean_of_steps(vectors: Any, counts: Any = None) -> Any:
    """Return the mean `(batch, width)` of vectors `(batch, steps, width)` over the steps that count; 0 where none does.

    Keras' own pooling divides by 0 where a whole row is masked, as that of an empty text.
    """
    if counts is None:
        return ops.mean(vectors, axis=1)
    weights = ops.expand_dims(ops.cast(counts, vectors.dtype), -1)
    return ops.sum(vectors * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


def largest_of_steps(vectors: Any, counts: Any = None) -> Any:
    """Return the largest value `(batch, width)` of vectors `(batch, steps, width)` over the steps that count; 0 where
    none does."""
    if counts is None:
        return ops.max(vectors, axis=1)
    # No smaller than what float16 holds.
    largest = ops.max(ops.where(ops.expand_dims(counts, -1), vectors, -60000.0), axis=1)
    return ops.where(ops.any(counts, axis=1, keepdims=True), largest, 0.0)


def joined(parts: Sequence[Any], how: str, width: int) -> Any:
    """Return encoded inputs `(batch, …)` as one tensor; `how` and `width` as in `Fusion`."""
    if len(parts) == 1:
        return parts[0]
    if how == "concatenate":
        return ops.concatenate(parts, axis=-1)
    vectors = [keras.layers.Dense(width)(part) for part in parts]
    if how == "sum":
        return keras.layers.Add()(vectors)
    if how == "gate":
        together = ops.concatenate(vectors, axis=-1)
        gates = [keras.layers.Dense(width, activation="sigmoid")(together) for _ in vectors]
        return keras.layers.Add()([gate * vector for gate, vector in zip(gates, vectors, strict=True)])
    stacked = ops.stack(vectors, axis=1)
    weights = ops.softmax(keras.layers.Dense(1)(ops.tanh(stacked)), axis=1)
    return ops.sum(stacked * weights, axis=1)


def attention_block(vectors: Any, counts: Any, *, heads: int, inner: int, dropout: float) -> Any:
    """Return vectors `(batch, steps, width)` after a block of a transformer encoder, normalized before each part
    (Xiong et al., On layer normalization in the transformer architecture, 2020).

    The mask is given to the attention itself: Keras takes it off the tensor that passes, and a block behind it would
    attend to padding without a word (3.15).

    Args:
        vectors: of the steps.
        counts: which steps are not padding `(batch, steps)`; None where all count.
        heads: of the attention.
        inner: units of the dense layer inside.
        dropout: the share of outputs that is dropped while training.
    """
    width = vectors.shape[-1]
    normal = keras.layers.LayerNormalization(epsilon=1e-6)(vectors)
    mask = None if counts is None else ops.expand_dims(counts, 1)
    attention = keras.layers.MultiHeadAttention(heads, max(width // heads, 1), dropout=dropout)
    seen = attention(normal, normal, attention_mask=mask)
    vectors = vectors + keras.layers.Dropout(dropout)(seen)
    normal = keras.layers.LayerNormalization(epsilon=1e-6)(vectors)
    thought = keras.layers.Dense(width)(keras.layers.Dense(inner, activation="gelu")(normal))
    return vectors + keras.layers.Dropout(dropout)(thought)


def with_positions(vectors: Any) -> Any:
    """Return vectors `(batch, steps, width)` with a learned vector added for each place."""
    # Of the tensor itself: what is not made of the inputs is no part of the graph, and would not be trained.
    places = ops.cumsum(ops.ones_like(vectors[:, :, 0], dtype="int32"), axis=1) - 1
    return vectors + keras.layers.Embedding(vectors.shape[1], vectors.shape[2])(places)
