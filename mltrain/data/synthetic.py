"""Made data → Table: rules whose truth is known.

Everything is drawn from `numpy.random.RandomState`, whose streams NumPy froze for good: the same seed gives the same
rows with every version. The newer `Generator` makes no such promise.
"""

from __future__ import annotations

import numpy as np

from mltrain.data.files.arrays import column_of_array, sha256_of_arrays
from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.table import Origin, Table
from mltrain.task import Task

Arrays = dict[str, np.ndarray]

# Of the stores, in square metres.
_SIZES = (40, 80, 120, 200)

SHAPES = ("circle", "square", "triangle")


def made_table(kind: str, arrays: Arrays, target: str | None, classes: tuple[str, ...] | int) -> Table:
    """Return made arrays as a table; `classes` are the names of the classes or their number, 0 for regression. Without
    a `target` the table does not say what is learned."""
    names = classes if isinstance(classes, tuple) else tuple(str(label) for label in range(classes))
    task: Task | None = (
        None if target is None else "regression" if not names else "binary" if len(names) == 2 else "multiclass"
    )
    origin = Origin(f"synthetic {kind}")
    columns = {name: column_of_array(array, ColumnPlace(name, origin.place)) for name, array in arrays.items()}
    return Table(columns, origin, sha256_of_arrays(arrays), task=task, target=target, classes=names)


def linear(seed: int, rows: int, *, slope: float, intercept: float, noise: float) -> Arrays:
    """Return x in [0, 1) and y = slope · x + intercept + noise, float32.

    The order of the draws and the types are those of the usual script (`np.random.seed(seed)`, `rand`, `normal`), where
    the line is computed in float32 and the noise is added in float64: the rows are the same to the last bit.
    """
    random = np.random.RandomState(seed)
    x = random.rand(rows).astype(np.float32)
    y = (slope * x + intercept + random.normal(0, noise, rows)).astype(np.float32)
    return {"x": x, "y": y}


def moons(seed: int, rows: int, *, noise: float) -> Arrays:
    """Return points on two half circles that reach into each other, as scikit-learn's `make_moons`: x1, x2, label."""
    random = np.random.RandomState(seed)
    label = random.permutation(np.arange(rows) % 2)
    angle = np.pi * random.rand(rows)
    x1 = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    x2 = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return {"x1": x1 + random.normal(0, noise, rows), "x2": x2 + random.normal(0, noise, rows), "label": label}


def blobs(seed: int, rows: int, *, classes: int, features: int, noise: float) -> Arrays:
    """Return round clouds around one centre a class, the centres uniform in [-10, 10): x1, x2, …, label."""
    random = np.random.RandomState(seed)
    centres = random.uniform(-10, 10, (classes, features))
    label = random.permutation(np.arange(rows) % classes)
    points = centres[label] + random.normal(0, noise, (rows, features))
    return {**{f"x{number + 1}": points[:, number] for number in range(features)}, "label": label}


def shapes(seed: int, rows: int, *, size: int, noise: float) -> Arrays:
    """Return gray images of one shape each: image (rows, size, size, 1) uint8 and label, an index of `SHAPES`.

    Place, size, brightness and background vary. A triangle points up or down, so that a flip gives an image that could
    have been drawn: neither a horizontal nor a vertical flip changes a class.
    """
    random = np.random.RandomState(seed)
    label = random.permutation(np.arange(rows) % len(SHAPES))

    def each(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (rows, 1, 1))

    radius = each(0.22, 0.36) * size
    centre_y, centre_x = (size / 2 + each(-1, 1) * (size / 2 - radius) * 0.8 for _ in range(2))
    points_up = random.randint(0, 2, (rows, 1, 1)) * 2 - 1
    pixel = np.arange(size) + 0.5
    down, right = pixel[:, np.newaxis] - centre_y, pixel - centre_x
    inside = np.select(
        [label[:, np.newaxis, np.newaxis] == number for number in range(2)],
        [down**2 + right**2 <= radius**2, np.maximum(abs(down), abs(right)) <= 0.85 * radius],
        # The half width grows from 0 at the tip to the radius at the base.
        (abs(down) <= radius) & (2 * abs(right) <= radius + points_up * down),
    )
    background, contrast = each(0.0, 0.3), each(0.4, 0.7)
    brightness = background + contrast * inside + random.normal(0, noise, (rows, size, size))
    return {"image": np.rint(255 * brightness.clip(0, 1)).astype(np.uint8)[..., np.newaxis], "label": label}


def sequences(seed: int, rows: int, *, classes: int, steps: int, features: int, noise: float) -> Arrays:
    """Return waves of random phase: sequence (rows, steps, features) float32; class k has k + 1 periods."""
    random = np.random.RandomState(seed)
    label = random.permutation(np.arange(rows) % classes)
    phase = random.uniform(0, 2 * np.pi, (rows, 1, features))
    time = np.arange(steps)[:, np.newaxis] / steps
    waves = np.sin(2 * np.pi * (label[:, np.newaxis, np.newaxis] + 1) * time + phase)
    return {"sequence": (waves + random.normal(0, noise, waves.shape)).astype(np.float32), "label": label}


def noise(seed: int, rows: int, *, classes: int, features: int) -> Arrays:
    """Return numbers in [0, 1) with labels that have nothing to do with them: x (rows, features) float32, label."""
    random = np.random.RandomState(seed)
    return {"x": random.rand(rows, features).astype(np.float32), "label": random.randint(0, classes, rows)}


def seasonal(seed: int, rows: int, *, season: int, noise: float) -> Arrays:
    """Return a series: step and y, two waves of a season around 50 and what drifts about them.

    The drift is 0.8 of what it was a step before and something new, of standard deviation `noise`: the best that can be
    known of the next step leaves an error of that size.
    """
    random = np.random.RandomState(seed)
    step = np.arange(rows)
    drift = random.normal(0, noise, rows)
    for later in range(1, rows):
        drift[later] += 0.8 * drift[later - 1]
    angle = 2 * np.pi * step / season
    return {"step": step, "y": 50 + 5 * np.sin(angle) + 2 * np.cos(2 * angle) + drift}


def stores(seed: int, rows: int, *, noise: float) -> Arrays:
    """Return the days of four stores: day, store, the size of the store, weekday, promotion, sold and returned.

    A promotion, on every fourth day or so, adds more in a large store; the drift of each store and of its returns is
    that of `seasonal`: the best that can be known of the next day leaves an error of `noise`, if the day's promotion is
    known.
    """
    random = np.random.RandomState(seed)
    day, store = np.divmod(np.arange(rows), len(_SIZES))
    size, weekday = np.array(_SIZES)[store], day % 7
    promotion = (random.rand(rows) < 0.25).astype(np.int64)
    drift, other = random.normal(0, noise, (2, rows))
    for later in range(len(_SIZES), rows):
        drift[later] += 0.8 * drift[later - len(_SIZES)]
        other[later] += 0.8 * other[later - len(_SIZES)]
    sold = 20 + size / 10 + 4 * (weekday >= 5) + promotion * (2 + size / 25) + drift
    columns = {"day": day, "store": store + 1, "size": size, "weekday": weekday, "promotion": promotion}
    return {**columns, "sold": sold, "returned": 10 + 0.1 * sold + other}


def labels(seed: int, rows: int, *, labels: int, features: int, noise: float) -> Arrays:
    """Return normal points x1, x2, … with label1, label2, …: whether a point lies above a plane through its own random
    direction, whose distance is so drawn that labels are rarer and commoner than half."""
    random = np.random.RandomState(seed)
    directions = random.normal(0, 1, (features, labels)) / np.sqrt(features)
    distances = random.uniform(-0.8, 0.8, labels)
    points = random.normal(0, 1, (rows, features))
    # Not a matrix product: its last bits depend on the number of threads.
    along = sum(points[:, [number]] * directions[number] for number in range(features))
    above = along + random.normal(0, noise, (rows, labels)) > distances
    return {
        **{f"x{number + 1}": points[:, number] for number in range(features)},
        **{f"label{number + 1}": above[:, number].astype(np.int64) for number in range(labels)},
    }
