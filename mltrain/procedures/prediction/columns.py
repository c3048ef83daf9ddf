"""The columns that are added to the rows that are predicted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mltrain.data.mixed_targets import MixedTargets
from mltrain.data.several_targets import SeveralTargets, Target
from mltrain.errors import DataError, UsageError
from mltrain.outputs import KINDS
from mltrain.outputs.each_output import values_of

if TYPE_CHECKING:
    from mltrain.procedures.network import Network
    from mltrain.run.decision import DecisionRule

PREDICTION, PROBABILITY, SPREAD = "prediction", "probability_", "spread"

_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}")
_TRUTHS = {"false", "true"}


def added_names(target: Target, probabilities: bool) -> tuple[str, ...]:
    """Return the names of the columns that are added."""
    if isinstance(target, MixedTargets):
        return _mixed_names(target, probabilities)
    several = isinstance(target, SeveralTargets)
    names = tuple(f"{PREDICTION}_{name}" for name in target.columns) if several else (PREDICTION,)
    if not probabilities:
        return names
    if KINDS[target.task].of_numbers:
        raise UsageError("--proba: this run predicts a number, which has no probabilities; remove --proba")
    return (*names, *(f"{PROBABILITY}{name}" for name in target.classes))


def _mixed_names(target: MixedTargets, probabilities: bool) -> tuple[str, ...]:
    """Return a prediction for each target, and behind them the probabilities of those that have classes."""
    names = tuple(f"{PREDICTION}_{name}" for name in target.columns)
    of_classes = [part for part in target.parts if part.classes]
    if probabilities and not of_classes:
        raise UsageError("--proba: this run predicts numbers, which have no probabilities; remove --proba")
    each = (f"{PROBABILITY}{part.column}_{name}" for part in of_classes for name in part.classes)
    return (*names, *each) if probabilities else names


def spread_names(target: Target) -> tuple[str, ...]:
    """Return the names of the columns that say how much the networks of an ensemble differ: one, or one for each of
    several targets."""
    several = isinstance(target, SeveralTargets | MixedTargets)
    return tuple(f"{SPREAD}_{name}" for name in target.columns) if several else (SPREAD,)


def free_names(names: Sequence[str], taken: Sequence[str], prefix: str, data: str) -> tuple[str, ...]:
    """Return names for the columns that are added, none of which the data has.

    Args:
        names: of the columns.
        taken: the columns of the data.
        prefix: what all names begin with. Where it is empty, a number follows each name that is taken:
            `prediction_2`.
        data: its name, for the message.

    Raises:
        DataError: with the prefix a name is taken.
    """
    found = tuple(f"{prefix}{name}" for name in names)
    known = set(taken)
    clash = next((name for name in found if name in known), None)
    if clash is None:
        return found
    if prefix:
        raise DataError(f"{data}: there is a column {clash!r} already; give the new columns another --prefix")
    used = known | set(names)
    free: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        free.append(next(each for each in numbered if each not in used) if name in known else name)
        used.add(free[-1])
    return tuple(free)


def predicted_columns(network: Network, predictions: np.ndarray, rule: DecisionRule, names: Sequence[str]) -> pa.Table:
    """Return the columns that are added, from predictions as `Network.predictions` describes them."""
    if KINDS[network.info.task].mixed:
        return _mixed_columns(network, predictions, rule, names)
    threshold = rule.threshold
    found = KINDS[network.info.task].columns(predictions, threshold)
    of_classes = network.target.parts[: len(found.decided)]
    pairs = zip(of_classes, found.decided, strict=True)
    decided = [class_values(part.classes).take(pa.array(each)) for part, each in pairs]
    return pa.table([*decided, *map(pa.array, found.values)][: len(names)], [*names])


def _mixed_columns(network: Network, predictions: np.ndarray, rule: DecisionRule, names: Sequence[str]) -> pa.Table:
    output = network.info.output
    predicted: list[pa.Array] = []
    probabilities: list[pa.Array] = []
    for part, place in output.placed:
        values = values_of(part, place, predictions)
        found = KINDS[part.task].columns(values, rule.of_output(part.name).threshold)
        if part.classes:
            (decided,) = found.decided
            predicted.append(class_values(part.classes).take(pa.array(decided)))
            probabilities += map(pa.array, found.values)
        else:
            predicted.append(pa.array(found.values[0]))
    return pa.table([*predicted, *probabilities][: len(names)], [*names])


def beside(columns: pa.Table, parts: np.ndarray, names: Sequence[str]) -> pa.Table:
    """Return the columns with `parts` (rows, names) behind them."""
    for name, values in zip(names, parts.T, strict=True):
        columns = columns.append_column(name, pa.array(np.ascontiguousarray(values)))
    return columns


def class_values(classes: Sequence[str]) -> pa.Array:
    """Return the classes as a column holds them: whole numbers or truth values where all are such, else texts."""
    if set(classes) == _TRUTHS:
        return pa.array([name == "true" for name in classes])
    if all(map(_WHOLE_NUMBER.fullmatch, classes)):
        return pa.array([int(name) for name in classes], pa.int64())
    return pa.array([*classes], pa.string())
