"""A table of JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mltrain.data.files.missing_keys import MissingText, UsualMissing
from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


class JsonlSource(Spec):
    """JSON Lines: one object per line, plain or .gz. An absent key is a missing value; lists of numbers are arrays."""

    type: Literal["jsonl"] = "jsonl"
    path: InputPath
    """The file."""
    missing: Many[MissingText] = ()
    """Texts that mean "no value", besides null, NaN and the empty text.
    A number means every spelling of it: -999 is also -999.0."""
    usual_missing: UsualMissing = False
    """Whether the texts that mean "no value" in a CSV file do so here, too: NA, N/A, NaN, nan, null, NULL, None, … With
    `numbers` they do only where they are among numbers."""

    def read(self, seed: int, declared: Mapping[str, str] | None = None, *, options: bool = False) -> Table:
        """Return the table in the file; the arguments are those of `CsvSource.read`.

        Raises:
            DataError: the file is not there, a line is not a JSON object, or a column mixes kinds of values.
        """
        from mltrain.data.files.json_lines import read_json_lines  # pyarrow costs 50 ms at import
        from mltrain.data.files.missing_values import MissingValues

        missing = MissingValues(self.missing, self.usual_missing)
        return read_json_lines(self.path, missing, {} if declared is None else declared, options=options)
