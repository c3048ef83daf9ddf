"""A multilayer perceptron: the short form for tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.head import Head, added_head, head_layer
from mltrain.models.indices import refuse_tokens
from mltrain.models.input_encoder import InputEncoder
from mltrain.spec import Many
from mltrain.task import DataInfo, Input, InputKind


class Mlp(InputEncoder):
    """Hidden Dense layers, each with its activation, normalization and dropout, and then the head for the task."""

    type: Literal["mlp"] = "mlp"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"table", "vector", "series", "image", "array", "indices"})
    units: Annotated[Many[Annotated[int, Field(ge=1)]], Field(min_length=1)] = (64, 64)
    """Units of each hidden layer, such as `[128, 64]`."""
    activation: Annotated[KerasComponent, keras_component("activation")] = make("activation", "relu")
    """The activation of every hidden layer."""
    normalization: Literal["batch", "layer"] | None = None
    """Batch or layer normalization between each hidden layer and its activation."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of each hidden layer's outputs that is dropped while training."""
    kernel_initializer: Annotated[KerasComponent, keras_component("initializer")] = make("initializer", "GlorotUniform")
    """How the weights of the hidden layers start."""
    kernel_regularizer: Annotated[KerasComponent, keras_component("regularizer")] | None = None
    """The penalty on the weights of the hidden layers, such as `{type: L2, l2: 1e-4}`."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: always a layer that `build` adds."""
        return added_head(info, loss, f"an mlp ends in the layer that {info.task} needs")

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return why the network cannot have these inputs, or None: beside columns of a table it takes categories that
        have an embedding."""
        if all(each.kind in ("table", "category") for each in inputs):
            return None
        return super().inputs_problem(inputs)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, features)` in (more axes are flattened), `(batch, units)` out; of several
        inputs one tensor each, with the vectors of categories beside the columns of the table."""
        from mltrain.models.assembly import stack
        from mltrain.models.branches import applied, flat_inputs, network

        if len(info.inputs) > 1 or info.input.kind == "category":
            return network(info, lambda tensors: applied(self._hidden_of(1), flat_inputs(tensors, info.inputs)))
        refuse_tokens(info, ("model", "type"))
        if info.output.parts:
            return network(info, lambda tensors: applied(self._hidden(info.input), tensors[0]))
        return stack((*self._hidden(info.input), head_layer(info)), info)

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, units of the last hidden layer)`."""
        from mltrain.models.branches import applied

        return applied(self._hidden(given), tensor)

    def _hidden(self, given: Input) -> list[KerasComponent]:
        return self._hidden_of(len(given.shape))

    def _hidden_of(self, axes: int) -> list[KerasComponent]:
        more: dict[str, Any] = {"kernel_initializer": self.kernel_initializer}
        if self.kernel_regularizer is not None:
            more["kernel_regularizer"] = self.kernel_regularizer
        flat = [make("layer", "Flatten")] if axes > 1 else []
        return flat + hidden_layers(self.units, self.activation, self.dropout, self.normalization, more)


def hidden_layers(
    units: Sequence[int],
    activation: KerasComponent,
    dropout: float,
    normalization: Literal["batch", "layer"] | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> list[KerasComponent]:
    """Return hidden layers on each other.

    Args:
        units: of each.
        activation: of each.
        dropout: the share of the outputs of each that is dropped while training.
        normalization: between each and its activation.
        more: arguments of each.
    """
    layers: list[KerasComponent] = []
    for count in units:
        if normalization is None:
            layers.append(make("layer", "Dense", units=count, activation=activation, **more))
        else:
            layers.append(make("layer", "Dense", units=count, **more))
            layers.append(make("layer", "BatchNormalization" if normalization == "batch" else "LayerNormalization"))
            layers.append(make("layer", "Activation", activation=activation))
        if dropout:
            layers.append(make("layer", "Dropout", rate=dropout))
    return layers
