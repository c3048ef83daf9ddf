"""Which rows are for training, for validation and for the test, as the config says it: `SPLIT_SPECS` is the list.

Each is a `SplitSpec`. Its rows are chosen in `choice.py`: no NumPy here, as `mltrain validate` needs the specs alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, model_validator

from mltrain.data.sources import SOURCES, Source
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.key_splits import GroupSplit, HashSplit
from mltrain.data.splits.shares import Seed, Share, held_out, refuse_everything, share
from mltrain.data.splits.split_spec import SplitColumn, SplitSpec
from mltrain.spec import OneOf
from mltrain.task import SPLITS, SplitName


class RandomSplit(SplitSpec):
    """Rows drawn at random, like scikit-learn's train_test_split: the test rows first, validation rows from the
    rest."""

    why_no_folds = None
    type: Literal["random"] = "random"
    validation: Share = 0.2
    """Validation rows: a fraction of all rows (0.2), a number of rows (500), or 0 for none."""
    test: Share = 0.2
    """Test rows: a fraction of all rows, a number of rows, or 0 for none."""
    seed: Seed | None = None
    """The seed of the draw; null uses the experiment's seed."""
    stratify: Literal["auto"] | bool = "auto"
    """Give every split the same proportions of the classes; auto does so if every class has enough rows."""

    @model_validator(mode="after")
    def _rows_are_left_for_training(self) -> RandomSplit:
        refuse_everything("random", self.validation, self.test)
        return self

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return none: rows are drawn."""
        return ()

    def has_rows_for(self) -> set[SplitName]:
        """Return training and what has a share."""
        return held_out(self.validation, self.test)


class NoSplit(SplitSpec):
    """Use every row for training."""

    why_no_folds = "no rows are held out"
    type: Literal["none"] = "none"

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return none."""
        return ()

    def has_rows_for(self) -> set[SplitName]:
        """Return training."""
        return {"train"}


class ColumnSplit(SplitSpec):
    """A column of the data says which split a row is in: train, validation or test. It is not a feature."""

    why_no_folds = "a column says which rows are held out"
    type: Literal["column"] = "column"
    column: str
    """Its name."""

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return the column, which never is a feature."""
        return (SplitColumn(self.column, may_be_feature=False),)

    def has_rows_for(self) -> set[SplitName]:
        """Return all: the column may name each."""
        return set(SPLITS)


def _source_or_share(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (int, float)):
        return share(value)
    return None if value is None else OneOf("source", *SOURCES).check(value, info)


class FilesSplit(SplitSpec):
    """The splits come from sources of their own; `data.source` is for training."""

    why_no_folds = "the held-out rows come from sources of their own"
    type: Literal["files"] = "files"
    validation: Annotated[
        Source | Share | None, PlainValidator(_source_or_share, json_schema_input_type=Source | Share | None)
    ] = None
    """The source of the validation rows; a fraction or a number of rows draws them from the training rows instead."""
    test: Source | None = None
    """The source of the test rows."""
    seed: Seed | None = None
    """The seed of the draw of validation rows; null uses the experiment's seed."""
    stratify: Literal["auto"] | bool = "auto"
    """Give drawn validation rows the same proportions of the classes, like a random split."""

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return none: a source says it."""
        return ()

    def has_rows_for(self) -> set[SplitName]:
        """Return training and what has a source or a share."""
        return held_out(self.validation, self.test)


class TimeSplit(SplitSpec):
    """The oldest rows are for training, newer ones for validation, the newest for the test. Rows of equal time stay
    together, in the later split."""

    why_no_folds = "folds would be trained on newer rows than they are tested on"
    type: Literal["time"] = "time"
    column: str | None = None
    """The column of numbers, dates or times by which the rows are sorted; null keeps the order of the rows. It
    is a feature only if `data.features` declares it."""
    validation: Share = 0.2
    """Validation rows: a fraction of all rows (0.2), a number of rows (500), or 0 for none."""
    test: Share = 0.2
    """Test rows: a fraction of all rows, a number of rows, or 0 for none."""
    gap: Annotated[int, Field(ge=0)] = 0
    """Number of rows that are left out before validation and before test; rows of equal time count as one."""

    @model_validator(mode="after")
    def _rows_are_left_for_training(self) -> TimeSplit:
        refuse_everything("time", self.validation, self.test)
        return self

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return the time, where one is stated."""
        return () if self.column is None else (SplitColumn(self.column, orders=True),)

    def has_rows_for(self) -> set[SplitName]:
        """Return training and what has a share."""
        return held_out(self.validation, self.test)


SPLIT_SPECS = (RandomSplit, NoSplit, ColumnSplit, FilesSplit, GroupSplit, HashSplit, TimeSplit, KFoldSplit)

Split = Annotated[
    RandomSplit | NoSplit | ColumnSplit | FilesSplit | GroupSplit | HashSplit | TimeSplit | KFoldSplit,
    OneOf("split", *SPLIT_SPECS),
]
