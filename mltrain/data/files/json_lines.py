"""JSON Lines → Table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltrain.data.files.column_types import ColumnPlace, role_in
from mltrain.data.files.column_values import column_of_values
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.opening import check_unpacked_size, read_file_content
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError

_CELL = 8  # bytes that a missing value takes


@dataclass(frozen=True)
class LinesOrigin(Origin):
    """Rows that are lines of a file.

    Attributes:
        lines: of each row, counted from 1.
    """

    lines: Sequence[int]

    def place(self, row: int) -> str:
        """Return `people.jsonl:18`."""
        return f"{self.name}:{self.lines[row]}"


def read_json_lines(path: Path, missing: MissingValues, declared: Mapping[str, str], *, options: bool = False) -> Table:
    """Return the table of the objects in a file, one a line; blank lines are none.

    Args:
        path: of the file, plain or .gz.
        missing: texts and numbers that mean "no value".
        declared: the kind of a column, by name, where it was stated.
        options: whether messages advise options of a command.

    Raises:
        DataError: with the file, the line and the column.
    """
    content = read_file_content(path)
    objects: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(content.data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            objects.append(json_object(line, f"{content.name}:{number}"))
            lines.append(number)
    if not objects:
        raise DataError(f"{content.name}: the file is empty")
    names = list(dict.fromkeys(name for row in objects for name in row))
    if not names:
        raise DataError(f"{content.name}: expected objects with keys, found only empty objects")
    _refuse_half_characters(names, objects, lines, content.name)
    # A line that adds a key adds a cell to every other: some hundred KB could become a table of gigabytes.
    check_unpacked_size(content.name, len(content.data), _CELL * len(objects) * len(names))
    origin = LinesOrigin(content.name, lines)
    columns = {
        name: column_of_values(
            [row.get(name) for row in objects],
            ColumnPlace(name, origin.place, missing_key=True, options=options, role=role_in(declared, name)),
            declared.get(name),
            missing,
        )
        for name in names
    }
    return Table(
        columns,
        origin,
        content.sha256,
        decisions=missing.decisions(content.name),
        taken_as_missing=missing.sentences(options=options),
        absent_is_missing=True,
    )


def _refuse_half_characters(
    names: Sequence[str], objects: Sequence[Mapping[str, Any]], lines: Sequence[int], file: str
) -> None:
    r"""Refuse a key with half of a pair of surrogates: JSON can write it as `\ud800`, and no file of a run can."""
    for name in names:
        if not name.isascii() and name.encode("utf-8", "ignore") != name.encode("utf-8", "surrogatepass"):
            line = next(line for row, line in zip(objects, lines, strict=True) if name in row)
            raise DataError(f"{file}:{line}: the key {name!r} is not valid Unicode; give the column another name")


def json_object(line: bytes, place: str) -> dict[str, Any]:
    """Return the object in a line; raises DataError, which begins with `place`, where it is none."""
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise DataError(f"{place}: its lists or objects are nested too deeply") from error
    except ValueError as error:
        raise DataError(f"{place}: {str(error).partition(':')[0]}") from error
    if not isinstance(value, dict):
        raise DataError(
            f'{place}: expected one JSON object per line, such as {{"age": 39}}, found {type(value).__name__}'
        )
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the key {next(name for name in names if names.count(name) > 1)!r} appears twice in one object; remove one"
        )
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates)  # json.loads would make one a line, 1 µs of 5
