"""A multilayer perceptron: the short form for tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.head import Head, added_head, head_layer
from mltrain.models.indices import refuse_tokens
from mltrain.models.model import ModelSpec
from mltrain.spec import Many
from mltrain.task import DataInfo


class Mlp(ModelSpec):
    """Hidden Dense layers, each with its activation, normalization and dropout, and then the head for the task."""

    type: Literal["mlp"] = "mlp"
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

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: always a layer that `build` adds."""
        return added_head(info, loss, f"an mlp ends in the layer that {info.task} needs")

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, features)` in (more axes are flattened), `(batch, units)` out.

        Raises:
            MisfitError: the data are tokens of a text.
        """
        from mltrain.models.assembly import stack

        refuse_tokens(info, ("model", "type"))
        return stack((*self._hidden(info), head_layer(info)), info)

    def _hidden(self, info: DataInfo) -> list[KerasComponent]:
        layers = [make("layer", "Flatten")] if len(info.input.shape) > 1 else []
        for units in self.units:
            dense = {"units": units, "kernel_initializer": self.kernel_initializer}
            if self.kernel_regularizer is not None:
                dense["kernel_regularizer"] = self.kernel_regularizer
            if self.normalization is None:
                layers.append(make("layer", "Dense", activation=self.activation, **dense))
            else:
                kind = "BatchNormalization" if self.normalization == "batch" else "LayerNormalization"
                layers.append(make("layer", "Dense", **dense))
                layers.append(make("layer", kind))
                layers.append(make("layer", "Activation", activation=self.activation))
            if self.dropout:
                layers.append(make("layer", "Dropout", rate=self.dropout))
        return layers
