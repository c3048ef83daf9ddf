"""The classes of a target: what stands for them in the column, their names, and their order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, first_row, is_number, is_text, numbers_of, without_missing
from mltrain.data.encoders.texts import spelled_as, texts_of
from mltrain.data.target_spec import TargetSpec
from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.task import Task
from mltrain.wording import counted, listed

# What stands in the column for a class, and the name of the class.
Class = tuple[str, str]


def find_classes(column: RawColumn, spec: TargetSpec, task: Task, known_names: Sequence[str]) -> list[Class]:
    """Return the classes in the order of the model's outputs; of two, the second is the positive one.

    Args:
        column: the target of all rows.
        spec: what was asked of it.
        task: binary or multiclass.
        known_names: names of the classes 0, 1, … where the source knows them.

    Raises:
        DataError: a value is missing or no class, or there are not the classes that there should be.
    """
    texts = labels_of(column)
    found = set(pc.unique(texts).to_pylist())
    numeric = not is_text(without_missing(column).type)
    classes = _unordered(found, numeric, known_names)
    if spec.classes:
        classes = _as_asked(column, texts, numeric, [item for item in classes if item[0] in found], spec.classes)
    if len(classes) < 2:
        name = classes[0][1]
        raise column.failure(f"every row has the class {name!r}; expected two or more classes")
    if task == "binary" and len(classes) != 2:
        names = listed([name for _, name in classes])
        raise column.failure(
            f"the task is binary, but there are {counted(len(classes), 'class')} ({names}); state multiclass"
        )
    if spec.positive is not None:
        classes = _positive_second(column, classes, task, spec.positive)
    return classes


def _unordered(found: set[str], numeric: bool, known_names: Sequence[str]) -> list[Class]:
    numbers = [str(number) for number in range(len(known_names))]
    if known_names and found <= set(numbers):
        return list(zip(numbers, known_names, strict=True))
    if known_names and found <= set(known_names):
        return [(name, name) for name in known_names]
    return [(label, label) for label in sorted(found, key=_by_value if numeric else None)]


def _by_value(label: str) -> float:
    return float({"false": "0", "true": "1"}.get(label, label))


def _as_asked(
    column: RawColumn, texts: pa.Array, numeric: bool, classes: list[Class], asked: tuple[str, ...]
) -> list[Class]:
    """Return the classes in the order that was asked, or with the names that were asked."""
    names = {name for _, name in classes}
    # `[no, yes]` for a column of 0 and 1: none of these is in it, so they can only be names for what is.
    if numeric and len(asked) == len(classes) and not names & set(asked):
        return [(label, name) for (label, _), name in zip(classes, asked, strict=True)]
    for label, name in classes:
        if name not in asked:
            row = first_row(pc.equal(texts, label))
            raise column.error(row, f"the class {name!r} is not in data.target.classes ({listed(asked)})")
    label_of = {name: label for label, name in classes}
    return [(label_of.get(name, name), name) for name in asked]


def _positive_second(column: RawColumn, classes: list[Class], task: Task, positive: str) -> list[Class]:
    names = [name for _, name in classes]
    if task != "binary":
        raise column.failure("data.target.positive is for two classes, but the task is multiclass (remove it)")
    if positive not in names:
        raise column.failure(f"data.target.positive: no class {positive!r}{suggest(positive, names)} ({listed(names)})")
    return classes if names[1] == positive else classes[::-1]


def odd_end(text: str, known: Sequence[str]) -> str | None:
    """Return what a text has at its end more than one that is known, such as a dot; None where it is not that."""
    shorter = text.rstrip(".,;:!*")
    return text[len(shorter) :][:1] if shorter != text and shorter.rstrip() in known else None


def labels_of(column: RawColumn) -> pa.Array:
    """Return what stands in the column for the class of each row, as text (rows,).

    Raises:
        DataError: a value is missing, or is neither text, nor a truth value, nor a whole number.
    """
    values = without_missing(column)
    if pa.types.is_floating(values.type):
        numbers = numbers_of(column)
        fractions = numbers != np.floor(numbers)
        if fractions.any():
            row = first_row(fractions)
            raise column.error(row, f"{numbers[row]:g} is not a class; expected text, booleans or whole numbers")
    elif not (is_text(values.type) or pa.types.is_boolean(values.type) or is_number(values.type)):
        raise column.failure(f"expected classes in the target, but it holds {column.holds()}")
    return texts_of(column)


def positions_of(column: RawColumn, labels: tuple[str, ...]) -> np.ndarray:
    """Return the class number of each row, int64 (rows,).

    Raises:
        DataError: as `labels_of`, and for a class that is not known.
    """
    texts = spelled_as(labels_of(column), labels)
    found = pc.index_in(texts, value_set=pa.array(labels, pa.string()))
    if found.null_count:
        raise _unknown_class(column, texts, first_row(found.is_null()), labels)
    return found.to_numpy().astype(np.int64)


def _unknown_class(column: RawColumn, texts: pa.Array, row: int, labels: tuple[str, ...]) -> DataError:
    text = texts[row].as_py()
    end = odd_end(text, labels)
    hint = f"; it ends in {end!r}: pass --strip {shlex.quote(end)}" if end else suggest(text, labels)
    numbers = len(labels) > 2 and all(re.fullmatch(r"-?\d+", label) for label in (text, *labels))
    number_hint = "; if the target is a number, train with task: regression" if numbers else ""
    return column.error(row, f"unknown class {text!r}{hint} (known: {listed(labels)}){number_hint}")
