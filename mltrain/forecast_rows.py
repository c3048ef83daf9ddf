"""What is known of the rows of a split that are forecasts: when they are, how large an error is, and naive guesses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ForecastRows:
    """Forecasts, each of one target, or of several together.

    Attributes:
        times: (n,) int64, when each target is; equal numbers are the same time, as of several series.
        scale: (n,) the mean absolute naive error of the training part of the target's series, in units of the target;
            NaN where the series has none. Of several targets (n, targets), as naive and seasonal.
        naive: (n,) the last value of the target in each window.
        seasonal: (n,) its value one season before the target; None without a season.
        horizon: steps from the end of a window to the target.
    """

    times: np.ndarray
    scale: np.ndarray
    naive: np.ndarray
    seasonal: np.ndarray | None
    horizon: int

    def take(self, rows: slice | np.ndarray) -> ForecastRows:
        """Return the same of some rows."""
        seasonal = None if self.seasonal is None else self.seasonal[rows]
        return ForecastRows(self.times[rows], self.scale[rows], self.naive[rows], seasonal, self.horizon)

    def of_target(self, number: int) -> ForecastRows:
        """Return the same of one of several targets."""
        seasonal = None if self.seasonal is None else self.seasonal[:, number]
        return ForecastRows(self.times, self.scale[:, number], self.naive[:, number], seasonal, self.horizon)

    @property
    def units(self) -> int:
        """How many different times there are."""
        return len(np.unique(self.times))

    def standard_error(self, derivatives: np.ndarray) -> float:
        """Return the standard error of a metric of forecasts, whose errors resemble those before and after them.

        The rows of one time are one unit: what makes one series hard to foresee often makes all of them. The times are
        drawn in blocks of random length, the stationary bootstrap of Politis and Romano, The stationary bootstrap,
        1994; its variance is known without a draw (there, lemma 1; here with the covariances of the times as a circle,
        from which it draws):

            sum of w(k) times the sum of u(t) u(t + k) over t, with w(k) = (1 - k / n) (1 - p)^k for lags on both sides.

        The blocks are 1 / p times long on the average, n^(1/3) and at least the horizon: errors of forecasts of h steps
        are correlated up to h - 1 steps even if nothing could foretell better.

        Args:
            derivatives: of the metric by the weight of each row (n,), as `influence.DERIVATIVES` has them.
        """
        _, number = np.unique(self.times, return_inverse=True)
        units = np.bincount(number.reshape(-1), derivatives)
        largest = float(np.abs(units).max())  # the square of an error in Euros or in metres may be no float
        if not largest:
            return 0.0
        count = len(units)
        ends = 1 / max(count ** (1 / 3), self.horizon)
        lags = np.arange(1, count)
        weights = np.concatenate([[1.0], 2 * (1 - lags / count) * (1 - ends) ** lags])
        products = np.fft.irfft(np.abs(np.fft.rfft(units / largest)) ** 2, count) if count > 1 else np.ones(1)
        return largest * math.sqrt(max(float((weights * products).sum()), 0.0))
