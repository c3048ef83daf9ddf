"""A table in a text file: comma- or tab-separated, plain or gzip-compressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mltrain.data.files.date_format import checked_date_format
from mltrain.data.files.missing_keys import MissingText, UsualMissing
from mltrain.spec import InputPath, Many, Spec, fail, problem

if TYPE_CHECKING:
    from mltrain.data.files.delimited_text import Dialect
    from mltrain.data.table import Table


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(f"unknown text encoding {name!r} (known: utf-8, utf-16, cp1252, latin-1, …)") from error
    return name


Delimiter = Annotated[str, StringConstraints(pattern=r"^[\t !#-~]$")]
TextEncoding = Annotated[str, AfterValidator(_text_encoding)]
DateFormat = Annotated[str, AfterValidator(checked_date_format)]


class CsvSource(Spec):
    """A delimited text file: .csv or .tsv, plain or .gz. Its first line names the columns, unless `columns` does."""

    type: Literal["csv"] = "csv"
    path: InputPath
    """The file."""
    delimiter: Delimiter | None = None
    """What separates the fields, one character; null takes the tab for .tsv and the comma otherwise."""
    columns: Many[str] = ()
    """The names of the columns of a file without a header line. A first line that holds these names is a header."""
    skip: Annotated[int, Field(ge=0)] = 0
    """The number of lines before the header, or before the first row, that are not read."""
    missing: Many[MissingText] = ()
    """More texts that mean "no value". A number means every spelling of it: -999 is also -999.0."""
    usual_missing: UsualMissing = True
    """Whether the usual texts mean "no value" as well: NA, N/A, NaN, nan, null, NULL, None, … With false only the empty
    text and those under `missing` do, so that a class can be named NA. With `numbers` the usual texts count only in
    columns that do not hold text."""
    strip: str = ""
    """Characters that are removed from the end of every text: with "." the label `<=50K.` is read as `<=50K`. Blanks
    around a text never count."""
    decimal: Literal[".", ","] = "."
    """The decimal point of numbers."""
    thousands: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    """What separates the thousands of numbers, such as "," in 1,234.5; null for nothing."""
    date_format: DateFormat | None = None
    """How dates are written that are not in the form 2024-05-31, such as DD/MM/YYYY or %d.%m.%Y. A time may follow."""
    encoding: TextEncoding = "utf-8"
    """The character encoding, as Python names it: utf-8, utf-16, cp1252, latin-1, …"""

    @model_validator(mode="after")
    def _fits_together(self) -> CsvSource:
        problems = []
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            problems.append(problem("columns", f"{twice!r} is listed twice", ("columns",), twice))
        if self.thousands == self.decimal:
            message = f"{self.thousands!r} is also the decimal point (set decimal, or another thousands)"
            problems.append(problem("thousands", message, ("thousands",), self.thousands))
        if problems:
            raise fail("csv", problems)
        return self

    def read(self, seed: int, declared: Mapping[str, str] | None = None, *, options: bool = False) -> Table:
        """Return the table in the file.

        Args:
            seed: not used; every source takes it.
            declared: the kind of a column, by name, where it was stated: "number", "category", "boolean", "datetime" or
                "ignore"; other kinds say nothing of how a text is read.
            options: whether messages advise options of a command, not keys of this source.

        Raises:
            DataError: the file is not there or not a regular file, or its content is not a table of such columns.
        """
        from mltrain.data.files.delimited import read_delimited  # pyarrow costs 50 ms at import

        return read_delimited(self.path, self.dialect(options=options), {} if declared is None else declared)

    def dialect(self, *, options: bool = False) -> Dialect:
        """Return how the file is written; `options` as for `read`."""
        from mltrain.data.files.delimited_text import Dialect

        return Dialect(
            self.separator,
            self.missing,
            self.encoding,
            self.usual_missing,
            self.columns,
            self.skip,
            self.strip,
            self.decimal,
            self.thousands,
            self.date_format,
            options,
        )

    @property
    def separator(self) -> str:
        """What separates the fields of this file."""
        return self.delimiter or ("\t" if self.path.name.lower().endswith((".tsv", ".tsv.gz")) else ",")
