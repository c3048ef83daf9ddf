"""Which rows are for training, for validation and for the test.

A split is row numbers and nothing else: `split_rows` is a pure function of the spec, the labels and the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, model_validator

from mltrain.data.sources import SOURCES, Source
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.key_splits import GroupSplit, HashSplit, key_columns
from mltrain.data.splits.shares import Seed, Share, refuse_everything, share
from mltrain.errors import DataError
from mltrain.spec import OneOf, Spec
from mltrain.task import SPLITS, Decision, SplitName

if TYPE_CHECKING:  # NumPy costs 0.1 s at import, and `mltrain validate` needs the specs alone
    import numpy as np

    from mltrain.data.series import Windowed
    from mltrain.data.table import Table


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


@dataclass(frozen=True)
class Splits:
    """Row numbers (int64) of each split, in the order in which they were drawn; an array may be empty.

    Attributes:
        train, validation, test: the rows.
        groups: the number of the group of every row of the data, int64 (rows,), where rows that belong together stay
            together; None where every row is for itself.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    groups: np.ndarray | None = None

    def items(self) -> list[tuple[SplitName, np.ndarray]]:
        """Return the splits that have rows, by name."""
        named = {name: getattr(self, name) for name in SPLITS}
        return [(name, rows) for name, rows in named.items() if len(rows)]

    def check(self, rows: int) -> None:
        """Make sure that no row is in two splits or twice in one, that all are among the `rows` rows of the data, and
        that no group has rows in two splits.

        Raises:
            DataError: one is, or has. A test row that was trained on makes every number of the test worthless.
        """
        import numpy as np

        seen = np.zeros(rows, np.int8)
        for name, numbers in self.items():
            if numbers.min() < 0 or numbers.max() >= rows:
                odd = int(numbers[(numbers < 0) | (numbers >= rows)][0])
                raise DataError(f"the {name} split holds row {odd}, but the data has the rows 0 to {rows - 1}")
            np.add.at(seen, numbers, 1)
            if seen.max() > 1:
                raise DataError(
                    f"the splits are not disjoint: row {int(seen.argmax())} is in {name} and in a split before it"
                )
        self._check_groups()

    def _check_groups(self) -> None:
        import numpy as np

        if self.groups is None:
            return
        seen = np.zeros(int(self.groups.max()) + 1, np.int8)
        for name, numbers in self.items():
            seen[np.unique(self.groups[numbers])] += 1
            if seen.max() > 1:
                row = int(numbers[(seen[self.groups[numbers]] > 1).argmax()])
                raise DataError(f"the splits share a group: that of row {row} is in {name} and in a split before it")


def read_table(source: Source, split: Split, seed: int, declared: Mapping[str, str] | None = None) -> Table:
    """Return the data; where splits come from sources of their own, one table with the rows of all of them.

    Args:
        source: of the data.
        split: how it will be split.
        seed: the experiment's.
        declared: the kind of a column, by name, where it was stated.

    Raises:
        DataError: a source cannot be read, or two do not have the same columns.
    """
    table = source.read(seed, declared)
    if not isinstance(split, FilesSplit):
        return table
    from mltrain.data.table import join

    parts: dict[SplitName, Table] = {"train": table}
    if split.validation is not None and not isinstance(split.validation, (int, float)):
        parts["validation"] = _read_part(split.validation, "validation", seed, declared)
    if split.test is not None:
        parts["test"] = _read_part(split.test, "test", seed, declared)
    named = {*(declared or ()), *getattr(declared, "targets", ())}
    return join(parts, named)


def _read_part(source: Source, name: SplitName, seed: int, declared: Mapping[str, str] | None) -> Table:
    """Return the rows of a split that has a source of its own; what is advised are the keys of that source."""

    def of_part(text: str) -> str:
        return text.replace("data.source.", f"data.split.{name}.")

    try:
        table = source.read(seed, declared)
    except DataError as error:
        raise type(error)(of_part(str(error))) from error
    return replace(table, taken_as_missing={column: of_part(text) for column, text in table.taken_as_missing.items()})


def split_rows(
    split: Split,
    table: Table,
    labels: np.ndarray | None,
    seed: int,
    classes: Sequence[str] = (),
    windowed: Windowed | None = None,
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return the rows of each split, and what was decided for `stratify: auto`.

    Args:
        split: what was asked.
        table: from `read_table`.
        labels: the class of every row (integers from 0); None where the target has no classes.
        seed: the experiment's, for a split without one of its own.
        classes: the names of the classes, for messages.
        windowed: the table, where not every row has a window; None where each is an example.

    Raises:
        DataError: the rows do not suffice for what was asked, or a column names a split that there is not.
        ConfigError: `stratify: true` for a target without classes, or more folds than there can be.
    """
    from mltrain.data import row_choice  # NumPy and pyarrow
    from mltrain.data.splits.group_choice import GroupDraw, rows_by_hash
    from mltrain.data.splits.keys import group_numbers

    rows = row_choice.all_rows(len(table)) if windowed is None else windowed.examples
    decisions: tuple[Decision, ...] = ()
    groups = group_numbers(table, key_columns(split))
    if isinstance(split, RandomSplit | FilesSplit | GroupSplit | KFoldSplit):
        own_seed = seed if split.seed is None else split.seed
        draw = row_choice.Draw(table.origin.name, own_seed, split.stratify, labels, classes)
    if isinstance(split, RandomSplit):
        splits, decisions = draw.split(rows, split.validation, split.test)
    elif isinstance(split, FilesSplit):
        splits = row_choice.rows_by_part(table)
        if isinstance(split.validation, int | float):
            drawn, decisions = draw.split(splits.train, split.validation, 0)
            splits = Splits(drawn.train, drawn.validation, splits.test)
    elif isinstance(split, ColumnSplit):
        splits = row_choice.rows_by_column(table, split.column)
    elif isinstance(split, TimeSplit):
        from mltrain.data.splits.time_order import rows_by_time

        splits, decisions = rows_by_time(split, table, rows, windowed.known_at_the_border if windowed else None)
    elif isinstance(split, GroupSplit) and groups is not None:
        splits, decisions = GroupDraw(draw, groups).split(rows, split.validation, split.test)
    elif isinstance(split, KFoldSplit):
        from mltrain.data.splits.fold_choice import rows_by_fold

        splits, decisions = rows_by_fold(split, draw, rows, groups)
    elif isinstance(split, HashSplit):
        splits = rows_by_hash(table, split, seed if split.seed is None else split.seed)
    else:
        splits = Splits(rows, rows[:0], rows[:0])
    splits = replace(splits, groups=groups)
    splits.check(len(table))
    return splits, decisions


def fingerprint(rows: np.ndarray) -> str:
    """Return the sha256 of row numbers, in their order, as little-endian int64."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
