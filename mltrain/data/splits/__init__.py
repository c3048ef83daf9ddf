"""Which rows are for training, for validation and for the test, as the config says it: `SPLIT_SPECS` is the list.

What they choose is in `choice.py`. No NumPy here: `mltrain validate` needs the specs alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, model_validator

from mltrain.data.sources import SOURCES, Source
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.key_splits import GroupSplit, HashSplit
from mltrain.data.splits.shares import Seed, Share, refuse_everything, share
from mltrain.spec import OneOf, Spec


class RandomSplit(Spec):
    """Rows drawn at random, like scikit-learn's train_test_split: the test rows first, validation rows from the
    rest."""

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


class NoSplit(Spec):
    """Use every row for training."""

    type: Literal["none"] = "none"


class ColumnSplit(Spec):
    """A column of the data says which split a row is in: train, validation or test. It is not a feature."""

    type: Literal["column"] = "column"
    column: str
    """Its name."""


def _source_or_share(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (int, float)):
        return share(value)
    return None if value is None else OneOf("source", *SOURCES).check(value, info)


class FilesSplit(Spec):
    """The splits come from sources of their own; `data.source` is for training."""

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


class TimeSplit(Spec):
    """The oldest rows are for training, newer ones for validation, the newest for the test. Rows of equal time stay
    together, in the later split."""

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


SPLIT_SPECS = (RandomSplit, NoSplit, ColumnSplit, FilesSplit, GroupSplit, HashSplit, TimeSplit, KFoldSplit)

Split = Annotated[
    RandomSplit | NoSplit | ColumnSplit | FilesSplit | GroupSplit | HashSplit | TimeSplit | KFoldSplit,
    OneOf("split", *SPLIT_SPECS),
]
