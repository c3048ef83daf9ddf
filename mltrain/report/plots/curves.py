"""Curves over the epochs: the loss, and every other quantity that was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mltrain.report.plots.canvas import GRAY, LOOKS, figure, label, png

# Up to this many epochs, each one is marked: a single epoch would be invisible without a mark.
_MARKED_EPOCHS = 30
_LOG_SCALE_RATIO = 100


def loss_curves(history: Mapping[str, Sequence[float]], best_epoch: int | None = None) -> bytes:
    """Draw the loss of train and validation over the epochs.

    Args:
        history: the columns of the history: `epoch`, `train.loss`, `validation.loss`, …; NaN leaves a gap.
        best_epoch: the epoch of the model that was kept; it is marked.

    Returns:
        PNG.
    """
    with figure(8, 5) as drawn:
        _draw(drawn.subplots(), "loss", history, best_epoch)
        return png(drawn)


def metric_curves(history: Mapping[str, Sequence[float]], best_epoch: int | None = None) -> bytes | None:
    """Draw each metric of train and validation over the epochs, one panel per metric; None if there are no metrics.

    Arguments as for `loss_curves`.
    """
    names = list(
        dict.fromkeys(name.split(".", 1)[1] for name in history if "." in name and name.split(".", 1)[1] != "loss")
    )
    if not names:
        return None
    columns = min(len(names), 2 if len(names) < 5 else 3)
    rows = math.ceil(len(names) / columns)
    with figure(8 if columns == 1 else 5 * columns, 5 if columns == 1 else 3.4 * rows) as drawn:
        panels = drawn.subplots(rows, columns, squeeze=False).ravel()
        for panel, name in zip(panels, names, strict=False):
            _draw(panel, name, history, best_epoch)
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        return png(drawn)


def _draw(axes: Any, quantity: str, history: Mapping[str, Sequence[float]], best_epoch: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = [int(epoch) for epoch in history["epoch"]]
    lines = {split: _finite(history[f"{split}.{quantity}"]) for split in LOOKS if f"{split}.{quantity}" in history}
    shown = [value for values in lines.values() for value in values if not math.isnan(value)]
    for split, values in lines.items():
        look = dict(LOOKS[split]) | {"marker": LOOKS[split]["marker"] if len(epochs) <= _MARKED_EPOCHS else ""}
        axes.plot(epochs, values, label=split, markersize=4, linewidth=1.6, **look)
    if shown and min(shown) > 0 and max(shown) > _LOG_SCALE_RATIO * min(shown):
        axes.set_yscale("log")
    if not shown:
        axes.text(
            0.5, 0.5, "all values are NaN or infinite", transform=axes.transAxes, ha="center", va="center", color=GRAY
        )
        axes.set_yticks([])
    axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for number, begin in enumerate(stage_begins(history), start=2):
        name = f"stage {number}"
        axes.axvline(begin - 0.5, color=GRAY, linewidth=0.8)
        axes.annotate(
            name,
            (begin - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -10),
            textcoords="offset points",
            color=GRAY,
            fontsize="small",
        )
    if best_epoch is not None:
        axes.axvline(best_epoch, color=GRAY, linewidth=1, linestyle=(0, (1, 3)), label=f"best: epoch {best_epoch}")
    axes.set_xlabel("epoch")
    axes.set_ylabel(label(quantity))
    axes.grid(alpha=0.25)
    axes.legend()


def stage_begins(history: Mapping[str, Sequence[float]]) -> list[int]:
    """Return the first epoch of each stage of the training but the first."""
    stages, epochs = history.get("stage", ()), history["epoch"]
    return [int(epoch) for epoch, before, stage in zip(epochs[1:], stages, stages[1:], strict=False) if stage != before]


def _finite(values: Sequence[float]) -> list[float]:
    """Return the values with NaN for infinity, which would stretch the axis to nothing."""
    return [value if math.isfinite(value) else math.nan for value in values]
