"""The confusion matrix: which classes are confused with which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mltrain.problems import printable
from mltrain.report.plots.canvas import figure, label, png

# With more classes, the cells are too small for the share, for the count, for the name of every class.
_SHARES_UP_TO, _COUNTS_UP_TO, _NAMES_UP_TO = 12, 30, 40
# Characters of a name.
_NAME = 18


def confusion_plot(counts: np.ndarray, classes: Sequence[str], split: str) -> bytes:
    """Draw a confusion matrix: in each cell the count and its share of the row, the share as the shade of blue.

    Args:
        counts: (classes, classes), row = true class, column = predicted class.
        classes: names in the order of the rows.
        split: whose rows these are.

    Returns:
        PNG.
    """
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    names = _distinct(classes)
    # Inches: of a cell, by what is written in it; of the names, at 12 characters an inch.
    cell = 0.62 if len(classes) <= _SHARES_UP_TO else 0.42 if len(classes) <= _COUNTS_UP_TO else 10 / len(classes)
    longest = max(map(len, names)) / 12
    side = max(2.6, cell * len(classes))
    upright = longest > 0.9 * side / len(classes)
    with figure(side + longest + 2.2, side + (longest if upright else 0.2) + 1.0) as drawn:
        axes = drawn.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        drawn.colorbar(image, ax=axes, label="share of the true class")
        if len(classes) <= _COUNTS_UP_TO:
            _write_cells(axes, counts, shares)
        step = -(-len(names) // _NAMES_UP_TO)
        places = range(0, len(names), step)
        axes.set_xticks(places, names[::step], rotation=90 if upright else 0)
        axes.set_yticks(places, names[::step])
        axes.tick_params(length=0)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.set_title(f"confusion matrix, {label(split)}, n = {counts.sum()}", fontsize="medium")
        axes.spines[:].set_visible(False)
        return png(drawn)


def _distinct(classes: Sequence[str]) -> list[str]:
    """Return names as they are drawn; those that would look the same are cut in the middle, else numbered.

    Numbers are those of the classes, from 0, as predictions give them.
    """
    names = [label(name, _NAME) for name in classes]
    if len(set(names)) < len(names):
        half = (_NAME - 1) // 2
        whole = [printable(name) for name in classes]
        cut = [name if len(name) <= _NAME else f"{name[:half]}…{name[-half:]}" for name in whole]
        names = [label(name, _NAME) for name in cut]
    return [name if names.count(name) == 1 else f"{number}: {name}" for number, name in enumerate(names)]


def _write_cells(axes: Any, counts: np.ndarray, shares: np.ndarray) -> None:
    with_share = len(counts) <= _SHARES_UP_TO
    for (row, column), count in np.ndenumerate(counts):
        # Zeros in gray stay out of the way, so that the confusions are seen first.
        color = "white" if shares[row, column] > 0.55 else "black" if count else "#8A8A8A"
        text = f"{count}\n{shares[row, column]:.0%}" if with_share and count else f"{count}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8 if len(counts) > 5 else 10)
