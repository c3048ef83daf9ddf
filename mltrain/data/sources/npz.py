"""NumPy arrays in an .npz archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mltrain.data.files.missing_keys import MissingText, UsualMissing
from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.table import Table


class NpzSource(Spec):
    """Arrays of an .npz file. The first axis is the rows. An array with one axis is a column; others stay arrays."""

    type: Literal["npz"] = "npz"
    path: InputPath
    """The file."""
    arrays: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """Which arrays to read, as {column: name in the file}; null reads all arrays under their own names."""
    missing: Many[MissingText] = ()
    """Texts that mean "no value", besides NaN and the empty text, in arrays of one axis.
    A number means every spelling of it: -999 is also -999.0."""
    usual_missing: UsualMissing = False
    """Whether the texts that mean "no value" in a CSV file do so here, too: NA, N/A, NaN, nan, null, NULL, None, … With
    `numbers` they do only where they are among numbers."""

    def read(self, seed: int, declared: Mapping[str, str] | None = None, *, options: bool = False) -> Table:
        """Return the table of the arrays; the arguments are those of `CsvSource.read`.

        Raises:
            DataError: the file is not there, not an .npz, lacks an array, or the arrays are not of one length.
        """
        from mltrain.data.files.arrays import read_npz  # pyarrow costs 50 ms at import
        from mltrain.data.files.missing_values import MissingValues

        missing = MissingValues(self.missing, self.usual_missing)
        return read_npz(self.path, self.arrays, {} if declared is None else declared, missing, options=options)
