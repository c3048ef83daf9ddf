"""Rules on a model that is not better than a constant answer, the mean or the shares of the classes: why, and what to
change. On the validation rows where there are any: a model that knows its training rows by heart may predict others
worse than nothing does.
"""

from __future__ import annotations

from mltrain.evaluation.chance import LEVEL
from mltrain.evaluation.diagnosis.curves import still_learns
from mltrain.evaluation.diagnosis.facts import Facts, Finding
from mltrain.evaluation.diagnosis.outcome import chance, score_words
from mltrain.outputs import KINDS
from mltrain.wording import counted

# Of fewer rows a score may be luck.
FEWEST = 30
# A loss that is lower by less than this share of that of a constant answer is not lower.
_NOT_LOWER = 0.02
# On the training rows: from here on something was learned.
_LEARNED = 0.1


def unscaled_target(facts: Facts) -> Finding | None:
    """The target is large, and was not scaled: the outputs, which start near 0, have not come there."""
    if not facts.unscaled or not facts.skill or facts.skill["train"] >= _NOT_LOWER:
        return None
    return Finding(
        "unscaled_target",
        f"the model is not better than always predicting the mean ({_seen(facts)}): it learns the target as it is "
        f"({facts.unscaled}), and its outputs start near 0 and move there slowly; set data.target.scale to "
        "standard, or use larger units",
        "data.target.scale",
    )


def extreme_inputs(facts: Facts) -> Finding | None:
    """The model is worse than a constant answer only because of a few rows with inputs far from all others."""
    extreme = facts.extreme
    if extreme is None or not facts.skill or facts.skill[facts.seen] > 0 or extreme.skill <= _NOT_LOWER:
        return None
    those = counted(extreme.rows, f"{facts.seen} row")
    without = "without that row" if extreme.rows == 1 else "without those rows"
    return Finding(
        "extreme_inputs",
        f"the model is {_worse(facts)} ({_seen(facts)}) because of {those} with extreme inputs, such as a value of "
        f"'{extreme.column}' that is {extreme.deviations:,.0f} standard deviations from the mean ({without} "
        f"{score_words(facts.task, extreme.skill)}): is the value right? Correct it, leave the row out, or set the "
        "column to ignore",
        f"data.features.{extreme.column}",
    )


def worse_than_constant(facts: Facts) -> Finding | None:
    """The model is worse than a constant answer on rows that it has not seen, and no other rule says why."""
    seen = facts.seen
    if not facts.skill or facts.rows[seen] < FEWEST or facts.skill[seen] > 0:
        return None
    # Too certain probabilities have a large loss, and may still be right more often than any constant answer.
    if KINDS[facts.task].of_classes and chance(facts.confusions[seen]) <= LEVEL:
        return None
    known = facts.skill["train"]
    if facts.curves.exhausted and still_learns(facts.curves.train):
        why, key = "the training loss was still falling at the end: train for more epochs", "training.epochs"
    elif known >= _LEARNED:
        of_training = score_words(facts.task, known)
        why = (
            f"on its training rows {of_training}, so what it has learned holds for them alone: use a smaller model, "
            f"dropout, weight decay, {'EarlyStopping, ' if facts.curves.exhausted else ''}or more rows"
        )
        key = "model"
    else:
        why = "it has hardly learned its training rows either: try another learning rate, or other features"
        key = "training.optimizer.learning_rate"
    return Finding("worse_than_constant", f"the model is {_worse(facts)} ({_seen(facts)}): {why}", key)


def _worse(facts: Facts) -> str:
    constant = "the mean" if KINDS[facts.task].of_numbers else "the shares of the classes in training"
    return f"not better than always predicting {constant}"


def _seen(facts: Facts) -> str:
    """Return what was seen, as `R² is -0.35 on 120 validation rows`."""
    rows = counted(facts.rows[facts.seen], f"{'training' if facts.seen == 'train' else facts.seen} row")
    return f"{score_words(facts.task, facts.skill[facts.seen])} on {rows}"
