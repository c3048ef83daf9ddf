"""The mean of the vectors of all words: the cheapest network for texts, and often a good one."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import make
from mltrain.models.input_encoder import InputEncoder
from mltrain.task import Input, InputKind


class Pooled(InputEncoder):
    """A vector for each word, and their mean: Joulin et al., Bag of tricks for efficient text classification, 2017."""

    type: Literal["pooled"] = "pooled"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"text", "indices", "category"})
    width: Annotated[int, Field(ge=1)] = 64
    """The length of the vector of each word."""
    pooling: Literal["mean", "max", "both"] = "mean"
    """The mean of the vectors, their largest values, or both beside each other."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the outputs that is dropped while training."""
    indices: Annotated[int, Field(ge=1)] | None = None
    """The number of different index numbers in the arrays of a file; for a text column it is known."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, width)`, twice as wide for `both`."""
        from keras import ops

        from mltrain.models.branches import applied, embedding, largest_of_steps, mean_of_steps, steps_that_count

        counts = steps_that_count(tensor)
        vectors = embedding(tensor, given, self.width, self.indices, masked=False)
        parts = []
        if self.pooling != "max":
            parts.append(mean_of_steps(vectors, counts))
        if self.pooling != "mean":
            parts.append(largest_of_steps(vectors, counts))
        joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        return applied([make("layer", "Dropout", rate=self.dropout)], joined) if self.dropout else joined
