"""Targets of different kinds, each by itself: what is true of the rows that have it, and what is predicted for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltrain.outputs import KINDS
from mltrain.task import Output

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class EachOutput:
    """One of several outputs, and the rows that have its target.

    Attributes:
        output: what is learned.
        number: its place among all.
        rows: int64 (n,), the places of those rows among all rows.
        truth: (n,), int64 class numbers, or float64.
        values: as `Network.predictions` gives them where it is the only output.
    """

    output: Output
    number: int
    rows: np.ndarray
    truth: np.ndarray
    values: np.ndarray


def each_output(output: Output, truth: np.ndarray, values: np.ndarray) -> Iterator[EachOutput]:
    """Yield each of several outputs.

    Args:
        output: of all.
        truth: (rows, targets) float64, NaN where a row lacks a target.
        values: the predictions of all, (rows, units) float64.
    """
    for number, (part, place) in enumerate(output.placed):
        rows = (truth[:, number] == truth[:, number]).nonzero()[0]  # NaN equals nothing
        yield EachOutput(
            part, number, rows, known_truth(part, truth[rows, number]), values_of(part, place, values[rows])
        )


def known_truth(part: Output, truth: np.ndarray) -> np.ndarray:
    """Return what is true of the rows that have a target: class numbers are whole."""
    return truth.astype("int64") if part.classes else truth


def values_of(part: Output, place: slice, values: np.ndarray) -> np.ndarray:
    """Return the predictions of one output from those of all (rows, units): probabilities are float32 again, as the
    model gave them."""
    found = values[:, place]
    return KINDS[part.task].shaped(found.astype("float32") if part.classes else found)
