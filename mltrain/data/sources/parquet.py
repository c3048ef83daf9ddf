"""A table in a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mltrain.data.files.missing_keys import MissingText, UsualMissing
from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


class ParquetSource(Spec):
    """A Parquet file. Columns of lists of numbers become arrays."""

    type: Literal["parquet"] = "parquet"
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
            DataError: the file is not there, not Parquet, or has a column that is no number, text, boolean or date.
        """
        from mltrain.data.files.missing_values import MissingValues
        from mltrain.data.files.parquet import read_parquet  # pyarrow costs 50 ms at import

        missing = MissingValues(self.missing, self.usual_missing)
        return read_parquet(self.path, {} if declared is None else declared, missing, options=options)
