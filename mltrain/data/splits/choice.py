"""Rows are read and split: `split_rows` is a pure function of the spec, the labels and the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

import numpy as np

from mltrain.data.image_columns import AskedImages, folder_of, image_rules, with_images
from mltrain.data.joined_tables import join
from mltrain.data.sources import Source
from mltrain.data.splits import ColumnSplit, FilesSplit, NoSplit, RandomSplit, Split, TimeSplit
from mltrain.data.splits.fold_choice import rows_by_fold
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.group_choice import GroupDraw, rows_by_hash
from mltrain.data.splits.key_splits import GroupSplit, HashSplit
from mltrain.data.splits.keys import group_numbers
from mltrain.data.splits.row_choice import Draw, all_rows, rows_by_column, rows_by_part
from mltrain.data.splits.rows import Splits
from mltrain.data.splits.time_order import rows_by_time
from mltrain.data.table import Table
from mltrain.errors import DataError
from mltrain.task import Decision, SplitName

if TYPE_CHECKING:
    from mltrain.data.windowed import Windowed


_NO_IMAGES = AskedImages({})


def read_table(
    source: Source,
    split: Split,
    seed: int,
    declared: Mapping[str, str] | None = None,
    images: AskedImages = _NO_IMAGES,
) -> Table:
    """Return the data, with the images that rows name; where splits come from sources of their own, one table with the
    rows of all of them.

    Args:
        source: of the data.
        split: how it will be split.
        seed: the experiment's.
        declared: the kind of a column, by name, where it was stated.
        images: what is stated of columns of images.

    Raises:
        DataError: a source cannot be read, or two do not have the same columns; or images cannot be used.
        OutOfMemoryError: there is not enough memory for images.
    """
    table = source.read(seed, declared)
    rules, decisions = image_rules(table, folder_of(source), images)
    table = with_images(table, folder_of(source), rules, decisions)
    if not isinstance(split, FilesSplit):
        return table
    parts: dict[SplitName, Table] = {"train": table}
    if split.validation is not None and not isinstance(split.validation, (int, float)):
        validation = _read_part(split.validation, "validation", seed, declared)
        parts["validation"] = with_images(validation, folder_of(split.validation), rules)
    if split.test is not None:
        parts["test"] = with_images(_read_part(split.test, "test", seed, declared), folder_of(split.test), rules)
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
    rows = all_rows(len(table)) if windowed is None else windowed.examples
    decisions: tuple[Decision, ...] = ()
    groups = group_numbers(table, split.key_columns)
    if isinstance(split, RandomSplit | FilesSplit | GroupSplit | KFoldSplit):
        own_seed = seed if split.seed is None else split.seed
        draw = Draw(table.origin.name, own_seed, split.stratify, labels, classes)
    if isinstance(split, RandomSplit):
        splits, decisions = draw.split(rows, split.validation, split.test)
    elif isinstance(split, FilesSplit):
        splits = rows_by_part(table)
        if isinstance(split.validation, int | float):
            drawn, decisions = draw.split(splits.train, split.validation, 0)
            splits = Splits(drawn.train, drawn.validation, splits.test)
    elif isinstance(split, ColumnSplit):
        splits = rows_by_column(table, split.column)
    elif isinstance(split, TimeSplit):
        splits, decisions = rows_by_time(split, table, rows, windowed.known_at_the_border if windowed else None)
    elif isinstance(split, GroupSplit):
        splits, decisions = GroupDraw(draw, cast(np.ndarray, groups)).split(rows, split.validation, split.test)
    elif isinstance(split, KFoldSplit):
        splits, decisions = rows_by_fold(split, draw, rows, groups)
    elif isinstance(split, HashSplit):
        splits = rows_by_hash(table, split, seed if split.seed is None else split.seed)
    elif isinstance(split, NoSplit):
        splits = Splits(rows, rows[:0], rows[:0])
    else:
        assert_never(split)
    splits = replace(splits, groups=groups)
    splits.check(len(table))
    return splits, decisions
