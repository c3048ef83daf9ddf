"""What every kind of column answers. No NumPy here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltrain.data.column_settings import Scale
from mltrain.spec import Spec

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class FeatureSpec(Spec):
    """A kind of column, as the config states it."""

    if TYPE_CHECKING:

        @property
        def type(self) -> str:
            """The name of the kind: each kind has it as a field."""

    @property
    def read_as(self) -> str:
        """What texts of the column are read as, one of `READ_AS`. Training reads a file so; predictions read theirs as
        `Encoder.file_kinds` says, which must be the same."""
        return self.type

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows.

        Args:
            column: its values in the training rows.
            scale: `data.scale`, for columns that do not state theirs.

        Raises:
            DataError: the column does not hold what it was declared to be.
        """
        raise NotImplementedError
