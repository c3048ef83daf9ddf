"""Windows of a series: (rows, length, features) in, the same scaled out, and what is known of the forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, SerializerFunctionWrapHandler, field_serializer, model_validator

from mltrain.data.encoders.array import ArrayEncoder, array_of
from mltrain.data.encoders.column import RawColumn, numbers_of
from mltrain.data.encoders.datetime import check_zone, has_zone
from mltrain.data.encoders.scaling import center_and_width
from mltrain.data.encoders.texts import texts_of
from mltrain.data.features import BooleanFeature, NumberFeature
from mltrain.data.spec import DataSpec
from mltrain.data.splits.time_order import times_of_rows
from mltrain.data.table import Table
from mltrain.data.window_use import Use
from mltrain.data.windowed import Windowed, with_windows
from mltrain.data.windows import WindowsSpec
from mltrain.forecast_rows import ForecastRows
from mltrain.spec import Many


class WindowEncoder(ArrayEncoder):
    """The windows of a series with scaled columns, and what is needed to make and measure them again."""

    type: Literal["window"] = "window"  # type: ignore[assignment]
    windows: WindowsSpec
    """Their shape."""
    features: Many[str]
    """The columns whose values are in the windows, in the order of the last axis."""
    target: str | Annotated[Many[str], Field(min_length=2)]
    """The column that is predicted, or several."""
    time: str | None
    """The column that rows are sorted by; null keeps the order of the rows."""
    dates: bool
    """Whether that column holds dates instead of numbers."""
    zoned: bool | None = None
    """Whether its times have a time zone; null where they are numbers, and in runs of earlier versions."""
    series: Many[str]
    """The names of the series that have training rows."""
    naive_errors: Many[float] | Many[Many[float]]
    """The mean absolute naive error of each series in its training rows; of several targets those of each."""

    @model_validator(mode="after")
    def _parts_fit(self) -> WindowEncoder:
        if self.shape != (self.windows.length, len(self.features)) or not {*self.targets} <= {*self.features}:
            raise ValueError("the windows are of another shape, or without the target")
        several = not isinstance(self.target, str)
        widths = [len(errors) if isinstance(errors, tuple) else 0 for errors in self.naive_errors]
        if len(self.series) != len(widths) or any(width != several * len(self.targets) for width in widths):
            raise ValueError("expected one naive error per series, and of several targets one for each")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def holds_arrays(self) -> bool:
        """No: the windows are made of the rows of several columns."""
        return False

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return the columns that the windows are made of, and those of the time and of the series."""
        kinds: dict[str, str | None] = {name: declared.get(name) for name in self.features}
        if self.windows.by is not None:
            kinds.setdefault(self.windows.by, None)
        if self.time is not None:
            kinds.setdefault(self.time, "datetime" if self.dates else "number")
        return kinds

    def made_of(self, table: Table, steps: str | None, predicting: bool = False) -> Windowed:
        """Return rows with their windows; raises as `with_windows` and `check_zone`.

        Args:
            table: the rows.
            steps: the name of the column of known values of several steps.
            predicting: whether it is for predictions. They are of the target after each row; with known columns the
                rows that are forecast are there, and they are of the target of each row.
        """
        if self.time is not None:
            check_zone(RawColumn.of(table, self.time), self.zoned)
        ahead = self.targets if predicting and self.windows.known else ()
        use = Use(
            lag=0 if predicting and not ahead else None,
            column=self.column,
            steps=steps,
            needed=self.features,
            ahead=ahead,
        )
        return with_windows(table, self.windows, self.features, self.time, use)

    @field_serializer("windows", mode="wrap")
    def _as_before(self, windows: WindowsSpec, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return what a run without columns beside its windows has always held."""
        held: dict[str, Any] = dump(windows)
        return {name: value for name, value in held.items() if value or name not in ("known", "static")}

    def forecasts(self, table: Table) -> ForecastRows:
        """Return what is known of the forecasts of examples.

        Raises:
            DataError: the column of the time or of the series is not there.
        """
        raw = array_of(RawColumn.of(table, self.column))
        several = not isinstance(self.target, str)
        places = [self.features.index(name) for name in self.targets]
        values = raw[:, :, places] if several else raw[:, :, places[0]]
        lag = self.windows.seasonal_lag
        seasonal = None if lag is None else values[:, self.windows.length - 1 + self.windows.horizon - lag]
        return ForecastRows(
            times=times_of_rows(table, self.time),
            scale=self._scale(table),
            naive=values[:, -1].copy(),
            seasonal=None if seasonal is None else seasonal.copy(),
            horizon=self.windows.horizon,
        )

    def _scale(self, table: Table) -> np.ndarray:
        none = np.nan if isinstance(self.target, str) else (np.nan,) * len(self.target)
        errors = np.array([*self.naive_errors, none])
        if self.windows.by is None:
            return np.repeat(errors[:1], len(table), axis=0)
        texts = texts_of(RawColumn.of(table, self.windows.by))
        found = pc.index_in(texts, value_set=pa.array([*self.series], pa.string()))
        return errors[pc.fill_null(found, len(self.series)).to_numpy(zero_copy_only=False)]


def fit_windows(windowed: Windowed, spec: DataSpec, train: np.ndarray, targets: tuple[str, ...]) -> WindowEncoder:
    """Return the encoder of windows.

    It is fitted on the rows of each series up to its newest training target, each once. All of them are in a training
    window, or are a training target, or lie before such: they are older than every target of a later split, so a
    forecaster who stands at the border knows them. The middle rows of a window would count `length` times if the
    windows were taken as they are.

    Args:
        windowed: the data.
        spec: its section.
        train: the numbers of the training rows.
        targets: the columns that are learned.

    Raises:
        DataError: the values of a column span too far to be scaled.
    """
    windows, table, time = windowed.windows, windowed.table, windowed.time
    known = windowed.seen(train)
    center, width = [], []
    for name in windowed.features:
        column, feature = RawColumn.of(table, name), spec.features.get(name)
        scale = (feature.scale if isinstance(feature, NumberFeature) else None) or spec.scale
        if isinstance(feature, BooleanFeature) or _is_truth(column):
            scale = "none"
        try:
            each = center_and_width(numbers_of(column)[known], scale)
        except OverflowError:
            raise column.failure("the range of its values is too large to be scaled (use smaller units)") from None
        center.append(each[0])
        width.append(each[1])
    lag = windows.season or 1
    values = {name: numbers_of(RawColumn.of(table, name)) for name in targets}
    errors = {name: naive_errors(each, windowed, train, lag) for name, each in values.items()}
    series = errors[targets[0]]
    single = len(targets) == 1
    times = RawColumn.of(table, time) if time is not None else None
    dates = times is not None and isinstance(times.values, pa.Array) and bool(pa.types.is_temporal(times.values.type))
    return WindowEncoder(
        column=windowed.column,
        shape=(windows.length, len(windowed.features)),
        dtype="float32",
        channel=False,
        center=tuple(center),
        width=tuple(width),
        windows=windows,
        features=windowed.features,
        target=targets[0] if single else targets,
        time=time,
        dates=dates,
        zoned=has_zone(times) if dates and times is not None else None,
        series=tuple(series),
        naive_errors=tuple(series.values())
        if single
        else tuple(tuple(errors[name][each] for name in targets) for each in series),
    )


def _is_truth(column: RawColumn) -> bool:
    return isinstance(column.values, pa.Array) and bool(pa.types.is_boolean(column.values.type))


def naive_errors(values: np.ndarray, windowed: Windowed, train: np.ndarray, lag: int) -> dict[str, float]:
    """Return the mean of |y(t) - y(t - lag)| of each series over the rows that are known, by its name; rows that were
    filled in are no rows to measure.

    It is the scale of MASE: Hyndman and Koehler, Another look at measures of forecast accuracy, 2006, section 3; with
    the lag of a season as in Hyndman and Athanasopoulos, Forecasting: principles and practice, section 5.8.

    Args:
        values: (rows,) of the target.
        windowed: the data.
        train: the numbers of the training rows.
        lag: steps.
    """
    series, known = windowed.series, windowed.series.until(train)
    real = windowed.seen(train)
    order = series.order[known[series.order]]
    ahead, behind = order[lag:], order[:-lag]
    same = (series.number[ahead] == series.number[behind]) & real[ahead] & real[behind]
    number, errors = series.number[ahead[same]], np.abs(values[ahead[same]] - values[behind[same]])
    count = np.bincount(number, minlength=len(series.names))
    total = np.bincount(number, errors, minlength=len(series.names))
    return {name: float(total[place] / count[place]) for place, name in enumerate(series.names) if count[place]}
