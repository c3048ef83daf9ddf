"""A recurrent network: the short form for series and texts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import make
from mltrain.models.input_encoder import InputEncoder
from mltrain.spec import Many
from mltrain.task import Input, InputKind


class Rnn(InputEncoder):
    """Recurrent layers, of which the last gives its state after the last step. Padding of texts is skipped."""

    type: Literal["rnn"] = "rnn"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"series", "text", "indices"})
    cell: Literal["LSTM", "GRU"] = "LSTM"
    """The recurrent layer."""
    units: Annotated[Many[Annotated[int, Field(ge=1)]], Field(min_length=1)] = (64,)
    """Units of each layer, such as `[64, 32]`."""
    bidirectional: bool = False
    """Whether each layer also goes backwards through the steps; its outputs are twice as wide."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the inputs of each layer that is dropped while training."""
    width: Annotated[int, Field(ge=1)] = 64
    """The length of the vector of each word or index number."""
    indices: Annotated[int, Field(ge=1)] | None = None
    """The number of different index numbers in the arrays of a file; for a text column it is known."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, units of the last layer)`."""
        from mltrain.models.branches import applied, embedding

        vectors = tensor
        if given.dtype == "int32":
            vectors = embedding(tensor, given, self.width, self.indices, masked=True)
        for number, units in enumerate(self.units, start=1):
            goes_on = number < len(self.units)
            layer = make("layer", self.cell, units=units, dropout=self.dropout, return_sequences=goes_on)
            vectors = applied([make("layer", "Bidirectional", layer=layer) if self.bidirectional else layer], vectors)
        return vectors
