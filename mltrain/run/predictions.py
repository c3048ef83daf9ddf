"""What the model of a run predicted for each held-out row, as arrays that need no TensorFlow to be read.

Three files a split, in the order of its row numbers: `<split>.rows.npy`, `<split>.target.npy` and
`<split>.predictions.npy`; `<split>.groups.npy` where rows belong together, `<split>.weights.npy` where they count
differently in the metrics, and `<split>.forecasts.npy` and `<split>.dates.npy` where they are forecasts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mltrain.errors import RunError
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs.each_output import each_output
from mltrain.run.arrays import from_npy, to_npy
from mltrain.run.layout import PREDICTIONS, safe_name
from mltrain.task import Output

MAY_BE_THERE = ("groups", "forecasts", "dates", "weights")


@dataclass(frozen=True)
class StoredPredictions:
    """The predictions for the rows of one split.

    Attributes:
        rows: row numbers, int64 (n,), as in `splits/`.
        target: what is true, (n,): int64 class numbers, or float64 in the unit of the target; of several targets
            (n, targets): int64 0 or 1, or float64.
        values: as `Network.predictions` gives them, float32 or float64: probabilities of the positive class (n,),
            probabilities of the classes (n, classes), or values in the unit of the target (n,); of several targets
            (n, targets).
        groups: int64 (n,), equal for rows that belong together, as those of one patient; None where each is for itself.
        forecasts: what is known of them where they are forecasts; read again, `times` are numbers in the order of time.
        dates: int64 (n,), the time of each row in microseconds since 1970-01-01, UTC; None where it is not known.
        weights: float64 (n,), how much each row counts in the metrics; None where all count the same.
    """

    rows: np.ndarray
    target: np.ndarray
    values: np.ndarray
    groups: np.ndarray | None = None
    forecasts: ForecastRows | None = None
    dates: np.ndarray | None = None
    weights: np.ndarray | None = None

    def are_of(self, output: Output) -> bool:
        """Return whether they have the shape and the type of targets of different kinds."""
        shapes = (self.target.shape[1:], self.values.shape[1:])
        return self.target.dtype.kind == "f" and shapes == ((len(output.parts),), (output.units,))

    def of_output(self, output: Output, number: int) -> StoredPredictions:
        """Return those of one of several targets of different kinds, for the rows that have it."""
        each = list(each_output(output, self.target, self.values))[number]
        return replace(self.take(each.rows), target=each.truth, values=each.values)

    def take(self, places: np.ndarray) -> StoredPredictions:
        """Return those at `places`, int64 (m,)."""
        groups = None if self.groups is None else self.groups[places]
        forecasts = None if self.forecasts is None else self.forecasts.take(places)
        dates = None if self.dates is None else self.dates[places]
        weights = None if self.weights is None else self.weights[places]
        arrays = self.rows[places], self.target[places], self.values[places]
        return StoredPredictions(*arrays, groups, forecasts, dates, weights)


def prediction_files(predictions: Mapping[str, StoredPredictions]) -> dict[str, bytes]:
    """Return the content of every file in `predictions/` by its name there."""
    files = {}
    for split, stored in predictions.items():
        for part, array in zip(("rows", "target", "predictions"), _parts(stored), strict=True):
            files[f"{safe_name(split)}.{part}.npy"] = to_npy(array)
        if stored.groups is not None:
            files[f"{safe_name(split)}.groups.npy"] = to_npy(np.asarray(stored.groups, np.int64))
        if stored.dates is not None:
            files[f"{safe_name(split)}.dates.npy"] = to_npy(np.asarray(stored.dates, np.int64))
        if stored.weights is not None:
            files[f"{safe_name(split)}.weights.npy"] = to_npy(np.asarray(stored.weights, np.float64))
        if stored.forecasts is not None:
            files[f"{safe_name(split)}.forecasts.npy"] = to_npy(_forecasts_to_columns(stored.forecasts))
    return files


def read_predictions(
    split: str, read: Callable[[str], bytes], place: object, more: Collection[str] = ()
) -> StoredPredictions:
    """Return the predictions for the rows of a split.

    Args:
        split: its name.
        read: gives the content of a file by its name in the run, as `predictions/test.rows.npy`; raises a RunError.
        place: the path of the run, for messages.
        more: which of `MAY_BE_THERE` are there.

    Raises:
        RunError: a file is missing or damaged, or they do not fit together; names it.
    """
    found = {}
    for part in ("rows", "target", "predictions", *more):
        name = f"{PREDICTIONS}/{split}.{part}.npy"
        try:
            found[part] = from_npy(read(name))
        except ValueError as error:
            raise RunError(f"{place}/{name}: not an array of predictions: {error}") from error
    stored = StoredPredictions(
        found["rows"],
        found["target"],
        found["predictions"],
        found.get("groups"),
        dates=found.get("dates"),
        weights=found.get("weights"),
    )
    columns = found.get("forecasts")
    targets = stored.target.shape[1] if stored.target.ndim > 1 else None
    wrong = _misfit(stored) or (columns is not None and _wrong_forecasts(columns, len(stored.rows), targets or 1))
    if wrong:
        raise RunError(f"{place}/{PREDICTIONS}/{split}.{wrong[0]}.npy: {wrong[1]}")
    return stored if columns is None else replace(stored, forecasts=_forecasts_of_columns(columns, targets))


def _parts(stored: StoredPredictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.asarray(stored.rows, np.int64), stored.target, stored.values


def _misfit(stored: StoredPredictions) -> tuple[str, str] | None:
    """Return the part that is wrong and what is wrong with it."""
    rows, target, values = stored.rows, stored.target, stored.values
    if rows.dtype != np.int64 or rows.ndim != 1 or not len(rows):
        return "rows", f"expected row numbers, int64 (n,), found {rows.dtype} {rows.shape}"
    if rows.min() < 0 or len(np.unique(rows)) < len(rows):
        return "rows", "a row number is negative or is listed twice"
    several = target.ndim == values.ndim == 2 and len(target) == len(rows) and target.shape[1] > 1
    # Targets of different kinds: a class of three has one target and three values, and a row may lack a target.
    mixed = several and target.dtype == np.float64 and values.shape[1] >= target.shape[1]
    several = several and (mixed or target.shape == values.shape)
    if target.dtype not in (np.int64, np.float64) or not (several or target.shape == rows.shape):
        return "target", f"expected int64 or float64 {rows.shape}, found {target.dtype} {target.shape}"
    if not np.isfinite(target).all() and (not mixed or np.isinf(target).any()):
        return "target", "a value is NaN or infinite"
    of_classes = target.dtype == np.int64 and values.ndim == 2 and values.shape[1] > 1
    shape = (len(rows), values.shape[1]) if of_classes or several else rows.shape
    if values.dtype not in (np.float32, np.float64) or values.shape != shape:
        return "predictions", f"expected a float for each of {len(rows)} rows, found {values.dtype} {values.shape}"
    classes = values.shape[1] if of_classes and not several else 2
    if target.dtype == np.int64 and (target.min() < 0 or target.max() >= classes):
        return "target", f"expected class numbers from 0 to {classes - 1}"
    dates = stored.dates
    if dates is not None and (dates.dtype != np.int64 or dates.shape != rows.shape):
        return "dates", f"expected int64 {rows.shape}, found {dates.dtype} {dates.shape}"
    weights = stored.weights
    if weights is not None:
        if weights.dtype != np.float64 or weights.shape != rows.shape:
            return "weights", f"expected float64 {rows.shape}, found {weights.dtype} {weights.shape}"
        if not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
            return "weights", "expected numbers of 0 or more, of which one is above 0"
    groups = stored.groups
    if groups is not None and (groups.dtype != np.int64 or groups.shape != rows.shape or groups.min() < 0):
        return "groups", f"expected a number from 0 for each of {len(rows)} rows, found {groups.dtype} {groups.shape}"
    return None


def _forecasts_to_columns(forecasts: ForecastRows) -> np.ndarray:
    """Return float64 (n, 4 or 5): number of the time, horizon, scale, last value, and that of one season before; each
    of the last three once for each of several targets."""
    _, times = np.unique(forecasts.times, return_inverse=True)  # nanoseconds have more digits than a float
    columns = [times.reshape(-1), np.full(len(times), forecasts.horizon), forecasts.scale, forecasts.naive]
    columns += [] if forecasts.seasonal is None else [forecasts.seasonal]
    return np.column_stack(columns).astype(np.float64)


def _forecasts_of_columns(columns: np.ndarray, targets: int | None) -> ForecastRows:
    """Return what the columns say; `targets` is None for one, of which each part is one column (n,)."""
    times, horizons, width = columns[:, 0], columns[:, 1], targets or 1
    parts = [columns[:, first : first + width] for first in range(2, columns.shape[1], width)]
    scale, naive, *seasonal = parts if targets else [part[:, 0] for part in parts]
    return ForecastRows(times.astype(np.int64), scale, naive, seasonal[0] if seasonal else None, int(horizons[0]))


def _wrong_forecasts(columns: np.ndarray, rows: int, targets: int) -> tuple[str, str] | None:
    least, most = 2 + 2 * targets, 2 + 3 * targets
    if columns.dtype != np.float64 or columns.shape not in ((rows, least), (rows, most)):
        found = f"found {columns.dtype} {columns.shape}"
        return "forecasts", f"expected float64 ({rows}, {least}) or ({rows}, {most}), {found}"
    times, horizons = columns[:, 0], columns[:, 1]
    scale, values = columns[:, 2 : 2 + targets], columns[:, 2 + targets :]
    if not np.isin(times, np.arange(rows)).all():
        return "forecasts", f"expected the number of its time, from 0 to {rows - 1}, for each row"
    # Not `in range`: that looks for a float number by number, for a minute.
    if not 1 <= horizons[0] < 2**31 or horizons[0] % 1 or (horizons != horizons[0]).any():
        return "forecasts", "expected one horizon, of 1 or more, for all rows"
    if (scale < 0).any() or np.isinf(scale).any() or not np.isfinite(values).all():
        return "forecasts", "a value is NaN or infinite, or a scale is negative"
    return None
