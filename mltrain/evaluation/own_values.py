"""Metrics of plugins on the rows of a split: called, checked, and what they raise or return said in one line."""

from __future__ import annotations

import math
import sys
from contextlib import redirect_stdout
from numbers import Real
from typing import Any

import numpy as np

from mltrain.errors import PluginError
from mltrain.evaluation.metric import OwnMetric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.threads import one_thread
from mltrain.metric_function import MetricFunction, NoValueError
from mltrain.plugins import fault
from mltrain.wording import counted

# By rounding alone, a mean of ones may be more than 1.
_SLACK = 1e-9


def own_value(metric: OwnMetric, rows: Rows) -> float:
    """Return the value of a metric of a plugin.

    Raises:
        UndefinedError: it says that it has none.
        PluginError: it raises something else, or returns what is no value of it; or its plugin is not there.
    """
    function, value = metric.given(), drawn_value(metric, rows)
    if not math.isfinite(value):
        raise _wrong(
            function, f"{value} on {counted(len(rows.target), 'row')}; expected a finite number, or NoValueError raised"
        )
    low, high = function.bounds
    if not low - _SLACK * abs(low) <= value <= high + _SLACK * abs(high):
        bounds = f"best={function.best} and worst={function.worst}"
        raise _wrong(function, f"{value} on {counted(len(rows.target), 'row')}, which is not between {bounds}")
    return value


def drawn_value(metric: OwnMetric, rows: Rows) -> float:
    """Return the value also where it is not finite: of rows that were drawn, as a share of none may be.

    Raises:
        UndefinedError, PluginError: as `own_value`.
    """
    function = metric.given()
    if function.of_rows:
        return float(own_losses(metric, rows).mean())
    found = _called(function, rows)
    if isinstance(found, bool) or not isinstance(found, Real):
        raise _wrong(function, f"{_described(found)}; expected a number")
    return float(found)


def own_losses(metric: OwnMetric, rows: Rows) -> np.ndarray:
    """Return what each row adds to a metric that is a mean over the rows (n,).

    Raises:
        UndefinedError, PluginError: as `own_value`.
    """
    function = metric.given()
    found, expected = _called(function, rows), f"expected numbers of shape ({len(rows.target)},), one for each row"
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub" or found.shape != (len(rows.target),):
        raise _wrong(function, f"{_described(found)}; {expected}")
    losses = found.astype(np.float64)
    if not np.isfinite(losses).all():
        row = int(np.argmin(np.isfinite(losses)))
        raise _wrong(function, f"{losses[row]} for row {row} of {len(losses)}; {expected}")
    return losses


def _called(function: MetricFunction, rows: Rows) -> Any:
    predictions = rows.predicted if function.takes == "classes" else rows.predictions
    arguments = (rows.target.view(), predictions.view())
    for each in arguments:
        each.flags.writeable = False  # other metrics are measured on the same rows
    try:
        with redirect_stdout(sys.stderr), one_thread():  # on stdout are results, and a script reads them
            return function(*arguments)
    except NoValueError as reason:
        raise UndefinedError(str(reason) or f"{function.name} has none for these rows") from None
    except MemoryError:
        raise
    except Exception as error:
        raise PluginError(f"metric {function.name}: {fault(error, function.place.rpartition(':')[0])}") from error


def _wrong(function: MetricFunction, what: str) -> PluginError:
    return PluginError(f"{function.place or 'a plugin'}: metric {function.name} returned {what}")


def _described(found: Any) -> str:
    if isinstance(found, np.ndarray):
        return f"an array of {found.dtype} {found.shape}"
    return "nothing (None)" if found is None else f"a {type(found).__name__}"
