"""The range test of the learning rate: the loss over it, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.report.plots.canvas import BLACK, BLUE, GRAY, VERMILLION, figure, png


def rate_test_plot(rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], chosen: float) -> bytes:
    """Draw the loss of each batch as a point, their running mean as a line, and the choice.

    Args:
        rates: of each update, ascending; on a logarithmic axis.
        losses: of each.
        smoothed: their running means.
        chosen: one of the rates.

    Returns:
        PNG.
    """
    with figure(8, 5) as drawn:
        axes = drawn.subplots()
        axes.scatter(rates, losses, s=10, color=GRAY, alpha=0.6, linewidths=0, label="loss of a batch")
        axes.plot(rates, smoothed, color=BLUE, linewidth=1.8, label="running mean")
        axes.axvline(chosen, color=VERMILLION, linestyle="--", linewidth=1.4, label=f"chosen: {chosen:.3g}")
        place = min(range(len(rates)), key=lambda number: abs(rates[number] - chosen))
        axes.scatter([chosen], [smoothed[place]], s=50, color=VERMILLION, edgecolors=BLACK, linewidths=0.8, zorder=3)
        axes.set_xscale("log")
        # Where the loss has grown fourfold the test ended; single batches may be far above.
        low, high = min(losses), max(smoothed)
        margin = 0.1 * (high - low) or 1.0
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss")
        axes.grid(alpha=0.25)
        axes.legend()
        return png(drawn)
