"""Columns that predict the target alone, that name the rows, or that hold nothing to learn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.audit.strengths import column_strengths
from mltrain.data.encoders.column import Encoder, RawColumn, is_number, numbers_of
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import each_target
from mltrain.data.table import Table
from mltrain.data.target import TargetEncoder
from mltrain.data.training_columns import NumberColumn, TrainingColumns
from mltrain.run.audit import AuditFinding
from mltrain.wording import counted, listed

# From here on a column alone predicts the target: on training rows, and on validation rows where there are enough.
ALONE, _HELD_OUT = 0.999, 0.99
# Rows that are used for that: a sort of each column takes milliseconds.
_SORTED = 2_000
# With fewer rows each may have a value of its own, whatever the column is.
_FEWEST = 50
# Amounts repeat: of n whole numbers drawn from a range of r, about n²/2r pairs are equal. Where this many were expected
# and there is not one (by chance once in 160,000 columns), the numbers count rows, of this table or of a larger one.
_EXPECTED_PAIRS = 12
# Names that pandas gives to a row index without one.
_INDEX_NAMES = re.compile(r"Unnamed: 0(\.\d+)*|index|level_\d+")
# This many rows show at once whether a column repeats its values.
_FIRST = 1_000
_NAMES = 0.9
_MOSTLY = 0.5
_SHOWN = 5


def strengths_of(
    preprocessing: Preprocessing, table: Table, rows: np.ndarray, truth: np.ndarray
) -> dict[str, Mapping[str, float]]:
    """Return how well each column of a table alone predicts each target, from some of `rows`; nothing on arrays."""
    target = preprocessing.target
    if not preprocessing.of_table or not len(rows):
        return {part.column: {} for part in target.parts}
    some = rows[:_SORTED]
    names = [encoder.column for encoder in preprocessing.of_table for _ in encoder.names]
    x = preprocessing.table_features(table.take(some))
    return {
        part.column: column_strengths(x[there], names, true[there], part.task)
        for part, there, true in each_target(target, truth[some])
    }


def leak_findings(
    preprocessing: Preprocessing, target: TargetEncoder, train: Mapping[str, float], validation: Mapping[str, float]
) -> Iterator[AuditFinding]:
    """Yield a finding for each column that alone predicts a target almost perfectly.

    Args:
        preprocessing: what was fitted.
        target: the one, or one of several.
        train: how well each column does, on training rows.
        validation: the same on validation rows; 0 where they are too few.
    """
    if len(preprocessing.columns) < 2:  # a single column is there to predict the target
        return
    the_target = "the target" if target is preprocessing.target else f"the target '{target.column}'"
    for encoder in preprocessing.columns:
        name = encoder.column
        strength, held_out = train.get(name, 0.0), validation.get(name, 0.0)
        if strength < ALONE or 0 < held_out < _HELD_OUT:
            continue
        also = f", {held_out:.4f} on validation rows" if held_out else ""
        classes = len(target.classes)
        named = bool(encoder.labels) and len(encoder.labels) == classes
        other_name = "; each of its values means one class" if named else ""
        sentence = (
            f"column '{name}' alone predicts {the_target} almost perfectly ({strength:.4f} of 1 on training rows{also}"
            f"{other_name}): does it contain the answer, or something that is known only afterwards? Then set it to "
            "ignore"
        )
        yield AuditFinding(
            finding="leaked_feature", level="warning", sentence=sentence, key=f"data.features.{name}", split="train"
        )


def identifiers(preprocessing: Preprocessing, table: Table) -> list[str]:
    """Return the features that count or name the rows."""
    if len(preprocessing.columns) < 2 or len(table) < _FEWEST:
        return []
    return [encoder.column for encoder in preprocessing.columns if _is_identifier(encoder, table)]


def identifier_findings(found: Sequence[str]) -> Iterator[AuditFinding]:
    """Yield a finding on `identifiers`."""
    if found:
        sentence = (
            f"{_named(found)} {_verb(found, 'counts or names', 'count or name')} the rows (every value is "
            f"different): what is learned from it does not hold for other rows; set it to ignore{_index_advice(found)}"
        )
        yield AuditFinding(finding="identifier", level="warning", sentence=sentence, key=f"data.features.{found[0]}")


def _index_advice(found: Sequence[str]) -> str:
    """Return where a column with the name of a pandas index comes from, if there is one."""
    name = next((each for each in found if _INDEX_NAMES.fullmatch(each)), None)
    return "" if name is None else f" ('{name}' looks like the row index of pandas: write the file with index=False)"


def empty_findings(reference: TrainingColumns, preprocessing: Preprocessing) -> Iterator[AuditFinding]:
    """Yield findings on features with the same value in all training rows, or without a value in most of them."""
    constant, missing = [], []
    # What is counted of a text, such as its tokens, is not a column that could be left out.
    of_table = {
        name
        for encoder in preprocessing.of_table
        for name, _ in encoder.watched_as
        if name == encoder.column or name.startswith(f"{encoder.column}.")
    }
    for column in (each for each in reference.columns if each.column in of_table):
        *counts, absent = column.counts
        single = column.low == column.high if isinstance(column, NumberColumn) else counts[0] == sum(counts)
        if single and not absent:
            constant.append(column.column)
        if absent > _MOSTLY * sum(column.counts):
            missing.append(column.column)
    if constant:
        sentence = (
            f"{_named(constant)} {_verb(constant, 'has', 'have')} the same value in all training rows: nothing to learn"
        )
        yield AuditFinding(
            finding="constant_column", level="note", sentence=sentence, key=f"data.features.{constant[0]}"
        )
    if missing:
        sentence = (
            f"{_named(missing)} {_verb(missing, 'is', 'are')} missing in more than half of the training rows: more "
            "values are filled in than measured"
        )
        yield AuditFinding(finding="mostly_missing", level="note", sentence=sentence, key=f"data.features.{missing[0]}")


def _is_identifier(encoder: Encoder, table: Table) -> bool:
    values = table.columns[encoder.column]
    if isinstance(values, np.ndarray) or pa.types.is_struct(values.type):
        return False
    if encoder.labels:
        different = not values.null_count and not _repeats(values[:_FIRST])
        return different and len(encoder.labels) >= _NAMES * len(table)
    return encoder.number_scaling is not None and count_rows(RawColumn.of(table, encoder.column))


def count_rows(column: RawColumn) -> bool:
    """Return whether the numbers of a column count rows, of this table or of a larger one: each is another one."""
    values = column.values
    if isinstance(values, np.ndarray) or not is_number(values.type) or values.null_count or _repeats(values[:_FIRST]):
        return False
    numbers = numbers_of(column)
    if (numbers != np.floor(numbers)).any() or len(np.unique(numbers)) < len(numbers):
        return False
    steps = np.diff(numbers)
    ascending = bool((steps > 0).all() or (steps < 0).all())
    expected = len(numbers) ** 2 / (2 * float(numbers.max() - numbers.min() + 1))
    return ascending or expected > _EXPECTED_PAIRS


def _repeats(values: pa.Array) -> bool:
    return bool(pc.count_distinct(values).as_py() < _NAMES * len(values))


def _named(columns: Sequence[str]) -> str:
    """Return columns in words: `column 'a'`, or `12 columns ('a', 'b' and 10 more)`."""
    if len(columns) == 1:
        return f"column '{columns[0]}'"
    named = [f"'{name}'" for name in columns]
    return f"{counted(len(columns), 'column')} ({listed(named, _SHOWN)})"


def _verb(columns: Sequence[str], one: str, several: str) -> str:
    return one if len(columns) == 1 else several
