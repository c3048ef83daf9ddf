"""The error that a column is not what it seems to hold, with what a program needs to do something about it."""

from __future__ import annotations

from mltrain.errors import DataError


class ColumnError(DataError):
    """Values of a column are not of the kind that most others are, or of no kind that a table can hold.

    Attributes:
        column: its name.
        expected: what the values were expected to be, such as "number"; empty where no kind was.
        odd: the first different texts that are something else; empty where texts are not what is wrong.
        odd_share: the share of the values that are.
    """

    column: str = ""
    expected: str = ""
    odd: tuple[str, ...] = ()
    odd_share: float = 0.0
