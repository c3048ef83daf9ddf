"""Predicted against true values of a regression."""

from __future__ import annotations

import numpy as np

from mltrain.report.plots.canvas import BLACK, LOOKS, figure, label, png


def predicted_plot(target: np.ndarray, predictions: np.ndarray, name: str, split: str) -> bytes:
    """Draw one point per row: the true value to the right, the predicted value up. On the diagonal, they are equal.

    Args:
        target: (n,), in the unit of the target.
        predictions: (n,) or (n, 1), in the unit of the target.
        name: of the target, with its unit where that is known.
        split: whose rows these are.

    Returns:
        PNG.
    """
    target, predictions = np.ravel(target).astype(np.float64), np.ravel(predictions).astype(np.float64)
    finite = np.isfinite(target) & np.isfinite(predictions)
    hidden = f", {np.sum(~finite)} NaN or infinite and not shown" if not finite.all() else ""
    shown = np.concatenate([target[finite], predictions[finite]]) if finite.any() else np.array([0.0, 1.0])
    margin = 0.04 * (np.ptp(shown) or abs(shown[0]) or 1.0)
    limits = (shown.min() - margin, shown.max() + margin)
    with figure(6.4, 6.2) as drawn:
        axes = drawn.subplots()
        axes.plot(limits, limits, color=BLACK, linewidth=1, linestyle="--", label="predicted = true")
        look = LOOKS.get(split, LOOKS["test"])
        # Many points would be one blot: small and clear ones show where they are dense.
        size, alpha = (26, 0.75) if len(target) < 500 else (12, 0.5) if len(target) < 3000 else (6, 0.25)
        axes.scatter(target[finite], predictions[finite], s=size, alpha=alpha, color=look["color"], linewidths=0)
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.set_xlabel(f"true {label(name)}")
        axes.set_ylabel(f"predicted {label(name)}")
        axes.set_title(f"{label(split)}, n = {len(target)}{hidden}", fontsize="medium")
        axes.grid(alpha=0.25)
        axes.legend(loc="upper left")
        return png(drawn)
