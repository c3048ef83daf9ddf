"""A table in a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mltrain.spec import InputPath, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


class ParquetSource(Spec):
    """A Parquet file. Columns of number lists become arrays."""

    type: Literal["parquet"] = "parquet"

    path: InputPath
    """The file."""

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the table in the file; the arguments are those of `CsvSource.read`.

        Raises:
            DataError: the file is not there, not Parquet, or has a column that is no number, text, boolean or date.
        """
        from mltrain.data.parquet import read_parquet  # pyarrow costs 50 ms at import

        return read_parquet(self.path, declared or {})
