"""Categories: as 0/1 columns, as index numbers, or as ordered numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from mltrain.aligned import aligned_empty
from mltrain.data.encoders.column import (
    ColumnEncoder,
    Encoded,
    Fitted,
    OwnInputEncoder,
    RawColumn,
    RawInput,
    Watched,
    first_row,
)
from mltrain.data.encoders.number import indicator_name, missing_error
from mltrain.data.encoders.texts import spelled_as, texts_of
from mltrain.spec import Many, suggest
from mltrain.task import Decision

# Vectors of more numbers than this are not learned better.
_WIDEST = 50

Unknown = Literal["ignore", "error"]
Missing = Literal["category", "error"]


class TextEncoder(ColumnEncoder):
    """What all encoders of text share: the categories, and what happens to other texts."""

    column: str
    """Name of the raw column."""
    categories: Many[str]
    """The known texts, in order. The empty text means a missing value, and is there if training rows have some."""
    unknown: Unknown
    """What happens to a text that is not one of the categories."""
    missing: Missing
    """What happens to a missing value."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All categories."""
        return self.categories

    @property
    def expects_missing(self) -> bool:
        """Whether a missing value is a category."""
        return "" in self.categories

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """The column itself."""
        return ((self.column, "text"),)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the texts."""
        yield self.texts(column)

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return categories."""
        return {self.column: "category"}

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """One text, empty where missing."""
        return (RawInput(self.column, "string", (1,)),)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return the texts as objects (rows, 1), empty where missing."""
        return (self.texts(column).to_numpy(zero_copy_only=False)[:, None],)

    def texts(self, column: RawColumn) -> pa.Array:
        """Return the texts (rows,), empty where missing, with categories as they are spelled in the training rows."""
        return spelled_as(texts_of(column), self.categories)

    def positions(self, column: RawColumn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for each row its category's position, or -1; whether it is missing; and whether it is unknown.

        Raises:
            DataError: a value is missing or unknown where that is an error.
        """
        texts = self.texts(column)
        found = pc.index_in(texts, value_set=pa.array(self.categories, pa.string()))
        positions = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        absent = pc.equal(texts, "").to_numpy(zero_copy_only=False)
        unknown = (positions < 0) & ~absent
        if self.missing == "error" and absent.any():
            raise missing_error(column, absent)
        if self.unknown == "error" and unknown.any():
            raise unknown_error(column, texts, unknown, self.categories)
        return positions, absent, unknown


class CategoryEncoder(TextEncoder):
    """One 0/1 column per category; an unknown or missing text that is not a category has 0 in all of them."""

    type: Literal["category"] = "category"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return tuple(f"{self.column}={name}" if name else indicator_name(self.column) for name in self.categories)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, categories)."""
        positions, absent, unknown = self.positions(column)
        values = np.zeros((len(positions), len(self.categories)), np.float32)
        rows = np.flatnonzero(positions >= 0)
        values[rows, positions[rows]] = 1.0
        return Encoded(values, count_of(self.column, absent), count_of(self.column, unknown))


class IndexEncoder(TextEncoder):
    """One column with the number of the category: 1, 2, 3, …; 0 for any other text."""

    type: Literal["index"] = "index"

    @property
    def names(self) -> tuple[str, ...]:
        """Name of the encoded column."""
        return (self.column,)

    @property
    def is_index(self) -> bool:
        """Yes."""
        return True

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, 1)."""
        positions, absent, unknown = self.positions(column)
        values = (positions + 1).astype(np.float32)[:, None]
        return Encoded(values, count_of(self.column, absent), count_of(self.column, unknown))


class EmbeddedEncoder(OwnInputEncoder, TextEncoder):
    """An input of its own with the number of the category: 1, 2, 3, …; 0 for any other text. A model learns a vector
    for each."""

    type: Literal["embedding"] = "embedding"
    width: Annotated[int, Field(ge=1)]
    """The length of the vectors."""

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """One number."""
        return (1,)

    @property
    def encoded_dtype(self) -> Literal["float32", "int32"]:
        """That of index numbers."""
        return "int32"

    @property
    def indices(self) -> int:
        """Those of the categories, and 0."""
        return len(self.categories) + 1

    @property
    def vector_width(self) -> int:
        """As stated, or by the number of categories."""
        return self.width

    def encode(self, column: RawColumn) -> Encoded:
        """Return int32 (rows, 1)."""
        positions, absent, unknown = self.positions(column)
        values = aligned_empty((len(positions), 1), np.int32)
        values[:, 0] = positions + 1
        return Encoded(values, count_of(self.column, absent), count_of(self.column, unknown))


def fit_category(
    column: RawColumn,
    encoding: Literal["one_hot", "index", "ordinal", "embedding"],
    unknown: Unknown,
    missing: Missing,
    max_categories: int,
    width: int | Literal["auto"] = "auto",
) -> Fitted:
    """Return the encoder of a column of categories of the training rows; `width` of the vectors of an embedding.

    Raises:
        DataError: there are no categories, too many, or a value is missing where that is an error.
    """
    texts = texts_of(column)
    found = sorted(pc.unique(texts).to_pylist())
    if found == [""] or not found:
        raise column.failure(
            f"no training row has a value (set data.features.{column.name}: ignore, or split the data otherwise)"
        )
    if len(found) > max_categories:
        raise column.failure(
            f"{len(found)} different values in {len(texts)} training rows, more than max_categories {max_categories} "
            f"(set data.features.{column.name}: ignore, or raise its max_categories)"
        )
    if missing == "error" and "" in found:
        raise missing_error(column, pc.equal(texts, "").to_numpy(zero_copy_only=False))
    # The empty text, "missing", sorts first; as the last category it leaves the names in their order.
    categories = (*found[1:], "") if found[0] == "" else tuple(found)
    absent = pc.sum(pc.equal(texts, "")).as_py()
    decisions: tuple[Decision, ...] = ()
    if absent:
        reason = f"{absent} of {len(texts)} training rows miss it"
        decisions = (Decision(f"features.{column.name}", "missing values are a category of their own", reason),)
    encoder: type[TextEncoder] = CategoryEncoder if encoding == "one_hot" else IndexEncoder
    more: dict[str, int] = {}
    if encoding == "embedding":
        encoder, more = EmbeddedEncoder, {"width": _width(len(categories)) if width == "auto" else width}
        if width == "auto":
            what, reason = f"features.{column.name}.width", f"1.6 × {len(categories)}^0.56, at most {_WIDEST}"
            decisions += (Decision(what, str(more["width"]), reason),)
    made = encoder(column=column.name, categories=categories, unknown=unknown, missing=missing, **more)
    return Fitted(made, decisions)  # type: ignore[arg-type]


def _width(categories: int) -> int:
    """Return the length of the vectors for so many categories: the rule of thumb of fastai's tabular models."""
    return min(_WIDEST, max(1, round(1.6 * categories**0.56)))


def unknown_error(column: RawColumn, texts: pa.Array, unknown: np.ndarray, categories: tuple[str, ...]) -> Exception:
    """Return the error for a category that is not known."""
    row = first_row(unknown)
    text = texts[row].as_py()
    known = [name for name in categories if name]
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return column.error(row, f"unknown category {text!r}{suggest(text, known)} (known: {shown})")


def count_of(name: str, condition: np.ndarray) -> dict[str, int]:
    """Return the number of rows in which a condition holds, by the name of the column; empty for none."""
    count = int(condition.sum())
    return {name: count} if count else {}
