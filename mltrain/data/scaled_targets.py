"""Whether targets of numbers are scaled for training, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mltrain.data.several_targets import Target, in_logarithms, scaled_target, true_targets
from mltrain.data.table import Table
from mltrain.data.target_spec import TargetSpec
from mltrain.outputs import KINDS
from mltrain.task import Decision
from mltrain.wording import counted

# Outputs start near 0 and move by about the learning rate a step.
LARGE_TARGET = 30.0


def scaled_numbers(
    spec: TargetSpec, target: Target, table: Table, train: Table, why_unscaled: str | None
) -> tuple[Target, tuple[Decision, ...]]:
    """Return a target of numbers, scaled by the training rows where that is asked for or helps.

    Args:
        spec: what the section says of it.
        target: its encoder.
        table: all rows.
        train: the training rows.
        why_unscaled: as for `prepare`.
    """
    if spec.scale == "none":
        numbers = [place for place, part in enumerate(target.parts) if not part.classes]
        columns = [target.parts[place].column for place in numbers]
        truth = true_targets(target, train)
        return target, _unscaled(truth.reshape(len(truth), -1)[:, numbers], columns)
    if spec.scale == "log":
        return in_logarithms(target, table, train), ()
    if spec.scale == "standard" or why_unscaled is None:
        target = scaled_target(target, train)
    scalable = any(KINDS[part.task].scaled for part in target.parts)
    return target, (_target_scale(target, why_unscaled),) if spec.scale == "auto" and scalable else ()


def _target_scale(target: Target, why_unscaled: str | None) -> Decision:
    """Return what auto has decided."""
    if why_unscaled is not None:
        return Decision("target.scale", "none", why_unscaled)
    parts = [part for part in target.parts if KINDS[part.task].scaled]
    each = [f"mean {part.center:.4g}, deviation {part.width:.4g}" for part in parts]
    several = f"each of the {counted(len(each), 'target')} of numbers by its training rows"
    of_one = f"training rows: {each[0]}" if len(target.parts) == 1 else f"training rows of {parts[0].column}: {each[0]}"
    of = of_one if len(parts) == 1 else several
    return Decision("target.scale", "standard", f"{of}; predictions and metrics are in the units of the target")


def _unscaled(values: np.ndarray, names: Sequence[str]) -> tuple[Decision, ...]:
    """Return a word on a target whose size makes the usual learning rates crawl: prices of 4,000 gave R² -1."""
    for name, column in zip(names, values.T, strict=True):
        size = large_target(column, f"of '{name}' " if len(names) > 1 else "")
        if size:
            reason = f"{size}: data.target.scale: standard is much faster to learn"
            return (Decision("target.scale", "none", reason),)
    return ()


def large_target(values: np.ndarray, of: str = "") -> str:
    """Return the mean and the deviation of a target (rows,) in words where they are large; an empty text where not."""
    mean, deviation = float(np.nanmean(values)), float(np.nanstd(values))
    return f"mean {of}{mean:.4g}, deviation {deviation:.4g}" if max(abs(mean), deviation) >= LARGE_TARGET else ""
