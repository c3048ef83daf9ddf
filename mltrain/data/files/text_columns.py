"""Columns of a delimited text: from the texts in the file to what they hold."""

from __future__ import annotations

import pyarrow as pa

from mltrain.data.column_settings import AS_WRITTEN, IMAGES
from mltrain.data.files.column_types import ColumnPlace, parse_texts
from mltrain.data.files.delimited_text import Dialect, trimmed
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.text_spelling import iso_dates, plain_spelling

_TEXT_KINDS = ("category", "ignore", AS_WRITTEN, IMAGES)


class TextColumns:
    """Reads the columns of one file, and notes which texts were taken as missing."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.missing = MissingValues(dialect.missing, dialect.usual_missing)

    @property
    def plain(self) -> bool:
        """Whether numbers are written as `1234.5`, so that they can be read as such."""
        return self._dialect.decimal == "." and self._dialect.thousands is None

    def cleaned(self, column: pa.Array, kind: str | None) -> pa.Array:
        """Return the texts of a column, with null for those that mean "no value" where it does not hold texts.

        Args:
            column: as it is in the file.
            kind: what the column was declared to be, as for `parse_texts`.
        """
        return self.missing.without(trimmed(column, self._dialect.strip), usual=self._usual(kind))

    def typed(self, column: pa.Array, where: ColumnPlace, kind: str | None) -> pa.Array:
        """Return a column as what it holds; see `parse_texts`.

        Args:
            column: the texts as they are in the file.
            where: names the column and its rows.
            kind: what it was declared to be.

        Raises:
            DataError: a value is not of the declared kind, or of the kind that most others are.
        """
        raw = trimmed(column, self._dialect.strip)
        texts = self.missing.without(raw, usual=self._usual(kind))
        found = parse_texts(self._spelled(texts, where, kind), where, kind)
        if pa.types.is_string(found.type):
            found = texts
            if self.missing.usual == "numbers":  # they are texts, where only what was stated means "no value"
                found = self.missing.without(raw, usual=False)
        self.missing.note(where.column, raw, found)
        return found

    def _usual(self, kind: str | None) -> bool:
        usual = self.missing.usual
        return usual is True or (usual == "numbers" and kind not in _TEXT_KINDS)

    def _spelled(self, texts: pa.Array, where: ColumnPlace, kind: str | None) -> pa.Array:
        dialect = self._dialect
        if kind in _TEXT_KINDS or texts.null_count == len(texts):
            return texts
        if not self.plain:
            texts = plain_spelling(texts, where, dialect.decimal, dialect.thousands, declared=kind == "number")
        return texts if dialect.date_format is None else iso_dates(texts, dialect.date_format)
