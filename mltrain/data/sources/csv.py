"""A table in a text file: comma- or tab-separated, plain or gzip-compressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(f"unknown text encoding {name!r} (known: utf-8, utf-16, cp1252, latin-1, …)") from error
    return name


class CsvSource(Spec):
    """A delimited text file with a header line: .csv or .tsv, plain or .gz."""

    type: Literal["csv"] = "csv"

    path: InputPath
    """The file."""

    delimiter: Annotated[str, StringConstraints(pattern=r"^[\t !#-~]$")] | None = None
    """What separates the fields, one character; null takes the tab for .tsv and the comma otherwise."""

    missing: Many[str] = ()
    """More texts that mean "no value", besides the usual ones (empty, NA, N/A, NaN, nan, null, NULL, None, …)."""

    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8"
    """The character encoding, as Python names it: utf-8, utf-16, cp1252, latin-1, …"""

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the table in the file.

        Args:
            seed: not used; every source takes it.
            declared: the kind of a column, by name, where it was stated: "number", "category", "boolean", "datetime" or
                "ignore"; other kinds say nothing of how a text is read.

        Raises:
            DataError: the file is not there or not a regular file, or its content is not a table of such columns.
        """
        from mltrain.data.delimited import read_delimited  # pyarrow costs 50 ms at import
        from mltrain.data.delimited_text import Dialect

        return read_delimited(self.path, Dialect(self.separator, self.missing, self.encoding), declared or {})

    @property
    def separator(self) -> str:
        """What separates the fields of this file."""
        return self.delimiter or ("\t" if self.path.name.lower().endswith((".tsv", ".tsv.gz")) else ",")
