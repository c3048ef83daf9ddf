"""The names of the columns of a delimited text: from its first line, or as they were stated."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Sequence
from contextlib import suppress

from mltrain.data.files.delimited_faults import Record, csv_fault, records
from mltrain.data.files.delimited_text import Dialect, end_of_line
from mltrain.errors import DataError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SAMPLE = 100
_NO_VALUE = ("", "?", "NA", "nan", "NaN", "null")


def header(name: str, text: bytes, dialect: Dialect, targets: Sequence[str] = ()) -> tuple[list[str], int]:
    """Return the names of the columns, and the number of lines before the first row.

    Where names are stated, the file has no header, unless its first line holds these very names.

    Args:
        name: of the file.
        text: its beginning, as UTF-8.
        dialect: how it is written.
        targets: columns that may be absent where names are stated.

    Raises:
        DataError: a name is missing or there twice, the file seems to have no header, or other columns than stated.
    """
    body = text[end_of_line(text, dialect.skip) :] if dialect.skip else text
    try:
        sample = list(itertools.islice(records(body, dialect.delimiter, dialect.skip + 1), 1))
        if not sample:
            raise DataError(f"{name}: no line is left after the first {dialect.skip}")
        if dialect.columns:
            return _stated(name, sample[0], dialect, targets)
        return _found(name, sample[0], body, dialect)
    except csv.Error as error:
        raise csv_fault(name, error) from error


def _stated(name: str, first: Record, dialect: Dialect, targets: Sequence[str]) -> tuple[list[str], int]:
    columns, fields = list(dialect.columns), [field.strip() for field in first.fields]
    without = [column for column in columns if column not in targets]
    if len(set(fields)) == len(fields) and (set(fields) <= set(columns) or set(without) <= set(fields)):
        return fields, first.last_line  # the first line is a header all the same
    if len(fields) == len(columns):
        return columns, dialect.skip
    if len(fields) == len(without):
        return without, dialect.skip
    key = "--columns" if dialect.options else "data.source.columns"
    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    skip = f", or {dialect.advice('skip', str(first.line))} if this line is not a row" if len(fields) == 1 else ""
    raise DataError(f"{name}:{first.line}: {count}, but {key} names {len(columns)} columns; name every column{skip}")


def _found(name: str, first: Record, body: bytes, dialect: Dialect) -> tuple[list[str], int]:
    line, names = first.line, [field.strip() for field in first.fields]
    unnamed = f"if the file has no header, {dialect.advice('columns', _example(len(names), options=dialect.options))}"
    numbers: dict[str, int] = {}
    for number, column in enumerate(names, start=1):
        if not column:
            raise DataError(
                f"{name}:{line}: column {number} of {len(names)} has no name; name it in the header "
                f"(pandas leaves the index without a name: write the file with index=False), or {unnamed}"
            )
        if (before := numbers.setdefault(column, number)) != number:
            raise DataError(
                f"{name}:{line}: columns {before} and {number} are both named {column!r}; rename one, or {unnamed}"
            )
    other = next((mark for mark in ";\t|," if mark in names[0]), None) if len(names) == 1 else None
    if other:
        shown = repr(other)
        raise DataError(
            f"{name}:{line}: the header is one column {names[0]!r} when split at {dialect.delimiter!r}; "
            f"{dialect.advice('delimiter', shown)}"
        )
    if seem_to_be_values(names, _sample(body, dialect.delimiter, len(names))):
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise DataError(
            f"{name}:{line}: the file seems to have no header: its first line ({shown}) looks like a row; name the "
            f"columns: {dialect.advice('columns', _example(len(names), options=dialect.options))} (where these are "
            "the names that the first line holds, it is read as a header)"
        )
    return names, first.last_line


def _sample(body: bytes, delimiter: str, fields: int) -> list[list[str]]:
    """Return the first rows after the header, as far as they are in order."""
    rows: list[list[str]] = []
    with suppress(csv.Error):  # said by those who read it all; a part of a file may end anywhere
        for record in itertools.islice(records(body, delimiter), 1, _SAMPLE):
            rows.append(record.fields)
    return [row for row in rows if len(row) == fields]


def _example(count: int, *, options: bool) -> str:
    names = [f"name{number}" for number in range(1, min(count, 3) + 1)] + (["…"] if count > 3 else [])
    return ",".join(names) if options else f"[{', '.join(names)}]"


def seem_to_be_values(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether names look like values of their own columns, of which some rows are given."""
    if not rows:
        return False
    numeric: list[tuple[float, bool]] = []
    texts = 0
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        values = {value.strip() for value in column} - set(_NO_VALUE)
        if values and all(map(_NUMBER.fullmatch, values)):
            if name in _NO_VALUE:
                continue
            if not _NUMBER.fullmatch(name):
                return False
            known = sorted(map(float, values))
            reach = known[-1] - known[0] + max(abs(known[0]), abs(known[-1])) / 2
            numeric.append((float(name), known[0] - reach <= float(name) <= known[-1] + reach))
        elif name in values:
            texts += 1
    if not numeric:
        return texts == len(names) > 2
    near = sum(is_near for _, is_near in numeric)
    return 2 * near > len(numeric) and not _are_in_steps([number for number, _ in numeric])


def _are_in_steps(numbers: Sequence[float]) -> bool:
    """Return whether numbers are names as 0, 1, 2 or 2019, 2020, 2021 or wavelengths are: in equal steps."""
    if len(numbers) == 1:
        return False
    step = numbers[1] - numbers[0]
    return (
        step != 0
        and all(math.isclose(after - before, step, rel_tol=1e-6) for before, after in itertools.pairwise(numbers))
        and (len(numbers) > 2 or abs(step) == 1)
    )
