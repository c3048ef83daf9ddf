"""Whether what stands in a run is what the run recorded: a test row that was swapped for a training row changes no
file's form, only the worth of every number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mltrain.errors import RunError
from mltrain.run.decision import DecisionRule
from mltrain.run.json_text import to_json
from mltrain.run.record import Record, row_fingerprint
from mltrain.run.rundir import RunDirectory

if TYPE_CHECKING:
    import numpy as np


def json_fingerprint(values: Mapping[str, Any]) -> str:
    """Return the sha256 of what JSON can hold."""
    return hashlib.sha256(to_json(values, exact=True)).hexdigest()


def proved_preprocessing(run: RunDirectory, record: Record) -> dict[str, Any]:
    """Return what was fitted on the training rows.

    Raises:
        RunError: it is not what the run recorded.
    """
    values = run.preprocessing()
    if record.preprocessing is not None and json_fingerprint(values) != record.preprocessing:
        raise RunError(f"{run.path}: preprocessing.json is not what record.json says: it was changed after training")
    return values


def decision_fingerprint(rule: DecisionRule) -> str:
    """Return the sha256 of what decision.json says."""
    return json_fingerprint(rule.as_json())


def proved_decision(run: RunDirectory, record: Record, stated: bool) -> DecisionRule:
    """Return how probabilities become decisions.

    Args:
        run: the run.
        record: its record.
        stated: whether its config asks for a threshold or a temperature, so that there must be one.

    Raises:
        RunError: it is not what the run recorded, or not chosen yet.
    """
    rule = run.decision()
    if record.decision is None and (stated or run.has_decision()):
        raise RunError(
            f"{run.path}: threshold and temperature are chosen when training is over, and the run has not ended"
        )
    if record.decision is not None and decision_fingerprint(rule) != record.decision:
        raise RunError(f"{run.path}: decision.json is not what record.json says: it was changed after training")
    return rule


def proved_splits(run: RunDirectory, record: Record) -> dict[str, np.ndarray]:
    """Return the row ids of each split.

    Raises:
        RunError: they are not what the run recorded.
    """
    splits = run.splits()
    if {name: row_fingerprint(rows) for name, rows in splits.items()} != dict(record.splits):
        raise RunError(f"{run.path}: the row ids in splits/ are not what record.json says: they were changed")
    if "train" not in splits:
        raise RunError(f"{run.path}: splits/train.npy is missing; a run cannot be read without it")
    for name, rows in splits.items():
        if not len(rows) or rows.min() < 0:  # no run has that, whatever its record says
            raise RunError(f"{run.path}: splits/{name}.npy: expected row numbers, from 0")
    return splits
