"""A linear model: one Dense layer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.head import Head, added_head, head_layer
from mltrain.models.indices import refuse_tokens
from mltrain.models.model import ModelSpec
from mltrain.task import DataInfo

Initializer = Annotated[KerasComponent, keras_component("initializer")]


class Linear(ModelSpec):
    """One Dense layer: linear regression, or logistic regression for classes."""

    type: Literal["linear"] = "linear"
    kernel_initializer: Initializer = make("initializer", "GlorotUniform")
    """How the weights start; `zeros` starts every slope at 0."""
    bias_initializer: Initializer = make("initializer", "Zeros")
    """How the intercept starts."""
    kernel_regularizer: Annotated[KerasComponent, keras_component("regularizer")] | None = None
    """The penalty on the weights, such as `{type: L2, l2: 1e-4}`."""

    @property
    def is_linear(self) -> bool:
        """Yes."""
        return True

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: the one layer that `build` makes."""
        return added_head(info, loss, "a linear model is one Dense layer")

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, features)` in (more axes are flattened), `(batch, units)` out.

        Raises:
            MisfitError: the data are tokens of a text.
        """
        from mltrain.models.assembly import stack
        from mltrain.models.branches import applied, network

        refuse_tokens(info, ("model", "type"))
        arguments: dict[str, Any] = {
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
        }
        if self.kernel_regularizer is not None:
            arguments["kernel_regularizer"] = self.kernel_regularizer
        flat = (make("layer", "Flatten"),) if len(info.input.shape) > 1 else ()
        if info.output.parts:
            return network(info, lambda tensors: applied(flat, tensors[0]), head=arguments)
        return stack((*flat, head_layer(info, **arguments)), info)
