"""A transformer encoder: the short form for series and texts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from mltrain.first_weights.spec import FirstWeights
from mltrain.models.input_encoder import InputEncoder
from mltrain.spec import fail, problem
from mltrain.task import Input, InputKind


class Transformer(InputEncoder):
    """Vectors of the steps with learned positions, blocks of attention, and the mean over the steps. Padding of texts
    is left out everywhere."""

    type: Literal["transformer"] = "transformer"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"series", "text", "indices"})
    width: Annotated[int, Field(ge=1)] = 64
    """The length of the vector of each step."""
    heads: Annotated[int, Field(ge=1)] = 4
    """Heads of each attention; `width` must be a multiple of it."""
    blocks: Annotated[int, Field(ge=1)] = 2
    """Blocks on each other."""
    feed_forward: Annotated[int, Field(ge=1)] | None = None
    """Units of the dense layer in each block; null is twice the width."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The share of the outputs of each part of a block that is dropped while training."""
    positions: bool = True
    """Whether the blocks know the place of each step."""
    indices: Annotated[int, Field(ge=1)] | None = None
    """The number of different index numbers in the arrays of a file; for a text column it is known."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Transformer:
        if self.width % self.heads:
            message = f"the width, {self.width}, must be a multiple of the number of heads"
            raise fail("transformer", [problem("heads", message, ("heads",), self.heads)])
        return self

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, width)`."""
        import keras

        from mltrain.models.branches import attention_block, embedding, mean_of_steps, steps_that_count, with_positions

        counts = None
        if given.dtype == "int32":
            counts = steps_that_count(tensor)
            vectors = embedding(tensor, given, self.width, self.indices, masked=False)
        else:
            vectors = keras.layers.Dense(self.width)(tensor)
        if self.positions:
            vectors = with_positions(vectors)
        inner = self.feed_forward or 2 * self.width
        for _ in range(self.blocks):
            vectors = attention_block(vectors, counts, heads=self.heads, inner=inner, dropout=self.dropout)
        return mean_of_steps(keras.layers.LayerNormalization(epsilon=1e-6)(vectors), counts)
