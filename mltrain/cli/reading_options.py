"""Options of `predict` and `evaluate` that say how a file of new rows is written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="CHAR", help="What separates the fields of a CSV; '\\t' is a tab.")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="The encoding of a CSV, such as utf-8 or cp1252.")
]
MissingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        metavar="TEXT",
        help="Another text that means 'no value'. A number means every spelling of it. May be repeated.",
    ),
]
UsualMissingOption = Annotated[
    Literal["yes", "no", "numbers"] | None,
    typer.Option(
        "--usual-missing", help="Whether NA, null, None, … mean 'no value'. numbers: only where a column is not text."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="NAME,NAME,…", help="The names of the columns of a CSV without a header line."),
]
Skip = Annotated[
    int | None, typer.Option("--skip", metavar="N", min=0, help="Lines at the beginning of a CSV that are not read.")
]
Strip = Annotated[
    str | None,
    typer.Option("--strip", metavar="CHARS", help="Characters to remove from the end of each text of a CSV."),
]
Decimal = Annotated[Literal[".", ","] | None, typer.Option("--decimal", help="The decimal point of a CSV.")]
Thousands = Annotated[
    str | None, typer.Option("--thousands", metavar="CHAR", help="What separates thousands in numbers of a CSV.")
]
DateFormatOption = Annotated[
    str | None,
    typer.Option("--date-format", metavar="FORM", help="How dates of a CSV are written, such as DD/MM/YYYY."),
]


def reading_options(
    *,
    delimiter: str | None,
    encoding: str | None,
    missing: list[str] | None,
    usual_missing: str | None,
    columns: str | None,
    skip: int | None,
    strip: str | None,
    decimal: str | None,
    thousands: str | None,
    date_format: str | None,
) -> dict[str, Any]:
    """Return what was given, by the names of the keys of a source."""
    usual: dict[str | None, bool | str | None] = {"yes": True, "no": False, "numbers": "numbers", None: None}
    return {
        "delimiter": "\t" if delimiter == "\\t" else delimiter,
        "encoding": encoding,
        "missing": tuple(missing or ()),
        "usual_missing": usual[usual_missing],
        "columns": tuple(name.strip() for name in columns.split(",")) if columns else (),
        "skip": skip,
        "strip": strip,
        "decimal": decimal,
        "thousands": thousands,
        "date_format": date_format,
    }
