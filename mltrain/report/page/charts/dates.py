"""An axis of dates: round dates along it, written as shortly as they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mltrain.report.page.charts.scale import Scale

# In microseconds since 1970: the years 2 and 9990, so that every date on an axis is in a calendar.
EARLIEST, LATEST = -62_100_000_000_000_000, 253_000_000_000_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86_400
# Steps in seconds with the form of their dates, then steps in months.
_STEPS = (
    *((step, "%H:%M:%S") for step in (_SECOND, 5, 15, 30)),
    *((step * _MINUTE, "%m-%d %H:%M") for step in (1, 5, 15, 30)),
    *((step * _HOUR, "%m-%d %H:%M") for step in (1, 3, 6, 12)),
    *((step * _DAY, "%Y-%m-%d") for step in (1, 2, 7, 14)),
)
_MONTH = 30.44 * _DAY
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000)
# Dates are wide: more do not fit below a chart.
_MOST = 5


@dataclass(frozen=True)
class DateScale(Scale):
    """An axis whose numbers are seconds since 1970-01-01, UTC."""

    def ticks(self, about: int = _MOST - 1) -> tuple[float, ...]:
        """Return the seconds of round dates on the axis, at most five."""
        form, step = self._step(min(about, _MOST - 1))
        if form != "months":
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return tuple(float(step * count) for count in range(first, last + 1))
        found: list[float] = []
        month = math.floor(_months(self.low) / step) * step
        while True:
            try:
                seconds = (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) - _START).total_seconds()
            except ValueError:  # before the year 1, or after 9999
                seconds = math.inf if month > 0 else -math.inf
            if seconds > self.high:
                return tuple(found)
            if seconds >= self.low:
                found.append(seconds)
            month += step

    def texts(self, ticks: tuple[float, ...]) -> tuple[str, ...]:
        """Return the dates as they are written."""
        form, step = self._step(_MOST - 1)
        if form == "months":
            form = "%Y" if step % 12 == 0 else "%Y-%m"
        return tuple((_START + timedelta(seconds=tick)).strftime(form) for tick in ticks)

    def _step(self, about: int) -> tuple[str, int]:
        """Return the form of the dates, and the step in seconds; in months where the form is "months"."""
        span = self.high - self.low
        for step, form in _STEPS:
            if span / step <= about:
                return form, step
        return "months", next((step for step in _MONTHS if span / (_MONTH * step) <= about), _MONTHS[-1])


def _months(seconds: float) -> int:
    """Return the months since the year 0 of the date."""
    date = _START + timedelta(seconds=seconds)
    return date.year * 12 + date.month - 1
