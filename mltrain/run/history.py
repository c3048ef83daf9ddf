"""`history.csv`: one row per epoch, appended during the training; the same numbers when it is read back.

Columns: `epoch, train.loss, train.accuracy, …, validation.loss, …, learning_rate, seconds`, fixed by the first row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from mltrain.errors import RunError
from mltrain.run import durable

# A spreadsheet takes a text that starts with one of these for a formula, and runs it (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


@dataclass(frozen=True)
class History:
    """What was measured in each epoch.

    Attributes:
        columns: the names, `epoch` first.
        rows: one an epoch, a number for each column; NaN where it was NaN.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]

    def column(self, name: str) -> tuple[float, ...]:
        """Return the values of one column, an epoch each; KeyError for an unknown name."""
        if name not in self.columns:
            raise KeyError(name)
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)

    def to_csv(self) -> bytes:
        """Return the content of the file; read back, it is an equal history."""
        return b"" if not self.columns else _header(self.columns) + b"".join(map(_row, self.rows))

    @classmethod
    def from_csv(cls, data: bytes, place: object) -> History:
        """Return the history in the content of a file.

        A last row without its line end was never complete (the machine lost power while it was written) and does not
        count: a row is written together with its line end.

        Raises:
            RunError: not such a file; says the line.
        """
        try:
            text = data[: data.rfind(b"\n") + 1].decode("utf-8")
            lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise RunError(f"{place}: not a readable history: {error}") from error
        if not lines:
            return cls((), ())
        columns = tuple(map(_bare, lines[0]))
        rows = (_numbers(line, len(columns), f"{place}:{number}") for number, line in enumerate(lines[1:], start=2))
        return cls(columns, tuple(rows))


class HistoryFile:
    """The growing file of a run that trains.

    Args:
        path: the file.
        columns: what it has already; empty where it is not there yet.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = ()) -> None:
        self._path = path
        self._columns = columns

    def append(self, row: Mapping[str, float]) -> None:
        """Add one epoch; the first one fixes the columns.

        Raises:
            RunError: not the columns of the first epoch.
            WriteError: it cannot be written.
        """
        data = b""
        if not self._columns:
            data = _header(tuple(row))
        elif set(row) != set(self._columns):
            raise RunError(f"{self._path}: its columns are {self._columns}, and those of this epoch are {tuple(row)}")
        columns = self._columns or tuple(row)
        durable.append(self._path, data + _row([row[name] for name in columns]))
        self._columns = columns


def _header(columns: Sequence[str]) -> bytes:
    return _line([f"'{name}" if name.startswith((*_FORMULA, "'")) else name for name in columns])


def _row(values: Sequence[float]) -> bytes:
    # repr of a float is the shortest text that gives the same float back; a float32 is shown as the float64 it equals.
    return _line([repr(int(value)) if isinstance(value, Integral) else repr(float(value)) for value in values])


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _bare(name: str) -> str:
    return name[1:] if name.startswith("'") else name


def _numbers(cells: Sequence[str], expected: int, place: str) -> tuple[float, ...]:
    if len(cells) != expected:
        raise RunError(f"{place}: expected {expected} cells, found {len(cells)}")
    try:
        return tuple(int(cell) if cell.isascii() and cell.isdecimal() else float(cell) for cell in cells)
    except ValueError as error:
        raise RunError(f"{place}: expected numbers: {error}") from error
