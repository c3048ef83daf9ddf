"""What every model answers for itself, so that no other room asks which model it is. No TensorFlow here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Literal

from mltrain.keras_api.components import KerasComponent
from mltrain.models.head import Head
from mltrain.models.indices import IndexTable
from mltrain.spec import Spec
from mltrain.task import DataInfo


class ModelSpec(Spec):
    """A network, as the config says it."""

    @property
    def written_layers(self) -> tuple[KerasComponent, ...]:
        """The layers that the config lists under `model.layers`, from the input on."""
        return ()

    @property
    def index_table(self) -> IndexTable | None:
        """The layer that looks up index numbers in the data; None if there is none."""
        return None

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """How free text is encoded where that is not stated: as tokens, or as the columns of a table."""
        return "tf_idf"

    @property
    def may_end_in_logits(self) -> bool:
        """Whether the config can leave out the activation of the head."""
        return False

    @property
    def is_linear(self) -> bool:
        """Whether each output is a weighted sum of the inputs, so that the weights are coefficients."""
        return False

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield `(path below model, message)` for all that is wrong whatever the data are."""
        yield from ()

    @abstractmethod
    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model.

        Raises:
            MisfitError: the loss expects logits, and the model does not end in them.
        """

    @abstractmethod
    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model` with random weights: `(batch, *shape)` of the input in, `(batch, units)` out.

        Raises:
            MisfitError: the layers do not fit on each other or on the data.
        """
