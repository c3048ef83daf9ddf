"""What is wrong with a training, in plain words, each with the setting in the YAML to change.

One function per rule: it takes facts, and returns a finding or None. A rule that is in doubt says nothing: a false
alarm costs more than silence. Test rows are not among the facts, because the advice of a finding is a choice. Pure
functions: no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping

from mltrain.evaluation.diagnosis.constant import extreme_inputs, unscaled_target, worse_than_constant
from mltrain.evaluation.diagnosis.curves import (
    first_loss,
    high_learning_rate,
    low_learning_rate,
    overfitting,
    plateau,
    still_falling,
)
from mltrain.evaluation.diagnosis.facts import Curves, Facts, Finding
from mltrain.evaluation.diagnosis.normalization import early_statistics
from mltrain.evaluation.diagnosis.outcome import (
    dead_units,
    leaked_feature,
    memorising,
    never_predicted,
    perfect_at_once,
    small_validation,
    too_few_rows,
    underfitting,
)
from mltrain.task import about_target

__all__ = ["Curves", "Facts", "Finding", "diagnose", "diagnose_at_once", "diagnose_outputs"]

# During a training: what a later epoch hardly ever undoes (`benchmarks.diagnosis` counts how often).
_AT_ONCE = (first_loss, high_learning_rate, overfitting)
_OF_CURVES = (first_loss, high_learning_rate, overfitting, plateau, still_falling, low_learning_rate)
_OF_OUTCOME = (
    leaked_feature,
    perfect_at_once,
    memorising,
    early_statistics,
    underfitting,
    never_predicted,
    dead_units,
    small_validation,
    unscaled_target,
    extreme_inputs,
    worse_than_constant,
)
# A finding that explains another one: the other is left out.
_EXPLAINED = {
    "unscaled_target": {"underfitting", "worse_than_constant", "still_falling", "low_learning_rate"},
    "extreme_inputs": {"memorising", "worse_than_constant"},
    "early_statistics": {"underfitting", "worse_than_constant", "still_falling", "never_predicted"},
    "memorising": {"overfitting", "worse_than_constant"},
    "underfitting": {"worse_than_constant"},
    "leaked_feature": {"perfect_at_once"},
    "high_learning_rate": {"first_loss", "overfitting", "underfitting"},
    "still_falling": {"underfitting"},
    "low_learning_rate": {"underfitting"},
}


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings on a finished training."""
    few = too_few_rows(facts)
    outcomes = [rule(facts) for rule in _OF_OUTCOME] if few is None else [few]
    found = [each for each in (*outcomes, *(rule(facts.curves) for rule in _OF_CURVES)) if each is not None]
    explained = {name for each in found for name in _EXPLAINED.get(each.finding, ())}
    if few is not None:
        explained |= {"overfitting"}  # a rise on so few held-out rows is not certain
    return tuple(each for each in found if each.finding not in explained)


def diagnose_outputs(facts: Facts, outputs: Mapping[str, Facts]) -> tuple[Finding, ...]:
    """Return the findings on a finished training of targets of different kinds.

    Args:
        facts: of all of them, without what is of one target.
        outputs: of each target, by its name.
    """
    of_each = (
        Finding(found.finding, f"{about_target(name)}{found.sentence}", _key_of(found.key, name))
        for name, each in outputs.items()
        for rule in (memorising, underfitting, never_predicted, unscaled_target)
        if (found := rule(each)) is not None
    )
    return (*diagnose(facts), *of_each)


def _key_of(key: str, target: str) -> str:
    return f"training.outputs.{target}.class_weight" if key == "training.class_weight" else key


def diagnose_at_once(curves: Curves) -> tuple[Finding, ...]:
    """Return the findings that are certain during a training."""
    return tuple(found for rule in _AT_ONCE if (found := rule(curves)) is not None)
