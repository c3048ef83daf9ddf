"""A data file read with what it needs: how it is written, and what its columns are where their values do not agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.data.features.inference import CATEGORIES_SHARE, FEW_CATEGORIES
from mltrain.data.files.array_names import parts_of_arrays
from mltrain.data.files.column_error import ColumnError
from mltrain.data.files.column_types import DeclaredKinds, OnlyThese
from mltrain.data.files.missing_keys import USUAL
from mltrain.data.sources import FileSource, source_of
from mltrain.data.sources.csv import CsvSource
from mltrain.data.sources.jsonl import JsonlSource
from mltrain.data.sources.npz import NpzSource
from mltrain.data.table import Table
from mltrain.data.target import MOST_CLASSES
from mltrain.errors import DataError
from mltrain.procedures.drafting.date_forms import date_form

# Endings of delimited text that no other command knows.
_ALSO_TEXT = (".txt", ".data", ".dat", ".tab")
_COMMA_NUMBER = re.compile(r"[+-]?(\d+(,\d+)+|\d*,\d+)(\.\d*)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
# Words that stand where a value should be. A text with a digit is a number that was mistyped.
_NO_VALUE = re.compile(
    r"[^\w\s]+|unknown|missing|none|na|n\.a\.?|n/a|nil|null|nan|inf|[+-]inf|not available|undefined", re.I
)
# A larger share of texts that do not fit was not mistyped.
_MISTYPED = 0.05
# Words that say that a value is not there have few spellings.
_MOST_SPELLINGS = 5


@dataclass(frozen=True)
class Readable:
    """A file and how it can be read.

    Attributes:
        source: with what was found of how it is written.
        table: its rows.
        stated: keys of the source that are not its defaults, with the reason of each where there is one.
        features: the kind of columns whose values do not agree, with the reason.
        test_arrays: the arrays of the test rows, by column, where an .npz file has such.
    """

    source: FileSource
    table: Table
    stated: dict[str, tuple[Any, str]]
    features: dict[str, tuple[str, str]]
    test_arrays: dict[str, str]


@dataclass
class _Reading:
    """What was found so far."""

    source: FileSource
    target: str | None
    stated: dict[str, tuple[Any, str]] = field(default_factory=dict)
    features: dict[str, tuple[str, str]] = field(default_factory=dict)

    def state(self, key: str, value: Any, reason: str) -> None:
        """State a key of the source."""
        self.stated[key] = (value, reason)
        self.source = self.source.model_copy(update={key: value})


def read_somehow(path: Path, target: str | None) -> Readable:
    """Return the rows of a file, and what the config has to state so that they can be read.

    Args:
        path: of the file.
        target: the column to predict; None where it is not known yet.

    Raises:
        DataError: the file is not there, is of another kind, or cannot be read in any way.
    """
    reading = _Reading(_source(path), target)
    if isinstance(reading.source, CsvSource):
        from mltrain.data.files.delimited_detection import detected

        written = detected(path, reading.source.separator)
        for key, value in written.settings.items():
            reading.state(key, tuple(value) if isinstance(value, list) else value, written.reasons.get(key, ""))
    test_arrays: dict[str, str] = {}
    if isinstance(reading.source, NpzSource) and (parts := parts_of_arrays(path)):
        reading.state("arrays", parts["train"], "")
        test_arrays = parts["test"]
    while True:
        declared = {name: kind for name, (kind, _) in reading.features.items()}
        roles = {} if target is None else {target: "target"}
        try:
            table = reading.source.read(0, DeclaredKinds(declared, roles))  # type: ignore[arg-type]
        except ColumnError as error:
            _correct(reading, error)
            continue
        if isinstance(reading.source, CsvSource) and reading.source.date_format is None:
            form = date_form(table)
            if form is not None:
                reading.state("date_format", form, "")
                continue
        return Readable(reading.source, table, reading.stated, reading.features, test_arrays)


def _source(path: Path) -> FileSource:
    if path.name.lower().removesuffix(".gz").endswith(_ALSO_TEXT):
        return CsvSource(path=path)
    return source_of(path)


def _correct(reading: _Reading, error: ColumnError) -> None:
    """State what makes the column of an error readable; raises the error again where nothing does."""
    name = error.column
    if reading.features.get(name, ("",))[0] in ("ignore", "category"):
        raise error
    if error.expected == "number" and _with_commas(reading, error.odd):
        return
    texts = _texts(reading, name)
    if name == reading.target:
        _correct_target(reading, error, texts)
        return
    if _mean_no_value(error) and isinstance(reading.source, CsvSource | JsonlSource):
        known = reading.source.missing
        if not set(error.odd) <= set(known):
            reason = f"in {name!r}, where all others are {_plural(error.expected)}"
            _also_missing(reading, error.odd, reason)
            return
    if texts is None:
        reading.features[name] = ("ignore", _what_is_wrong(error))
        return
    distinct, rows = pc.count_distinct(texts).as_py(), len(texts)
    kind = "category" if distinct <= max(FEW_CATEGORIES, int(CATEGORIES_SHARE * rows)) else "ignore"
    reading.features[name] = (kind, _what_is_wrong(error))


def _with_commas(reading: _Reading, odd: Sequence[str]) -> bool:
    """State what the comma in numbers is, where that is what is odd about them."""
    source = reading.source
    numbers = [text for text in odd if _COMMA_NUMBER.fullmatch(text)]
    if not isinstance(source, CsvSource) or len(numbers) < max(len(odd) - _MOST_SPELLINGS, 1):
        return False
    if source.decimal == "," or source.thousands is not None:
        return False
    example = numbers[0]
    if source.separator != ";" and all(map(_THOUSANDS.fullmatch, numbers)):
        meaning = example.replace(",", "")
        reason = f"{example} is read as {meaning}" + (
            "" if "." in "".join(numbers) else '; if it means a fraction, write decimal: "," instead'
        )
        reading.state("thousands", ",", reason)
    else:
        reading.state("decimal", ",", f"{example} is read as {example.replace(',', '.')}")
    return True


def _correct_target(reading: _Reading, error: ColumnError, texts: pa.Array | None) -> None:
    if texts is not None and pc.count_distinct(texts).as_py() <= MOST_CLASSES:
        reading.features[error.column] = ("category", "its values are read as the texts that they are: classes")
        return
    source = reading.source
    has_key = isinstance(source, CsvSource | JsonlSource)
    if not has_key or not _mean_no_value(error) or set(error.odd) <= set(source.missing):
        raise error
    _also_missing(reading, error.odd, "in the target, where all others are numbers")


def _also_missing(reading: _Reading, texts: Sequence[str], reason: str) -> None:
    before, said = reading.stated.get("missing", ((), ""))
    together = f"{said}; {reason}" if said and reason not in said else reason
    reading.state("missing", (*before, *texts), together)


def _mean_no_value(error: ColumnError) -> bool:
    """Return whether the texts that do not fit say that there is no value, or are a few that were mistyped."""
    if not error.odd or len(error.odd) > _MOST_SPELLINGS:
        return False
    mistyped = [text for text in error.odd if not _NO_VALUE.fullmatch(text) and text not in USUAL]
    return not mistyped or (error.odd_share <= _MISTYPED and all(any(map(str.isdigit, each)) for each in mistyped))


def _texts(reading: _Reading, name: str) -> pa.Array | None:
    """Return the texts of a column as they are written; None where it does not hold texts."""
    try:
        table = reading.source.read(0, OnlyThese({name: AS_WRITTEN}))
    except DataError:
        return None
    values = table.columns[name]
    return values if isinstance(values, pa.Array) and pa.types.is_string(values.type) else None


def _plural(expected: str) -> str:
    return {"number": "numbers"}.get(expected, "dates")


def _what_is_wrong(error: ColumnError) -> str:
    """Return what is wrong with a column, without its name and without advice: `data.csv:18: '5O' is not a number`."""
    text = str(error)
    if not error.expected and (found := re.search(r", found (an object|values of type .+?)(;|$)", text)):
        return f"holds {found[1]}"
    text = text.replace(f" column {error.column!r}:", "", 1)
    return re.split(r"\. Correct |; declare |; if they are ", text)[0]
