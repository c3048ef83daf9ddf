"""Files of word vectors, read from beginning to end: of all their words, only those of a vocabulary stay."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from mltrain.data.files.opening import open_data_file, open_regular
from mltrain.errors import DataError
from mltrain.problems import printable, shortened

_BLOCK = 1 << 20
# A vector of 10,000 numbers has about 200,000 characters; a file without line breaks is no file of vectors.
_LONGEST_LINE = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# From words to their places in the vocabulary, int64 (words,), -1 for those that are not in it.
LookUp = Callable[[pa.Array], np.ndarray]


@dataclass(frozen=True)
class FoundVectors:
    """The vectors of the words of a vocabulary that are in a file.

    Attributes:
        places: (found,) int64: the places of the words in the vocabulary.
        values: (found, width) float32: their vectors.
        sha256: of the file.
        words_sha256: of the file of its words; None where they are in the same file.
    """

    places: np.ndarray
    values: np.ndarray
    sha256: str
    words_sha256: str | None = None


class OtherWidthError(ValueError):
    """The vectors of a file have another number of values than are asked for; the message is that number."""


def read_vectors(path: Path, words: Path | None, look_up: LookUp, width: int) -> FoundVectors:
    """Return the vectors of a `.vec` or `.txt` file, or of a `.npy` array with a file of its words.

    Numbers are read of the words that are known; of other lines, only how many there are.

    Args:
        path: of the vectors.
        words: of their words, where `path` is an array.
        look_up: which words are known.
        width: numbers of each vector.

    Raises:
        DataError: a file is not there, not readable, or holds something else; names the line.
        OtherWidthError: the vectors have another width.
    """
    if words is None:
        return _read_text(path, look_up, width)
    taken = _Taken(printable(words.name), look_up)
    with open_data_file(words) as file:
        lines = _Lines(file, taken.name)
        for first, block in lines:
            taken.choose(block, first)
    return _read_array(path, taken, lines.last, width, lines.sha256.hexdigest())


class _Lines:
    """The lines of a text file, in blocks: iterate it for `(number of the first line, lines)`."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.sha256 = hashlib.sha256()
        self.last = 0
        """The number of the last line so far."""
        self._file, self._name = file, name

    def __iter__(self) -> Iterator[tuple[int, list[bytes]]]:
        rest = b""
        while block := self._file.read(_BLOCK):
            self.sha256.update(block)
            if not self.last and not rest:
                block = block.removeprefix(_BYTE_ORDER_MARK)
            whole, separator, rest = (rest + block).rpartition(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise self.error(self.last + whole.count(b"\n") + bool(separator) + 1, _NO_LINES)
            if separator:
                yield self._block(whole)
        if rest:
            yield self._block(rest)
        if not self.last:
            raise DataError(f"{self._name}: the file is empty")

    def _block(self, text: bytes) -> tuple[int, list[bytes]]:
        first = self.last + 1
        try:
            text.decode()
        except UnicodeDecodeError as error:
            line = first + text.count(b"\n", 0, error.start)
            raise self.error(line, "the text is not UTF-8; save the file as UTF-8") from error
        lines = text.split(b"\n")
        self.last += len(lines)
        return first, lines

    def error(self, line: int, message: str) -> DataError:
        """Return the error about a line."""
        return DataError(f"{self._name}:{line}: {message}")


_NO_LINES = f"the line is longer than {_LONGEST_LINE:,} bytes, so this is not a file of words and vectors"


@dataclass
class _Taken:
    """The words of a file that are known, the first of those that are written alike.

    Attributes:
        name: of the file.
        look_up: which words are known.
        lines: by the place of a word in the vocabulary, the line that it is taken from.
    """

    name: str
    look_up: LookUp
    lines: dict[int, int] = field(default_factory=dict)
    _spelled: dict[bytes, int] = field(default_factory=dict)

    def choose(self, words: Sequence[bytes], first: int) -> list[tuple[int, int]]:
        """Return `(number in words, place in the vocabulary)` of those that are taken.

        Raises:
            DataError: a known word is there twice, in the same spelling.
        """
        spelled = [word.strip(b" \t\r") for word in words]
        places = self.look_up(pa.array([word.decode() for word in spelled], pa.string()))
        chosen = []
        for number in np.flatnonzero(places >= 0).tolist():
            place, word, line = int(places[number]), spelled[number], first + number
            before = self._spelled.setdefault(word, line)
            if before != line:
                shown = shortened(word.decode())
                message = f"the word '{shown}' is there a second time (first in line {before}): remove one of the two"
                raise DataError(f"{self.name}:{line}: {message}")
            if place not in self.lines:
                self.lines[place] = line
                chosen.append((number, place))
        return chosen


@dataclass(frozen=True)
class _Form:
    """How the lines of a text file are written.

    Attributes:
        width: numbers in each line.
        words: how many lines the header promises; None without a header.
    """

    width: int
    words: int | None

    @classmethod
    def of(cls, first: bytes) -> _Form:
        """Return the form of a file with this first line: a header of fastText has two whole numbers."""
        fields = first.split()
        if len(fields) == 2 and all(each.isdigit() and len(each) < 19 for each in fields):
            return cls(int(fields[1]), int(fields[0]))
        return cls(len(fields) - 1, None)

    def split(self, line: bytes) -> tuple[bytes, bytes]:
        """Return the word of a line, and its numbers.

        Raises:
            ValueError: the line has fewer or more of them.
        """
        found = line.count(b" ")
        if found == self.width:
            word, _, numbers = line.partition(b" ")
            return word, numbers
        if found > self.width and self.words is None:
            # In GloVe's files a word may have spaces: its numbers are counted from the right.
            word, numbers = line.rsplit(b" ", self.width)[0], b" ".join(line.rsplit(b" ", self.width)[1:])
            if not _is_number(word.rpartition(b" ")[2]):
                return word, numbers
        tabs = " (the line has tabs)" if b"\t" in line else ""
        raise ValueError(f"expected a word and {self.width} numbers, separated by one space each, found {found}{tabs}")


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_text(path: Path, look_up: LookUp, width: int) -> FoundVectors:
    taken, form = _Taken(printable(path.name), look_up), None
    places, values = [], []
    with open_regular(path) as file:
        lines = _Lines(file, taken.name)
        for first, block in lines:
            skipped = 0
            if form is None:
                form = _form(block[0], lines, width)
                skipped = int(form.words is not None)
            words, numbers = _split(block[skipped:], first + skipped, form, lines)
            for number, place in taken.choose(words, first + skipped):
                places.append(place)
                values.append(_vector(numbers[number], first + skipped + number, lines))
    if form is not None and form.words is not None and lines.last - 1 != form.words:
        message = f"the header says {form.words:,} words, and the file has {lines.last - 1:,}"
        raise DataError(f"{taken.name}: {message}: it is cut off or damaged; copy or download it again")
    array = np.stack(values) if values else np.zeros((0, width), np.float32)
    return FoundVectors(np.array(places, np.int64), array, lines.sha256.hexdigest())


def _split(block: Sequence[bytes], first: int, form: _Form, lines: _Lines) -> tuple[list[bytes], list[bytes]]:
    """Return the words of lines, and their numbers."""
    words, numbers = [], []
    for number, line in enumerate(block):
        try:
            word, rest = form.split(line.rstrip(b" \r"))  # fastText ends each line with a space
        except ValueError as error:
            raise lines.error(first + number, str(error)) from error
        words.append(word)
        numbers.append(rest)
    return words, numbers


def _form(line: bytes, lines: _Lines, width: int) -> _Form:
    form = _Form.of(line)
    if form.width < 1:
        raise lines.error(1, "expected a word and its numbers, separated by one space each")
    if form.width != width:
        raise OtherWidthError(str(form.width))
    return form


def _vector(numbers: bytes, line: int, lines: _Lines) -> np.ndarray:
    """Return the vector of a line, float32 (width,)."""
    fields = numbers.split(b" ")
    try:
        values = [float(each) for each in fields]
    except ValueError:
        wrong = next(each for each in fields if not _is_number(each))
        message = f"expected a number, found '{shortened(wrong.decode())}'"
        raise lines.error(line, message) from None
    with np.errstate(over="ignore"):
        vector = np.array(values, np.float32)
    if not np.isfinite(vector).all():
        wrong = fields[int(np.argmin(np.isfinite(vector)))]
        raise lines.error(line, f"expected a finite number of 32 bits, found '{shortened(wrong.decode())}'")
    return vector


def _read_array(path: Path, taken: _Taken, words: int, width: int, words_sha256: str) -> FoundVectors:
    """Return the vectors of an array whose words are taken from `words` lines."""
    name = printable(path.name)
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        rows = _mapped(file, name)
        if rows.shape[1] != width:
            raise OtherWidthError(str(rows.shape[1]))
        if len(rows) != words:
            raise DataError(f"{name}: the array has {len(rows):,} rows, and {taken.name} has {words:,} words")
        places = np.array(list(taken.lines), np.int64)
        chosen = np.array(list(taken.lines.values()), np.int64) - 1
        with np.errstate(over="ignore"):
            values = np.asarray(rows[chosen], np.float32).reshape(len(chosen), width)
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        row = int(chosen[wrong].min())
        message = f"expected finite numbers of 32 bits (row {row} counted from 0, line {row + 1} of {taken.name})"
        raise DataError(f"{name}: {message}")
    return FoundVectors(places, values, sha256, words_sha256)


def _mapped(file: Any, name: str) -> np.ndarray:
    """Return the array of a `.npy` file, which stays on the disk: a few of its rows are needed."""
    form = np.lib.format
    try:
        version = form.read_magic(file)
        read = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"version {version} of the format")
        shape, in_columns, dtype = read(file)
    except (ValueError, EOFError, RecursionError, MemoryError) as error:
        raise DataError(f"{name}: it is not a .npy array, or a damaged one ({shortened(str(error))})") from error
    if dtype.kind != "f" or dtype.itemsize > 8 or len(shape) != 2:
        found = f"{dtype} of shape {shape}"
        raise DataError(
            f"{name}: expected a matrix of floating-point numbers, (words, width), found {shortened(found)}"
        )
    # The header is the file's word only.
    held = os.fstat(file.fileno()).st_size - file.tell()
    if math.prod(shape) * dtype.itemsize != held or min(shape) < 1:
        message = f"its header says {shape[0]} x {shape[1]} numbers, and the file has {held:,} bytes of them"
        raise DataError(f"{name}: {message}: it is empty, cut off or damaged")
    return np.memmap(file, dtype, "r", file.tell(), shape, "F" if in_columns else "C")
