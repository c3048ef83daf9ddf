"""What the column to predict holds: its task, its classes, how rare they are, and the rows that lack it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, numbers_of
from mltrain.data.table import Table
from mltrain.data.target import IF_NUMBERS, infer_task
from mltrain.errors import DataError
from mltrain.problems import shortened
from mltrain.procedures.drafting.column_looks import label, numbers_in_words, share
from mltrain.procedures.drafting.target_choice import Choice
from mltrain.task import Task
from mltrain.wording import counted, listed

# A class with fewer of its rows than if all classes had the same number makes the accuracy say little.
_RARE = 0.4
# A class of fewer rows can be neither learned nor measured.
_FEW = 10
_SHOWN = 6


@dataclass(frozen=True)
class TargetLook:
    """The column to predict.

    Attributes:
        name: of the column.
        task: what is learned; None where the values do not say it.
        sentences: what was seen.
        lacking: how many rows lack it.
        rare: which class is rare, in words; empty where none is.
        may_be_numbers: where numbers are taken as classes, when they should not be.
    """

    name: str
    task: Task | None
    sentences: tuple[str, ...]
    lacking: int
    rare: str = ""
    may_be_numbers: str = ""


def look_at_target(table: Table, choice: Choice) -> TargetLook:
    """Return what the column to predict holds.

    Raises:
        DataError: no row has it.
    """
    name = choice.name
    column = RawColumn.of(table, name)
    guess = (f"GUESSED: {choice.guessed}; `--target COLUMN` names another one",) if choice.guessed else ()
    values = column.values
    if isinstance(values, np.ndarray):
        return TargetLook(name, None, guess, 0)
    there = np.asarray(values.is_valid())
    lacking = len(values) - int(there.sum())
    if lacking == len(values):
        raise DataError(f"{table.origin.name}: column '{name}': the target is missing in every row")
    known = column.take(np.flatnonzero(there)) if lacking else column
    if lacking:
        left_out = f"{counted(lacking, 'row')} of {len(values):,} without a target: `missing: skip` leaves them out"
        guess = (*guess, left_out)
    try:
        task, reason = infer_task(known)
    except DataError:
        return TargetLook(name, None, guess, lacking)  # the audit says what is wrong
    if task not in ("binary", "multiclass"):
        said = f"the target: numbers {numbers_in_words(numbers_of(known))}; the task is {task}"
        return TargetLook(name, task, (said, *guess), lacking)
    return _of_classes(known.values, TargetLook(name, task, guess, lacking), IF_NUMBERS in reason)


def _of_classes(values: pa.Array, look: TargetLook, may_be_numbers: bool) -> TargetLook:
    rows = len(values)
    counts = [(label(each["values"]), each["counts"]) for each in pc.value_counts(values).to_pylist()]
    counts.sort(key=lambda each: -each[1])
    names = listed([f"{name} ({share(count / rows)})" for name, count in counts], _SHOWN)
    said = [f"the target: {counted(len(counts), 'class')}, {names}; the task is {look.task}"]
    few = [f"{name} ({count})" for name, count in counts if count < _FEW]
    if few:
        said.append(f"fewer than {_FEW} rows of {listed(few, _SHOWN)}: too few to learn and to measure")
    name, count = counts[-1]
    # Of a class of a few rows, weights would make too much.
    rare = len(counts) > 1 and _FEW <= count < _RARE * rows / len(counts)
    return TargetLook(
        look.name,
        look.task,
        (*said, *look.sentences),
        look.lacking,
        f"{name} is {share(count / rows)} of the rows" if rare else "",
        f"if {shortened(look.name, 30)} is a rating or a count, and not a class" if may_be_numbers else "",
    )
