"""Pictures of one kind are drawn once in a process of tests: drawing takes as long as a small training.

What a picture shows is checked in `tests/report/test_plots.py`, and its bytes in runs of real processes. A training
inside the process of tests draws each picture that differs in kind from those before: by its names, by how many values
there are, and by whether they are missing, infinite, all equal, below 0, tiny or huge. Of one kind, the first stands
for the others.
"""

import functools
import sys
from collections.abc import Callable, Hashable, Mapping

import numpy as np

NUMBER = int | float | np.number | np.bool_
PLOTS = ("confusion_plot", "learned_plot", "loss_curves", "metric_curves", "predicted_plot")


def draw_pictures_of_a_kind_once() -> None:
    """Let trainings of this process share pictures, from the second training on."""
    pictures = sys.modules.get("mltrain.procedures.pictures")  # the first training imports it, after TensorFlow
    for name in PLOTS if pictures else ():
        plot = getattr(pictures, name)
        if not hasattr(plot, "__wrapped__"):
            setattr(pictures, name, _once(plot))


def _once(plot: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    drawn: dict[Hashable, bytes | None] = {}

    @functools.wraps(plot)
    def draw(*arguments: object, **options: object) -> bytes | None:
        kind = _kind((arguments, options))
        if kind not in drawn:
            drawn[kind] = plot(*arguments, **options)
        return drawn[kind]

    return draw


def _kind(value: object) -> Hashable:
    """Return what two values have in common where their pictures are of one kind."""
    if isinstance(value, Mapping):
        return tuple((_kind(name), _kind(each)) for name, each in value.items())
    if isinstance(value, str):
        return value if value.isascii() else object()  # equal to no other: what no font has is said by each training
    if isinstance(value, tuple | list | np.ndarray):
        array = np.asarray(value) if _has_numbers(value) else None
        return tuple(map(_kind, value)) if array is None else _kind_of_numbers(array)
    return type(value) if isinstance(value, NUMBER) else repr(value)


def _has_numbers(value: tuple | list | np.ndarray) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "buif"
    return bool(value) and all(isinstance(each, NUMBER) for each in value)


def _kind_of_numbers(array: np.ndarray) -> Hashable:
    finite = array[np.isfinite(array)].astype(float)
    shape = array.shape if array.ndim > 1 else (min(array.size, 3), array.size > 30, array.size > 2000)
    ends = (finite.min(), finite.max()) if finite.size else ()
    return array.dtype.kind, shape, finite.size == array.size, ends[:1] == ends[1:], tuple(map(_size, ends))


def _size(number: float) -> tuple[float, int]:
    """Return the sign of a number, and its power of 1000."""
    return float(np.sign(number)), round(np.log10(abs(number)) / 3) if number else 0
