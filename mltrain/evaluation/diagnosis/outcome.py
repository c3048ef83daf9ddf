"""Rules on what came out: the model of a run on its training and validation rows."""

from __future__ import annotations

import math

from mltrain.evaluation.chance import LEVEL, p_value
from mltrain.evaluation.diagnosis.facts import Confusion, Facts, Finding, accuracy
from mltrain.evaluation.interval_forms import wilson
from mltrain.task import OF_CLASSES, OF_EACH, OF_NUMBERS

# Fewer rows than this, and any score of theirs may be luck.
_FEW = 30
# Of two models that differ on 6 rows only, all 6 must speak for one of them, to be told apart at the level of 5 % (sign
# test: 2 / 2**6 = 0.031). So 60 rows resolve a tenth at best.
_DISCORDANT, _RESOLVED = 6, 0.1
# From here on a column alone tells the target: see `column_strengths`.
_ALONE = 0.999
_MANY = 100


def too_few_rows(facts: Facts) -> Finding | None:
    """There are so few rows that no score says anything."""
    rows = facts.rows["train"]
    if rows >= _FEW:
        return None
    confusion = facts.confusions.get("train")
    score = (
        f"an accuracy of {accuracy(confusion):.2f} on so many may be any of {_interval(confusion)}; "
        if confusion
        else ""
    )
    held_out = "" if "validation" in facts.rows else ", and none are held out for validation"
    return Finding(
        "too_few_rows",
        f"too few rows to tell: there are {rows} to learn from{held_out}; {score}no score of this run says how good it "
        "is on new rows; for that, some hundred are needed",
        "data.source",
    )


def leaked_feature(facts: Facts) -> Finding | None:
    """One column of several tells the target nearly perfectly."""
    name, strength = _strongest(facts)
    if strength < _ALONE:
        return None
    return Finding(
        "leaked_feature",
        f"the column '{name}' alone tells the target nearly perfectly ({strength:.4f} of 1, on training rows): does it "
        "hold the answer, or something that is known only afterwards? Then set it to ignore",
        f"data.features.{name}",
    )


def perfect_at_once(facts: Facts) -> Finding | None:
    """The validation rows are all right after one epoch already."""
    scores = facts.curves.columns.get("validation.accuracy", ())
    name, strength = _strongest(facts)
    if not scores or scores[0] < _ALONE or facts.rows.get("validation", 0) < _MANY:
        return None
    seen = f"the validation accuracy is {scores[0]:.4f} after one epoch already, which real data seldom allow"
    if facts.repeated:
        return Finding("perfect_at_once", f"{seen}: {facts.repeated}", "data.split")
    if not name:
        return None
    return Finding(
        "perfect_at_once",
        f"{seen}: does a column hold the answer (the strongest is '{name}', {strength:.3f} of 1)?",
        f"data.features.{name}",
    )


def memorising(facts: Facts) -> Finding | None:
    """The training rows are known by heart, and nothing of that holds for others."""
    if facts.rows.get("validation", 0) < 50:
        return None
    if facts.task == "regression":
        train, other = facts.skill["train"], facts.skill["validation"]
        if train < 0.5 or other > 0:
            return None
        seen = f"R² is {train:.2f} on training rows and {other:.2f} on validation rows"
    elif facts.task in OF_EACH:
        train, other = facts.skill["train"], facts.skill["validation"]
        if train < 0.5 or other > 0:
            return None
        seen = f"it saves {train:.0%} of a constant answer's loss on training rows, and nothing on validation rows"
    else:
        known, new = (facts.confusions[split] for split in ("train", "validation"))
        if _chance(known) > LEVEL or _chance(new) <= LEVEL or accuracy(known) - accuracy(new) < 0.15:
            return None
        seen = f"the accuracy is {accuracy(known):.2f} on training rows, and on validation rows that of guessing, "
        seen += f"{accuracy(new):.2f}"
    return Finding(
        "memorising",
        f"memorising: {seen}: it learns its rows by heart and finds nothing that holds for others; are the labels "
        "right, and is the answer in the features at all?",
        "data.target",
    )


def underfitting(facts: Facts) -> Finding | None:
    """Even the training rows are not learned."""
    skill = facts.skill["train"]
    if skill >= 0.02 or (facts.task in OF_CLASSES and _chance(facts.confusions["train"]) <= LEVEL):
        return None
    return Finding(
        "underfitting",
        f"underfitting: even on its own training rows the model is no better than a constant answer (it saves "
        f"{skill:.1%} of that one's loss): a larger model, another learning rate, other features, or nothing to learn",
        "model",
    )


def never_predicted(facts: Facts) -> Finding | None:
    """Classes that occur and are not predicted once."""
    confusion = facts.confusions.get(facts.seen)
    if confusion is None or facts.rows[facts.seen] < _FEW:
        return None
    never = [
        (facts.classes[number], sum(row))
        for number, row in enumerate(confusion)
        if sum(row) >= 10 and not any(other[number] for other in confusion)
    ]
    if not never:
        return None
    shown = ", ".join(f"'{name}' ({rows} rows)" for name, rows in never[:5])
    more = f" and {len(never) - 5} more" if len(never) > 5 else ""
    return Finding(
        "never_predicted",
        f"never predicted on {facts.rows[facts.seen]} {facts.seen} rows: {shown}{more}; weigh the classes (balanced), "
        "or learn for longer",
        "training.class_weight",
    )


def dead_units(facts: Facts) -> Finding | None:
    """Half or more of a layer's units give 0 whatever comes in."""
    dead = [layer for layer in facts.dead if layer.dead >= max(2, layer.units / 2)]
    if not dead or facts.sampled < _MANY:
        return None
    shown = ", ".join(f"{layer.dead} of {layer.units} in {layer.layer}" for layer in dead)
    return Finding(
        "dead_units",
        f"dead units: {shown} give 0 for each of {facts.sampled} training rows, and a ReLU that does so learns no "
        "more; a smaller learning rate, or another activation (leaky_relu, gelu)",
        "training.optimizer.learning_rate",
    )


def small_validation(facts: Facts) -> Finding | None:
    """The validation rows are too few for what they choose."""
    rows = facts.rows.get("validation")
    if rows is None or rows >= _DISCORDANT / _RESOLVED:
        return None
    finest = _DISCORDANT / rows
    if facts.task in OF_NUMBERS:
        seen = f"a root mean squared error on so many is known to ± {1.96 / math.sqrt(2 * rows):.0%} of itself"
    else:
        seen = f"two models or epochs are told apart from {min(finest, 1.0):.2f} of accuracy on (6 rows, sign test)"
    return Finding(
        "small_validation",
        f"validation has {rows} rows: {seen}, so what it chooses is partly luck; for differences of 0.02, "
        f"{_DISCORDANT / 0.02:.0f} or more are needed: a larger share, or more data",
        "data.split.validation",
    )


def _strongest(facts: Facts) -> tuple[str, float]:
    strengths = facts.strengths or {}
    # Where there is one column, it is there to tell the target.
    return max(strengths.items(), key=lambda each: each[1]) if len(strengths) > 1 else ("", 0.0)


def _chance(confusion: Confusion) -> float:
    """Return how likely so many right answers are when guessing: see `mltrain.evaluation.chance`."""
    right = sum(row[place] for place, row in enumerate(confusion))
    return p_value(right, [sum(row) for row in confusion], [sum(column) for column in zip(*confusion, strict=True)])


def _interval(confusion: Confusion) -> str:
    """Return the 95 % interval of an accuracy."""
    found = wilson(sum(row[place] for place, row in enumerate(confusion)), sum(map(sum, confusion)))
    return f"{found.low:.2f} to {found.high:.2f}" if found else "0.00 to 1.00"
