"""The data of a training by several workers of one machine: the process that starts them reads it, once for all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from mltrain.data.preparation import Prepared
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.forecast_dates import kept_columns
from mltrain.procedures.preparing import prepare_for_model
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch

# Of this process, or of the one that it was forked from: memory is the only thing that both have.
_read: list[tuple[ExperimentSpec, Prepared]] = []


def read_for_workers(experiment: Callable[[], ExperimentSpec | None]) -> None:
    """Read the data of an experiment before its workers are forked. Where it cannot be read, they read it again, and
    the first says what is wrong, into the run as well."""
    with suppress(Exception):
        spec = experiment()
        if spec is not None:
            _read.append((spec, prepare_for_model(spec, kept_columns(spec))))


def prepared_data(spec: ExperimentSpec, stopwatch: NoStopwatch = NO_STOPWATCH) -> Prepared:
    """Return the data of an experiment, ready for its model; it is read unless that was done for this process.

    Raises:
        DataError: as `prepare_for_model`.
        MisfitError: likewise.
    """
    for known, prepared in _read:
        if known == spec:
            return prepared
    return prepare_for_model(spec, kept_columns(spec), stopwatch)
