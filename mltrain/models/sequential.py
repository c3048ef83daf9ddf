"""A stack of Keras layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent, keras_component
from mltrain.models.head import Head, find_head, head_layer
from mltrain.models.indices import IndexTable, index_table, refuse_small, refuse_tokens, sized
from mltrain.models.model import ModelSpec
from mltrain.spec import Many
from mltrain.task import DataInfo

Layer = Annotated[KerasComponent, keras_component("layer")]


class Sequential(ModelSpec):
    """A stack of Keras layers; the head for the task is added unless the model ends in one."""

    type: Literal["sequential"] = "sequential"
    layers: Annotated[Many[Layer], Field(min_length=1)]
    """The layers, from the input to the output."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: its own last layer, or one that `build` adds."""
        return find_head(self.layers, info, loss)

    @property
    def written_layers(self) -> tuple[KerasComponent, ...]:
        """The layers, from the input to the output."""
        return self.layers

    @property
    def may_end_in_logits(self) -> bool:
        """Whether the last layer can be without its activation: it is the config's own."""
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield `(path below model, message)` for layers that fit no stack, and for names that two layers have."""
        names = [dict(layer.arguments).get("name") for layer in self.layers]
        for number, layer in enumerate(self.layers):
            if layer.entry.inputs == "many":
                message = f"{layer.type} takes several inputs, and a layer of a sequential model has one"
                yield ("layers", number, "type"), message
            name = names[number]
            if name is not None and name in names[:number]:
                message = f"layers[{names.index(name)}] has the name '{name}' already: each layer needs one of its own"
                yield ("layers", number, "name"), message
            sized = self.index_table is not None and self.index_table.layer == number
            if dict(layer.arguments).get("input_dim") == "auto" and not sized:
                message = "auto is for the first layer that looks at the tokens of a text (state a number)"
                yield ("layers", number, "input_dim"), message

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """Tokens where an Embedding layer looks them up."""
        table = self.index_table
        return "tokens" if table is not None and self.layers[table.layer].type != "CategoryEncoding" else "tf_idf"

    @property
    def index_table(self) -> IndexTable | None:
        """The layer that looks up index numbers in the data, or None."""
        return index_table(self.layers)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, *info.input.shape)` in, `(batch, info.output.units)` out.

        Raises:
            MisfitError: the layers do not fit on each other or on the data; the path is that of the first that does
                not.
        """
        from mltrain.models.assembly import stack

        added = (head_layer(info),) if self.head(info, loss).added and not info.output.parts else ()
        if self.index_table is None:
            refuse_tokens(info, ("model", "layers", 0, "type"))
        refuse_small(self.index_sizes(info), info)
        return stack(sized(self.layers, info) + added, info, written=len(self.layers))
