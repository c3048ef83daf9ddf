"""A strong network for tables: the best default that is known for columns of numbers and categories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.head import Head, added_head
from mltrain.models.model import ModelSpec, UsualTraining
from mltrain.spec import Many
from mltrain.task import DataInfo, Decision, Input
from mltrain.wording import counted, listed

if TYPE_CHECKING:
    import numpy as np

    from mltrain.models.tabular_layers import NumberForm

# Epochs are so many and as many more as see so many rows.
_FEWEST_EPOCHS, _MOST_EPOCHS, _ROWS_SEEN = 10, 250, 100_000
# A batch has one of so many training rows, as a power of two within these bounds.
_ROWS_PER_BATCH_ROW, _SMALLEST_BATCH, _LARGEST_BATCH = 30, 32, 256
# Of the epochs: on twelve of the tables for choosing, 41 % fewer were trained, and a better one came later on none.
# With 0.15 it did on two.
_PATIENCE = 0.25
# Eight values for each number are too many for few rows. With 100 spectral columns and 115 rows, pieces had an R² of
# 0.64 on the test rows, the numbers alone 0.97. Of three tables cut to 1.5 and to 4 rows a column, five of six had a
# smaller log loss without pieces; cut to 8, two of three with them.
_ROWS_OF_PIECES = 5


class Tabular(ModelSpec):
    """Several small networks in one, on numbers that are scaled robustly and cut into pieces; their mean is the
    prediction. Each part has its source, and can be switched off."""

    type: Literal["tabular"] = "tabular"
    units: Annotated[Many[Annotated[int, Field(ge=1)]], Field(min_length=1)] = (128, 128)
    """Units of each hidden layer."""
    activation: Annotated[KerasComponent, keras_component("activation")] = make("activation", "relu")
    """The activation of every hidden layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The share of each hidden layer's outputs that is dropped while training."""
    members: Annotated[int, Field(ge=1, le=64)] = 8
    """How many networks are in it. They share the weights of the hidden layers; each has factors of its own for what
    enters the first layer, and a head of its own. While training each is judged by its own loss (TabM-mini of
    Gorishniy et al., TabM: advancing tabular deep learning with parameter-efficient ensembling, 2024)."""
    scaling: Literal["robust", "none"] = "robust"
    """`robust`: numbers are centered on their median, divided by their quartile range, and squeezed smoothly between -3
    and 3, so that no outlier is far away (Holzmüller et al., Better by default: strong pre-tuned MLPs and boosted trees
    on tabular data, 2024). `none` leaves them as `data.scale` made them."""
    numbers: Literal["auto", "pieces", "waves", "none"] = "auto"
    """How each number enters the network. auto is `pieces`, or `none` if there are fewer than five training rows for
    each column of numbers. `pieces`: a piecewise-linear function of it is learned, with pieces between
    quantiles of the training rows. `waves`: cosines of it with learned frequencies (both: Gorishniy et al., On
    embeddings for numerical features in tabular deep learning, 2022; Holzmüller et al., 2024). `none`: as it is."""
    pieces: Annotated[int, Field(ge=2, le=256)] = 16
    """With `pieces`: how many there are for each number. With `waves`: how many cosines."""
    width: Annotated[int, Field(ge=1, le=256)] = 8
    """How many values each number becomes, with `pieces` and `waves`."""
    frequency: Annotated[float, Field(gt=0)] = 0.1
    """With `waves`: the standard deviation of the first frequencies."""
    column_factors: bool = False
    """Whether everything that enters the first layer has a learned factor (Holzmüller et al., 2024)."""

    @property
    def usual_epochs(self) -> int | None:
        """None: they follow from the rows."""
        return None

    @property
    def member_count(self) -> int:
        """As many as are stated."""
        return self.members

    @property
    def worth_xla(self) -> int | None:
        """Of 2,000 updates on: compiling takes 2 s more, and a step of a small batch a millisecond less."""
        return 2_000

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return why the network cannot have these inputs, or None: it takes columns of a table, categories that have
        an embedding, and arrays of numbers, such as windows of a series."""
        others = [each.name for each in inputs if each.kind not in ("table", "category", "vector", "series")]
        if not others:
            return None
        names = listed(others)
        return (
            f"a model of type tabular takes columns of numbers and categories, and not {names}: use `type: fusion` or "
            f"`type: graph`, or set {'it' if len(others) == 1 else 'them'} to ignore under data.features"
        )

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: a head for each member, whose scores are averaged before the activation."""
        why = f"{counted(self.members, 'member')}, whose mean gets the activation that {info.task} needs"
        return added_head(info, loss, why)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, features)` in, and `(batch, 1)` for each category with an embedding;
        `(batch, units)` out.

        Raises:
            MisfitError: an input is of another kind.
        """
        from mltrain.models.tabular_layers import Trunk, tabular_model

        problem = self.inputs_problem(info.inputs)
        if problem is not None:
            raise MisfitError(("model", "type"), problem)
        trunk = Trunk(self.units, self.activation, self.dropout, self.members, self.column_factors)
        return tabular_model(self._number_form(info), trunk, info)

    def initialise(
        self, model: Any, info: DataInfo, inputs: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray]
    ) -> tuple[Decision, ...]:
        """Fit the scaling and the pieces on the training rows."""
        from mltrain.models.tabular_layers import fit_numbers

        fit_numbers(self._number_form(info), model, info, inputs)
        return ()

    def choices(self, info: DataInfo) -> tuple[Decision, ...]:
        """Return how numbers enter the network, where that is not stated."""
        columns = _columns_of_numbers(info)
        if self.numbers != "auto" or not columns:
            return ()
        reason = f"{counted(info.train_rows, 'training row')} for {counted(columns, 'column')} of numbers"
        return (Decision("model.numbers", self._numbers(info), reason),)

    def _numbers(self, info: DataInfo) -> Literal["pieces", "waves", "none"]:
        if self.numbers != "auto":
            return self.numbers
        return "none" if info.train_rows < _ROWS_OF_PIECES * _columns_of_numbers(info) else "pieces"

    def _number_form(self, info: DataInfo) -> NumberForm:
        from mltrain.models.tabular_layers import NumberForm

        return NumberForm(self.scaling, self._numbers(info), self.pieces, self.width, self.frequency)

    def usual_training(self, info: DataInfo) -> UsualTraining:
        """Return epochs and batch size by the number of rows, and the optimizer with its schedule.

        Few rows are seen hundreds of times and many ones about ten times, in batches that grow with their number.
        """
        rows = info.train_rows
        batch_size = 2 ** round(math.log2(max(rows / _ROWS_PER_BATCH_ROW, 1)))
        return UsualTraining(
            epochs=min(_FEWEST_EPOCHS + round(_ROWS_SEEN / rows), _MOST_EPOCHS),
            batch_size=min(max(batch_size, _SMALLEST_BATCH), _LARGEST_BATCH),
            optimizer=make("optimizer", "Adam", learning_rate=0.01),
            schedule={"type": "cosine"},
            patience=_PATIENCE,
            reason=f"for {counted(rows, 'training row')}",
            of_model="the usual one of tabular",
        )


def _columns_of_numbers(info: DataInfo) -> int:
    return sum(len(given.places_of_numbers) for given in info.inputs)
