"""What every split answers, besides its rows, which are chosen in choice.py. No NumPy here."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.spec import Spec
from mltrain.task import SplitName


@dataclass(frozen=True)
class SplitColumn:
    """A column that a split reads.

    Attributes:
        name: of the column.
        read_as: what its texts are read as where `data.features` does not say it; None finds it out from its values.
        keeps_together: whether rows with equal values are in the same split.
        orders: whether it is the time by which rows are put in order.
        may_be_feature: whether it is a feature where `data.features` declares it; elsewhere it never is.
    """

    name: str
    read_as: str | None = None
    keeps_together: bool = False
    orders: bool = False
    may_be_feature: bool = True


def key_column(name: str) -> SplitColumn:
    """Return a column whose equal values keep rows together; what a value is must not depend on other rows."""
    return SplitColumn(name, read_as=AS_WRITTEN, keeps_together=True)


class SplitSpec(Spec):
    """A split, as the config states it."""

    why_no_folds: ClassVar[str | None]
    """Why a cross-validation cannot follow from it; None where `procedures/folds/configs.py` makes folds of it."""

    @abstractmethod
    def reads(self) -> tuple[SplitColumn, ...]:
        """Return every column that says which split a row is in, so that none becomes a feature by itself."""

    @abstractmethod
    def has_rows_for(self) -> set[SplitName]:
        """Return the splits that will have rows, as far as the config tells: a column may hold all of them."""

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns whose equal values keep rows together; none where every row is for itself."""
        return tuple(column.name for column in self.reads() if column.keeps_together)

    @property
    def time_column(self) -> str | None:
        """The column by which rows are put in order; None for the order in which they are."""
        return next((column.name for column in self.reads() if column.orders), None)
