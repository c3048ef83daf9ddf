"""Images that the rows of a table name or hold: paths of image files beside the table, or their bytes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Literal

import numpy as np
import pyarrow as pa

from mltrain.data.files.bad_images import BadImage, BadImagesError
from mltrain.data.files.image_files import not_an_image
from mltrain.data.files.image_form import Conversions, ImageForm
from mltrain.data.files.images import StoredImage, readable_images
from mltrain.data.files.opening import FileContent, read_file_content
from mltrain.data.table import Column, FileImages, Origin, Table
from mltrain.errors import DataError
from mltrain.problems import printable
from mltrain.task import Decision

# What no file system takes.
_LONGEST_PATH = 4096
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class ImageRule:
    """How the images of a column are read.

    Attributes:
        form: what they are made to be.
        missing: what is done with a row without one: "blank" makes it a black image.
        reason: why the column was taken for one of images; empty where it was stated.
    """

    form: ImageForm
    missing: Literal["error", "blank"]
    reason: str = ""


@dataclass(frozen=True)
class RowImages:
    """A table whose columns of images are arrays.

    Attributes:
        table: the rows whose images could be read.
        rows: (n,): int64, their places among the rows that were given.
        conversions: by the name of a column: how many images had to be changed to fit.
        read: by the name of a column: how many images were read.
        bad: what is wrong with the others.
    """

    table: Table
    rows: np.ndarray
    conversions: Mapping[str, Conversions]
    read: Mapping[str, int]
    bad: tuple[BadImage, ...]

    def decisions(self, rules: Mapping[str, ImageRule]) -> tuple[Decision, ...]:
        """Return what was done to the images, by column."""
        return tuple(
            decision
            for column, done in self.conversions.items()
            for decision in done.decisions(rules[column].form, self.read[column], f"features.{column}")
        )


@dataclass(frozen=True)
class _FileOfRow:
    """A file that a row names; errors name it as the row does."""

    path: str
    name: str

    def content(self) -> FileContent:
        try:
            return read_file_content(Path(self.path))
        except DataError as error:
            reason = str(error).removeprefix(f"{printable(self.path)}: ")
            near = "; paths are written with /" if "\\" in self.name else ""
            raise DataError(f"{printable(self.name)}: {reason}{near}") from error


@dataclass(frozen=True)
class _BytesOfRow:
    """An image in a cell of a column, which is taken out only when it is needed."""

    values: pa.Array
    row: int
    name: str = ""

    def content(self) -> FileContent:
        data = self.values[self.row].as_py()
        return FileContent(self.name, data, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class _NamingOrigin(Origin):
    """Rows that name a file each."""

    whole: Origin
    files: tuple[str, ...]

    def place(self, row: int) -> str:
        return self.whole.place(row)

    def file(self, row: int) -> str:
        return self.files[row]


class ImagesOfRows:
    """Finds the image of each row of a column.

    Args:
        folder: that of the table, which holds the files; None where the table is in none.
        name: of the table, for messages.
    """

    def __init__(self, folder: Path | None, name: str) -> None:
        self._folder, self._name = folder, name
        self._real = os.path.realpath(folder) if folder is not None else ""
        self._parents: dict[str, str] = {}

    def of_column(self, values: pa.Array, column: str) -> list[StoredImage | BadImage | None]:
        """Return the image of each row, why it cannot be read, or None where the row has none.

        Raises:
            DataError: the column holds something else, or it has names of files and the table is in no folder.
        """
        if values.null_count == len(values):
            return [None] * len(values)
        if _is_binary(values.type):
            return [_BytesOfRow(values, row) if cell.is_valid else None for row, cell in enumerate(values)]
        if not pa.types.is_string(values.type):
            raise DataError(
                f"{self._name}: column '{column}': expected paths of image files, found values of type {values.type}"
            )
        if self._folder is None:
            raise DataError(
                f"{self._name}: column '{column}' names image files: set data.source.folder to the folder that they "
                "are in"
            )
        return [None if text is None else self._file(text) for text in values.to_pylist()]

    def _file(self, text: str) -> StoredImage | BadImage:
        """Return the file of that name, if it is below the folder of the table: a table from a stranger may name any.

        Neither `..` nor a link leads out of it.
        """
        reason = self._refused(text)
        if reason:
            return BadImage.because(text, reason)
        wrong = not_an_image(text, text)
        if wrong is not None:
            return wrong
        below, _, last = text.rpartition("/")
        if below not in self._parents:
            self._parents[below] = os.path.realpath(f"{self._real}/{below}")
        # A Path would take four times as long, for each row.
        path = f"{self._parents[below]}/{last}"
        path = os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114
        if not path.startswith(f"{self._real.rstrip('/')}/"):
            reason = f"it leads out of the folder of {self._name}; put the image below that folder"
            return BadImage.because(text, reason)
        return _FileOfRow(path, text)

    def _refused(self, text: str) -> str:
        if "\0" in text or len(text) > _LONGEST_PATH:
            return "not the path of a file"
        if _ADDRESS.match(text):
            return f"an address, and nothing is downloaded; put the image below the folder of {self._name}"
        if text.startswith(("/", "~")) or PureWindowsPath(text).is_absolute():
            return f"not a path relative to the folder of {self._name}; write it from there, such as photos/1.jpg"
        return ""


def open_images(
    table: Table, folder: Path | None, rules: Mapping[str, ImageRule], *, skip_bad: bool = False
) -> RowImages:
    """Return a table with arrays in the place of the images that its rows name or hold: uint8 (rows, height, width)
    for gray ones, else (rows, height, width, 3). The fingerprint is then also of the bytes of the images.

    Args:
        table: as it was read.
        folder: as for `ImagesOfRows`.
        rules: by the name of a column; those of other tables are left out, and arrays stay as they are.
        skip_bad: whether rows whose images cannot be used are left out, instead of refused.

    Raises:
        BadImagesError: images cannot be used, or a row has none and must have one; it names all of them.
        DataError: a column holds something else than paths or bytes.
        OutOfMemoryError: there is not enough memory for the images.
    """
    name = table.origin.name
    rules = {column: rule for column, rule in rules.items() if _to_be_read(table, column)}
    if not rules:
        return RowImages(table, np.arange(len(table)), {}, {}, ())
    finder = ImagesOfRows(folder, name)
    pixels: dict[str, Column] = {}
    about: dict[str, FileImages] = {}
    conversions: dict[str, Conversions] = {}
    read: dict[str, int] = {}
    bad: dict[int, BadImage] = {}
    digest = hashlib.sha256(table.sha256.encode())
    for column, rule in rules.items():
        values = column_of(table, column)
        found = finder.of_column(values, column)
        blank = np.array([each is None for each in found])
        if rule.missing == "error":
            reason = f"no image is named; add one, or train with data.features.{column}.missing: blank"
            found = [BadImage.because("", reason) if each is None else each for each in found]
        wrong = {row: each for row, each in enumerate(found) if isinstance(each, BadImage)}
        rest = [row for row in range(len(found)) if row not in wrong]
        images = readable_images([each for each in found if not isinstance(each, BadImage)], rule.form)
        unread = sorted({*range(len(rest))} - {*images.good})
        wrong |= {rest[place]: each for place, each in zip(unread, images.bad, strict=True)}
        bad |= {row: _at(table.origin.place(row), column, each) for row, each in wrong.items()}
        good = [rest[place] for place in images.good]
        pixels[column] = images.pixels if len(good) == len(found) else _spread(images.pixels, good, len(found))
        about[column] = FileImages(blank, rule.missing, rule.reason)
        conversions[column], read[column] = images.conversions, len(good) - int(blank[good].sum())
        digest.update("\n".join([f"{column}\0{len(found)}", *images.sha256, ""]).encode())
    in_order = tuple(bad[row] for row in sorted(bad))
    if bad and not skip_bad:
        recognised = [column for column, rule in rules.items() if rule.reason]
        advice = (
            f"; to learn from the other columns only, set data.features.{recognised[0]}: ignore" if recognised else ""
        )
        raise BadImagesError(in_order, len(table), advice, "row")
    origin = table.origin
    first, *others = (column_of(table, column) for column in rules)
    if not others and pa.types.is_string(first.type):
        files = tuple(text or "" for text in first.to_pylist())
        origin = _NamingOrigin(origin.name, origin, files)
    opened = replace(table, columns={**table.columns, **pixels}, sha256=digest.hexdigest(), images=about, origin=origin)
    rows = np.array([row for row in range(len(table)) if row not in bad], np.int64)
    return RowImages(opened.take(rows) if bad else opened, rows, conversions, read, in_order)


def _to_be_read(table: Table, column: str) -> bool:
    return column in table.columns and not isinstance(table.columns[column], np.ndarray)


def column_of(table: Table, name: str) -> pa.Array:
    """Return a column of single values; raises DataError where it holds arrays."""
    values = table.column(name)
    if isinstance(values, np.ndarray):
        raise DataError(f"{table.origin.name}: column '{name}': expected paths of image files, found arrays")
    return values


def _at(place: str, column: str, bad: BadImage) -> BadImage:
    """Return the same with the row in front."""
    name = f"{place}: {bad.name or column}"
    return BadImage.because(name, bad.reason)


def _spread(pixels: np.ndarray, rows: Sequence[int], count: int) -> np.ndarray:
    """Return images (count, …) with these at `rows`, and black ones between them."""
    whole = np.zeros((count, *pixels.shape[1:]), pixels.dtype)
    whole[list(rows)] = pixels
    return whole


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
