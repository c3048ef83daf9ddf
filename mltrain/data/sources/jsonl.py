"""A table of JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


class JsonlSource(Spec):
    """JSON Lines: one object a line, plain or .gz. An absent key is a missing value; lists of numbers become arrays."""

    type: Literal["jsonl"] = "jsonl"

    path: InputPath
    """The file."""

    missing: Many[str] = ()
    """More texts that mean "no value", besides null, NaN and the empty text."""

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the table in the file; the arguments are those of `CsvSource.read`.

        Raises:
            DataError: the file is not there, a line is not a JSON object, or a column mixes kinds of values.
        """
        from mltrain.data.json_lines import read_json_lines  # pyarrow costs 50 ms at import

        return read_json_lines(self.path, self.missing, declared or {})
