"""A rule on batch normalization, which predicts by running means."""

from __future__ import annotations

import math

from mltrain.evaluation.chance import LEVEL
from mltrain.evaluation.diagnosis.facts import Facts, Finding
from mltrain.evaluation.diagnosis.outcome import chance
from mltrain.outputs import KINDS
from mltrain.wording import counted

# From this share on the running means say more of what they began with than of the data.
_MUCH, _LITTLE = 0.5, 0.1
_LEARNED = 0.02


def early_statistics(facts: Facts) -> Finding | None:
    """The model guesses because its running means are still what they began with."""
    momentum, steps = facts.slowest_momentum, facts.steps
    share = momentum**steps
    if not 0 < momentum < 1 or share < _MUCH or facts.skill.get("train", 1.0) >= _LEARNED:
        return None
    if KINDS[facts.task].of_classes and chance(facts.confusions["train"]) <= LEVEL:
        return None
    enough = math.ceil(math.log(_LITTLE) / math.log(momentum))
    return Finding(
        "early_statistics",
        f"batch normalization has seen too few steps: after {counted(steps, 'step')} its running means are still "
        f"{math.floor(100 * share)} % of what they began with, and the model guesses, whatever its training loss is; "
        f"train for about {enough:,} steps, or take another network",
        "training.epochs",
    )
