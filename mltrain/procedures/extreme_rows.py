"""Rows with inputs far from those of the training rows: a network answers anything there. No TensorFlow here."""

from __future__ import annotations

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.evaluation.diagnosis.facts import Extreme
from mltrain.evaluation.diagnosis.skill import skill
from mltrain.outputs import KINDS
from mltrain.task import SplitName

# Standard deviations from the mean. Chance alone has as much in no column of a million rows.
FAR = 10.0
# More rows than this share are no exceptions.
_MOST = 0.05


def extreme_rows(prepared: Prepared, split: SplitName, predictions: np.ndarray) -> Extreme | None:
    """Return the rows of a split with such inputs of a table; None where there are none, or many.

    Args:
        prepared: the data.
        split: whose rows.
        predictions: for them, as `Network.predictions` describes them.
    """
    tables = [each for each in prepared.info.inputs if each.columns]
    if not tables or KINDS[prepared.info.task].mixed:
        return None
    examples, train = prepared.examples[split], prepared.examples["train"]
    name, column, farthest = "", 0, np.zeros(len(examples.truth))
    for table in tables:
        known = train.inputs[table.name]
        mean, deviation = known.mean(axis=0, dtype=np.float64), known.std(axis=0, dtype=np.float64)
        apart = np.abs(examples.inputs[table.name] - mean) / np.where(deviation > 0, deviation, np.inf)
        # A category, or a truth value, is rare, and not far.
        apart[:, ((known == 0) | (known == 1)).all(axis=0)] = 0
        if apart.max(initial=0) > farthest.max(initial=0):
            name, column = table.name, int(apart.max(axis=0).argmax())
        farthest = np.maximum(farthest, apart.max(axis=1, initial=0))
    far = farthest > FAR
    if not far.any() or far.mean() > _MOST:
        return None
    info = prepared.info
    without = skill(info.task, examples.truth[~far], predictions[~far], train.truth, len(info.output.classes))
    raw = prepared.preprocessing.column_of(name, column)
    return Extreme(raw, float(farthest.max()), int(far.sum()), without)
