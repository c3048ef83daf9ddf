"""A small table in the YAML itself."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from mltrain.spec import InputPath, Many, Spec, fail, problem
from mltrain.wording import counted

if TYPE_CHECKING:
    from mltrain.data.table import Table


def _cell(value: Any) -> Any:
    # One validator, because a union of five types would report every mistake five times.
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise PydanticCustomError("cell", "expected a finite number, a text, true, false or null")


Cell = Annotated[
    str | int | float | bool | None, PlainValidator(_cell, json_schema_input_type=str | float | bool | None)
]


def _allow_mappings(schema: dict[str, Any]) -> None:
    rows = schema["properties"]["rows"]
    rows["items"] = {"anyOf": [rows["items"], {"type": "object"}]}
    schema["required"].remove("columns")


class InlineSource(Spec):
    """Rows in the YAML: lists in the order of `columns`, or mappings with the same keys."""

    model_config = ConfigDict(json_schema_extra=_allow_mappings)

    type: Literal["inline"] = "inline"
    columns: Many[str]
    """The names of the columns. Not needed if the rows are mappings."""
    rows: Many[Many[Cell]]
    """The rows; null is a missing value."""
    folder: InputPath | None = None
    """The folder of the image files that the rows name."""

    @model_validator(mode="before")
    @classmethod
    def _lists_of_mappings(cls, value: Any) -> Any:
        """Turn rows that are mappings into columns and lists."""
        rows = value.get("rows") if isinstance(value, Mapping) else None
        if not isinstance(rows, (list, tuple)) or not rows or not isinstance(rows[0], Mapping):
            return value
        columns = value.get("columns", list(rows[0]))
        if not isinstance(columns, (list, tuple)) or not all(isinstance(column, str) for column in columns):
            return value
        problems = []
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping):
                problems.append(problem("row", "expected a mapping, like the first row", ("rows", number), row))
            elif set(row) != set(columns):
                odd = ", ".join(map(str, sorted(set(row) ^ set(columns), key=str)))
                problems.append(
                    problem("row", f"the rows do not all have the same columns ({odd})", ("rows", number), row)
                )
        if problems:
            raise fail("inline", problems)
        return {**value, "columns": columns, "rows": [[row[column] for column in columns] for row in rows]}

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> InlineSource:
        width = len(self.columns)
        problems = [] if self.rows else [problem("rows", "expected at least one row", ("rows",), self.rows)]
        problems += [
            problem(
                "row",
                f"{counted(len(row), 'value')} for {counted(width, 'column')} ({', '.join(self.columns)})",
                ("rows", number),
                row,
            )
            for number, row in enumerate(self.rows)
            if len(row) != width
        ]
        for number, column in enumerate(self.columns):
            if not column.strip() or column in self.columns[:number]:
                problems.append(
                    problem(
                        "column",
                        "expected a name that is not empty and not used by another column",
                        ("columns", number),
                        column,
                    )
                )
        if problems:
            raise fail("inline", problems)
        return self

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the rows as a table; the arguments are those of `CsvSource.read`.

        Raises:
            DataError: a column mixes kinds of values.
        """
        from mltrain.data.files.column_types import ColumnPlace, role_in  # pyarrow costs 50 ms at import
        from mltrain.data.files.column_values import column_of_values
        from mltrain.data.table import Origin, Table

        origin = Origin("rows")
        columns = {
            name: column_of_values(
                [row[number] for row in self.rows],
                ColumnPlace(name, origin.place, role=role_in(declared, name)),
                (declared or {}).get(name),
            )
            for number, name in enumerate(self.columns)
        }
        text = json.dumps([self.columns, self.rows], separators=(",", ":"))
        return Table(columns, origin, hashlib.sha256(text.encode()).hexdigest())
