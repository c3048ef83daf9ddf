"""What is watched: the objective of the run, and the quantity of each callback.

The same is asked when the config is checked, with what may be measured, and again when the data is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.errors import MisfitError
from mltrain.experiment.measured import resolve_objective, watched
from mltrain.experiment.spec import ExperimentSpec
from mltrain.rules import RuleProblem
from mltrain.task import Objective, SplitName
from mltrain.training.callback import CallbackSpec, Monitoring
from mltrain.training.early_stopping import EarlyStopping


def restoring(spec: ExperimentSpec) -> EarlyStopping | None:
    """Return the callback that restores the best epoch of a quantity of its own."""
    for callback in spec.training.callbacks:
        if isinstance(callback, EarlyStopping) and callback.restore_best_weights and callback.monitor is not None:
            return callback
    return None


def objective_of(spec: ExperimentSpec, known: dict[str, str | None], splits: set[SplitName]) -> Objective:
    """Return what "best" is.

    Args:
        spec: the experiment.
        known: what is measured after an epoch, as `measured` returns it.
        splits: those that have rows.

    Raises:
        MisfitError: it is not measured, or has no direction and none is stated.
    """
    callback = restoring(spec)
    if spec.objective.metric is None and callback is not None and callback.monitor is not None:
        number = spec.training.callbacks.index(callback)
        try:
            return watched(callback.monitor, callback.mode, known)
        except ValueError as error:
            raise MisfitError(("training", "callbacks", number, "monitor"), str(error)) from error
    try:
        return resolve_objective(spec.objective, known, splits)
    except ValueError as error:
        raise MisfitError(("objective", "metric"), str(error)) from error


def watched_by(callback: CallbackSpec, objective: Objective | None, known: dict[str, str | None]) -> Objective | None:
    """Return what a callback watches, which is `objective` where it states nothing.

    Raises:
        ValueError: what it states is not measured, or has no direction and none is stated.
    """
    if not isinstance(callback, Monitoring) or (callback.monitor is None and callback.mode == "auto"):
        return objective
    metric = callback.monitor or (objective.metric if objective is not None else None)
    return watched(metric, callback.mode, known) if metric is not None else None


def callback_problems(
    spec: ExperimentSpec, objective: Objective | None, known: dict[str, str | None]
) -> Iterator[RuleProblem]:
    """Yield what is wrong with what the callbacks need to be measured.

    Args:
        spec: the experiment.
        objective: of the run; None where it is not known, which is another problem.
        known: what is measured after an epoch, as `measured` returns it.
    """
    for number, callback in enumerate(spec.training.callbacks):
        if not isinstance(callback, CallbackSpec):
            continue
        path = ("training", "callbacks", number)
        try:
            quantity = watched_by(callback, objective, known)
        except ValueError as error:
            yield RuleProblem((*path, "monitor"), str(error))
            continue
        wrong = callback.problem(quantity, known) if quantity is not None else None
        if wrong is not None:
            yield RuleProblem(path, wrong)
