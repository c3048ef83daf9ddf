"""A loop of mltrain and `model.fit`, an epoch of each in turns, on the same rows in the same order."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cases import SEED
from benchmarks.ratios import Ratio, in_turns, ratio

if TYPE_CHECKING:
    from mltrain.training.loop import CompiledSteps

# Sums run in another order.
TOLERANCE = 1e-3


def loop_beside_fit(loop: CompiledSteps, theirs: Any, x: Any, y: np.ndarray, rounds: int) -> tuple[Ratio, str]:
    """Return what fit takes as a multiple of the loop, and how far the losses of the first epoch agree.

    The time to bring the rows into the order of the epoch for `fit` is not counted.

    Args:
        loop: over the rows; its model begins with the weights of `theirs`.
        theirs: the compiled `keras.Model` for `fit`.
        x: what it takes: an array, or a list of them.
        y: its targets.
        rounds: that are measured.

    Raises:
        SystemExit: the two trainings differ by more than rounding.
    """
    losses: dict[str, list[float]] = {"loop": [], "fit": []}
    actions = {
        "loop": epoch_by_loop(loop, losses["loop"]),
        "fit": epoch_by_fit(theirs, x, y, loop.batch_size, losses["fit"]),
    }
    seconds = in_turns(actions, rounds)
    first = abs(losses["loop"][0] - losses["fit"][0])
    if first > TOLERANCE:
        raise SystemExit(f"the losses of the first epoch differ by {first:.2g}, more than {TOLERANCE:g}")
    return ratio(seconds["fit"], seconds["loop"]), f"loss of the first epoch within {first:.0e}"


def epoch_by_loop(loop: CompiledSteps, losses: list[float]) -> Callable[[], None]:
    """Return what trains the next epoch by the loop, and appends its loss."""
    from mltrain.training.progress import Chunks, epoch_order

    chunks = Chunks()

    def epoch() -> None:
        loop.model.reset_metrics()
        for _ in loop.epoch(epoch_order(loop.rows, SEED, len(losses) + 1), chunks):
            loop.metrics()  # as a training does, to see whether the loss is still a number
        losses.append(loop.metrics()["loss"])

    return epoch


def epoch_by_fit(model: Any, x: Any, y: np.ndarray, batch_size: int, losses: list[float]) -> Callable[[], float]:
    """Return what trains the next epoch by `model.fit`, appends its loss, and returns its seconds."""
    from mltrain.training.progress import epoch_order

    def epoch() -> float:
        order = epoch_order(len(y), SEED, len(losses) + 1)
        given = [values[order] for values in x] if isinstance(x, list) else x[order]
        targets = y[order]
        started = time.perf_counter()
        history = model.fit(given, targets, batch_size=batch_size, shuffle=False, verbose=0).history
        seconds = time.perf_counter() - started
        losses.append(history["loss"][0])
        return seconds

    return epoch
