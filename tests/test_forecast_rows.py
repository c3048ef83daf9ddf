"""Intervals of forecasts: the variance of the stationary bootstrap without a draw."""

from __future__ import annotations

import numpy as np
import pytest

from mltrain.evaluation.catalogue import Mae, Mase
from mltrain.evaluation.influence import standard_error
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import metric_results
from mltrain.forecast_rows import ForecastRows


def forecasts(times, horizon=1):
    count = len(times)
    return ForecastRows(np.asarray(times), np.ones(count), np.zeros(count), None, horizon)


def correlated(draw, count, strength=0.7):
    noise = draw.normal(size=count)
    for step in range(1, count):
        noise[step] += strength * noise[step - 1]
    return noise


def test_the_standard_error_is_that_of_drawn_blocks():
    draw = np.random.default_rng(0)
    errors = correlated(draw, 60)
    derivatives = (errors - errors.mean()) / 60
    ends, means = 1 / 60 ** (1 / 3), np.empty(40_000)
    starts = draw.integers(0, 60, (len(means), 60))
    begins = draw.random((len(means), 60)) < ends
    places = starts[:, 0]
    total = errors[places].copy()
    for step in range(1, 60):
        places = np.where(begins[:, step], starts[:, step], (places + 1) % 60)
        total += errors[places]
    assert forecasts(range(60)).standard_error(derivatives) == pytest.approx((total / 60).std(), rel=0.02)


def test_intervals_of_correlated_errors_hold_what_they_promise():
    draw = np.random.default_rng(1)
    held = {"blocks": 0, "rows": 0}
    truth = np.abs(correlated(draw, 500_000)).mean()
    for _ in range(300):
        errors = correlated(draw, 250)
        for name, known in (("blocks", forecasts(range(250))), ("rows", None)):
            rows = rows_of("regression", np.zeros(250), errors, (), forecasts=known)
            found = metric_results([Mae()], rows, seed=0)["mae"]
            held[name] += found.low <= truth <= found.high
    assert held["blocks"] / 300 > 0.85  # blocks are too few to promise the whole 95 %
    assert held["rows"] / 300 < 0.8


def test_series_of_one_time_are_one_unit():
    derivatives = np.random.default_rng(2).normal(size=40)
    twice = forecasts(np.repeat(np.arange(40), 2)).standard_error(np.repeat(derivatives, 2) / 2)
    assert twice == pytest.approx(forecasts(np.arange(40)).standard_error(derivatives), rel=1e-12)
    alone = forecasts(np.zeros(1, int)).standard_error(derivatives[:1])
    assert alone == pytest.approx(standard_error(derivatives[:1]), rel=1e-12)


def test_mase_says_why_it_has_no_value():
    known = ForecastRows(np.arange(6), np.array([1, 1, 1, 1, 0, np.nan]), np.zeros(6), None, 1)
    rows = rows_of("regression", np.ones(6), np.zeros(6), (), forecasts=known)
    found = metric_results([Mase()], rows, seed=0)["mase"]
    assert found.as_json() == {
        "value": None,
        "undefined": "the series of 2 rows are not in the training rows, or are constant or too short there",
    }
