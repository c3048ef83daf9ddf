"""The model that fits the kind of the data, where the config names none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from mltrain.keras_api.components import KerasComponent
from mltrain.models.cnn import Cnn
from mltrain.models.fusion import Fusion
from mltrain.models.head import Head
from mltrain.models.model import ModelSpec
from mltrain.models.pooled import Pooled
from mltrain.models.tabular import Tabular
from mltrain.task import DataInfo, Input, InputKind

_OF_TABLES: frozenset[InputKind] = frozenset({"table", "category", "vector"})
_OF_ONE_INPUT: dict[InputKind, ModelSpec] = {"image": Cnn(), "series": Cnn(), "text": Pooled()}


class Auto(ModelSpec):
    """The model that fits the data: `tabular` for columns of a table, `cnn` for images and series, `pooled` for texts,
    and `fusion` for several kinds of inputs."""

    type: Literal["auto"] = "auto"

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """Tokens: `pooled` and `fusion` take them."""
        return "tokens"

    @property
    def usual_epochs(self) -> int | None:
        """None: they follow from the model that fits."""
        return None

    def takes_text(self, column: str) -> bool:
        """Yes: `fusion` has an encoder for texts."""
        return True

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return None: there is a model for any inputs."""
        return None

    def for_data(self, info: DataInfo) -> ModelSpec:
        """Return the model that fits the inputs."""
        if all(each.kind in _OF_TABLES for each in info.inputs):
            return Tabular()
        single = info.inputs[0].kind if len(info.inputs) == 1 else None
        return _OF_ONE_INPUT[single] if single in _OF_ONE_INPUT else Fusion()

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model that fits."""
        return self.for_data(info).head(info, loss)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the model that fits, as a `keras.Model`."""
        return self.for_data(info).build(info, loss)
