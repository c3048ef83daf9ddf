"""The columns that are added to the rows that are predicted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mltrain.data.several_targets import SeveralTargets, Target
from mltrain.errors import DataError, UsageError
from mltrain.evaluation.counts import decide
from mltrain.task import OF_NUMBERS

if TYPE_CHECKING:
    from mltrain.procedures.network import Network

PREDICTION, PROBABILITY = "prediction", "probability_"

_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}")
_TRUTHS = {"false", "true"}


def added_names(target: Target, probabilities: bool) -> tuple[str, ...]:
    """Return the names of the columns that are added."""
    several = isinstance(target, SeveralTargets)
    names = tuple(f"{PREDICTION}_{name}" for name in target.columns) if several else (PREDICTION,)
    if not probabilities:
        return names
    if target.task in OF_NUMBERS:
        raise UsageError("--proba: this run predicts a number, which has no probabilities; remove --proba")
    return (*names, *(f"{PROBABILITY}{name}" for name in target.classes))


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


def predicted_columns(network: Network, predictions: np.ndarray, threshold: float, names: Sequence[str]) -> pa.Table:
    """Return the columns that are added, from predictions as `Network.predictions` describes them."""
    task, target = network.info.task, network.target
    if task == "multiregression":
        return pa.table([pa.array(column) for column in predictions.T], [*names])
    if task == "multilabel":
        decided = decide(task, predictions).T
        pairs = zip(target.parts, decided, strict=True)
        labels = [class_values(part.classes).take(pa.array(each)) for part, each in pairs]
        return pa.table([*labels, *map(pa.array, predictions.T)][: len(names)], [*names])
    if task == "regression":
        return pa.table([pa.array(predictions)], [*names])
    chosen = class_values(network.info.output.classes).take(pa.array(decide(task, predictions, threshold)))
    shares = [1 - predictions, predictions] if task == "binary" else [*predictions.T]
    return pa.table([chosen, *map(pa.array, shares[: len(names) - 1])], [*names])


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
