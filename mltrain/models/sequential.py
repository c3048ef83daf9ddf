"""A stack of Keras layers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.keras_api.components import KerasComponent, keras_component
from mltrain.models.head import Head, find_head, head_layer
from mltrain.models.indices import IndexTable, index_table, refuse_indices
from mltrain.spec import Many, Spec
from mltrain.task import DataInfo

Layer = Annotated[KerasComponent, keras_component("layer")]


class Sequential(Spec):
    """A stack of Keras layers; the head for the task is added unless the model ends in one."""

    type: Literal["sequential"] = "sequential"
    layers: Annotated[Many[Layer], Field(min_length=1)]
    """The layers, from the input to the output."""

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: its own last layer, or one that `build` adds."""
        return find_head(self.layers, info, loss)

    @property
    def index_table(self) -> IndexTable | None:
        """The layer that looks up index numbers in the data, or None."""
        return index_table(self.layers)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, *info.input_shape)` in, `(batch, info.outputs)` out.

        Raises:
            MisfitError: the layers do not fit on each other or on the data; the path is that of the first that does
                not.
        """
        from mltrain.models.assembly import stack

        added = (head_layer(info),) if self.head(info, loss).added else ()
        refuse_indices(self.layers, info)
        return stack(self.layers + added, info, written=len(self.layers))
