"""How the rows that are predicted differ from those of the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrain.data.gap_filling import Filled
from mltrain.data.gaps import Gaps
from mltrain.data.streams.images import ImagesStream
from mltrain.data.streams.row_images import ImagesOfBlocks
from mltrain.data.training_columns import ColumnFindings
from mltrain.data.window_use import Ahead
from mltrain.errors import DataError
from mltrain.procedures.explanation.attributed import Attributed


@dataclass(frozen=True)
class Missing:
    """Missing values of a column.

    Attributes:
        count: how many.
        expected: whether training rows miss some, too.
    """

    count: int
    expected: bool


@dataclass(frozen=True)
class Findings:
    """What there is to say of the rows that were predicted.

    Attributes:
        data: their name.
        rows: how many.
        missing: missing values, by column; only columns that have some.
        unknown: categories that no training row has, by column; likewise.
        columns: each held against the training rows; None where the run did not keep what they looked like.
        without_history: rows of series that are not predicted, as too few rows are before them.
        images: what was done to images; None where the rows have none.
        gaps: in the time of series; None where there are none.
        filled: rows that fill gaps in the time of series; None where there are none.
        ahead: what is known of rows that are still to come; None where the rows of a file are not those forecast.
        absent: keys that no line of a JSON Lines file has, each with a name that is nearly the same, for a message.
        explained: what the columns `explain.<column>` are; None where nobody asked.
        added: the names of the columns that were added.
        renamed: whether they have other names than usual, as the data has columns of these names.
        other_weights: that the weights are not those of the model of the run; empty where they are.
        other_parts: which parts of the network are not those of the training, a sentence each.
        unfinished: that the run is not finished, and which weights were used; empty where it is finished.
    """

    data: str
    rows: int
    missing: dict[str, Missing]
    unknown: dict[str, int]
    columns: tuple[ColumnFindings, ...] | None
    without_history: int = 0
    images: ImagesStream | ImagesOfBlocks | None = None
    gaps: Gaps | None = None
    ahead: Ahead | None = None
    filled: Filled | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    explained: Attributed | None = None
    added: tuple[str, ...] = ()
    renamed: bool = False
    other_parts: tuple[str, ...] = ()
    unfinished: str = ""
    other_weights: str = ""

    @property
    def outside(self) -> dict[str, ColumnFindings]:
        """Columns with values that no training row reaches."""
        return {column.column: column for column in self.columns or () if column.outside}

    def as_json(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {
            "format": 1,
            "data": self.data,
            "rows": self.rows,
            "added": list(self.added),
            **({"unfinished": self.unfinished} if self.unfinished else {}),
            **({"other_parts": list(self.other_parts)} if self.other_parts else {}),
            **({"other_weights": self.other_weights} if self.other_weights else {}),
            **({"without_history": self.without_history} if self.without_history else {}),
            "missing": {name: {"n": each.count, "in_training": each.expected} for name, each in self.missing.items()},
            **({} if self.gaps is None else {"gaps": {"steps": self.gaps.count, "windows": self.gaps.spanning}}),
            **({} if self.filled is None else {"filled": {"rows": self.filled.rows, "windows": self.filled.holding}}),
            **({} if self.ahead is None else {"ahead": {"rows": self.ahead.rows, "too_far": self.ahead.too_far}}),
            **({"absent": [*self.absent]} if self.absent else {}),
            "unknown": self.unknown,
            "outside": {
                name: {"n": each.outside, "low": each.low, "high": each.high} for name, each in self.outside.items()
            },
            "drift": None
            if self.columns is None
            else {
                each.column: {
                    "psi": each.stability.value,
                    "chance": each.stability.chance,
                    "drift": each.stability.drift,
                }
                for each in self.columns
            },
            **({} if self.images is None else {"images": self.images.as_json()}),
            **({} if self.explained is None else {"explanation": self.explained.as_json()}),
        }

    def refuse_surprises(self) -> None:
        """Raise the error of `--strict`, where anything is not as in the training."""
        surprising = {name: each.count for name, each in self.missing.items() if not each.expected}
        outside = {name: each.outside for name, each in self.outside.items()}
        reasons = [
            f"{what} ({', '.join(f'{name}: {count}' for name, count in counts.items())})"
            for what, counts in (
                ("categories that training rows do not have", self.unknown),
                ("values outside the range of the training rows", outside),
                ("missing values where training rows have none", surprising),
            )
            if counts
        ]
        if self.images is not None:
            reasons += self.images.surprises()
        if reasons:
            raise DataError(f"{self.data}: --strict: {'; '.join(reasons)}; nothing was written")
