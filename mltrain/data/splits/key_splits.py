"""Splits in which rows with the same key, as those of one patient, stay together: by group, and by a hash."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.data.splits.shares import Seed, Share, held_out, refuse_everything
from mltrain.data.splits.split_spec import SplitColumn, SplitSpec, key_column
from mltrain.spec import Many
from mltrain.task import SplitName

_Fraction = Annotated[float, Field(ge=0, lt=1)]


class GroupSplit(SplitSpec):
    """Whole groups drawn at random: all rows with the same value in a column, such as those of one patient, are in one
    split."""

    why_no_folds = None
    type: Literal["group"] = "group"
    column: str
    """The column that names the group of a row. It is not a feature, unless `data.features` declares it."""
    validation: Share = 0.2
    """Validation rows: a fraction of all rows (0.2) or a number of rows (500), reached as nearly as the groups allow in
    the order in which they are drawn; 0 for none."""
    test: Share = 0.2
    """Test rows: a fraction of all rows or a number of rows. They are drawn first."""
    seed: Seed | None = None
    """The seed of the draw; null uses the experiment's seed."""
    stratify: Literal["auto"] | bool = "auto"
    """Give every split about the same proportions of the classes; auto does so if each class is in enough groups."""

    @model_validator(mode="after")
    def _rows_are_left_for_training(self) -> GroupSplit:
        refuse_everything("group", self.validation, self.test)
        return self

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return the column of the groups."""
        return (key_column(self.column),)

    def has_rows_for(self) -> set[SplitName]:
        """Return training and what has a share."""
        return held_out(self.validation, self.test)


class HashSplit(SplitSpec):
    """The split of a row follows from a hash of its key alone: rows that are added later never move other rows."""

    why_no_folds = "a hash fixes the split of every row"
    type: Literal["hash"] = "hash"
    columns: Annotated[Many[str], Field(min_length=1)]
    """The columns of the key, such as `[id]`: rows with the same key are in the same split. They are not features,
    unless `data.features` declares them."""
    validation: _Fraction = 0.2
    """The fraction of the keys for validation. With many keys, it is about the same fraction of the rows."""
    test: _Fraction = 0.2
    """The fraction of the keys for the test."""
    seed: Seed | None = None
    """It is hashed with the key, so another seed gives another split; null uses the experiment's seed."""

    @model_validator(mode="after")
    def _rows_are_left_for_training(self) -> HashSplit:
        refuse_everything("hash", self.validation, self.test)
        return self

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return the columns of the key."""
        return tuple(map(key_column, self.columns))

    def has_rows_for(self) -> set[SplitName]:
        """Return training and what has a share."""
        return held_out(self.validation, self.test)
