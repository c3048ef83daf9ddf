"""What was learned of one numeric input: the model's curve over the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mltrain.report.plots.canvas import BLACK, LOOKS, figure, label, png


def learned_plot(
    points: Mapping[str, tuple[np.ndarray, np.ndarray]],
    curve: tuple[np.ndarray, np.ndarray],
    *,
    input_name: str,
    target_name: str,
    classes: Sequence[str] = (),
    formula: str = "",
) -> bytes:
    """Draw the rows of each split as points, and the prediction over the range of the input as a line.

    Args:
        points: input (n,) and target (n,) of each split; for binary the target is 0 or 1.
        curve: inputs (m,), ascending, and the predictions (m,) there; for binary, of the positive class.
        input_name: of the input, with its unit where that is known.
        target_name: of the target, with its unit where that is known.
        classes: for binary the two names, negative first; the line is then the probability of the second.
        formula: of the line, such as `1.887 x + 1.051`; it is shown in the legend.

    Returns:
        PNG.
    """
    with figure(8, 5) as drawn:
        axes = drawn.subplots()
        many = sum(len(inputs) for inputs, _ in points.values()) > 2000
        for split, (inputs, targets) in points.items():
            look = LOOKS.get(split, LOOKS["test"])
            axes.scatter(
                np.ravel(inputs),
                np.ravel(targets),
                s=6 if many else 22,
                alpha=0.25 if many else 0.75,
                color=look["color"],
                marker=look["marker"],
                # An edge distinguishes held-out rows from training rows, in gray too.
                edgecolors=BLACK,
                linewidths=0 if many or split == "train" else 0.8,
                label=label(split),
            )
        axes.plot(
            *map(np.ravel, curve), color=BLACK, linewidth=1.8, label=f"learned{label(formula and ': ' + formula)}"
        )
        axes.set_xlabel(label(input_name))
        axes.set_ylabel(label(target_name))
        if classes:
            axes.set_ylabel(f"probability of '{label(classes[1], 40)}'")
            right = axes.secondary_yaxis("right")
            right.set_yticks([0, 1], [label(name, 18) for name in classes])
            right.tick_params(length=0)
        axes.grid(alpha=0.25)
        axes.legend()
        return png(drawn)
