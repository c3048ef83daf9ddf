"""Rules on what came out: the model of a run on its training and validation rows."""

from __future__ import annotations

import math

from mltrain.evaluation.chance import LEVEL, p_value
from mltrain.evaluation.diagnosis.curves import still_learns
from mltrain.evaluation.diagnosis.facts import Confusion, Facts, Finding, accuracy
from mltrain.evaluation.interval_forms import wilson
from mltrain.outputs import KINDS, number_kind
from mltrain.task import Task
from mltrain.wording import counted

# How much worse an R² is below this says nothing, and may take 30 digits.
_WORST_SHOWN = -100
# With fewer rows than this, any score may be luck.
_FEW = 30
# Where two models differ on 6 rows only, one of them must be right on all 6 for a difference at the level of 5 % (sign
# test: 2 / 2**6 = 0.031). So 60 rows resolve a tenth at best.
_DISCORDANT, _RESOLVED = 6, 0.1
# What the advice asks for: a difference in accuracy, and an error as a share of itself.
_FINE, _PRECISE = 0.02, 0.05
# From here on a column alone predicts the target: see `column_strengths`.
_ALONE = 0.999
_MANY = 100
# A class with less than this part of the rows of the largest class is rare; weights help only such classes.
_RARE = 0.5


def too_few_rows(facts: Facts) -> Finding | None:
    """There are too few rows for a score to mean anything."""
    rows = facts.rows["train"]
    if rows >= _FEW:
        return None
    confusion = facts.confusions.get("train")
    score = (
        f"an accuracy of {accuracy(confusion):.2f} on so few rows may mean {_interval(confusion)}; "
        if confusion
        else ""
    )
    held_out = "" if "validation" in facts.rows else " and none are held out for validation"
    training = counted(rows, "training row")
    return Finding(
        "too_few_rows",
        f"too few rows: there {'is' if rows == 1 else 'are'} {training}{held_out}; {score}no score of this run shows "
        "how good the model is on new rows; a few hundred rows are needed for that",
        "data.source",
    )


def leaked_feature(facts: Facts) -> Finding | None:
    """One of several columns alone predicts the target almost perfectly."""
    name, strength = _strongest(facts)
    if strength < _ALONE:
        return None
    return Finding(
        "leaked_feature",
        f"column '{name}' alone predicts the target almost perfectly ({strength:.4f} of 1, on training rows): does it "
        "contain the answer, or something that is known only afterwards? Then set it to ignore",
        f"data.features.{name}",
    )


def perfect_at_once(facts: Facts) -> Finding | None:
    """All validation rows are predicted correctly after one epoch."""
    scores = facts.curves.columns.get("validation.accuracy", ())
    name, strength = _strongest(facts)
    if not scores or scores[0] < _ALONE or facts.rows.get("validation", 0) < _MANY:
        return None
    seen = f"the validation accuracy is {scores[0]:.4f} after only one epoch, which is rare with real data"
    if facts.repeated:
        return Finding("perfect_at_once", f"{seen}: {facts.repeated}", "data.split")
    if not name:
        return None
    return Finding(
        "perfect_at_once",
        f"{seen}: does a column contain the answer (the strongest is '{name}', {strength:.3f} of 1)?",
        f"data.features.{name}",
    )


def memorising(facts: Facts) -> Finding | None:
    """The training rows are memorised, and the validation rows are guessed."""
    if facts.rows.get("validation", 0) < 50 or not facts.skill:
        return None
    numbers = number_kind(facts.task)
    if numbers is not None and not KINDS[facts.task].several:
        train, other = facts.skill["train"], facts.skill["validation"]
        if train < 0.5 or other > 0:
            return None
        below = f"{other:.2f}" if other >= _WORST_SHOWN else f"below {_WORST_SHOWN}"
        seen = f"{numbers.explained} is {train:.2f} on training rows and {below} on validation rows"
    elif KINDS[facts.task].several:
        train, other = facts.skill["train"], facts.skill["validation"]
        if train < 0.5 or other > 0:
            return None
        seen = (
            f"its loss is {train:.0%} lower than that of a constant answer on training rows, but not on validation rows"
        )
    else:
        known, new = (facts.confusions[split] for split in ("train", "validation"))
        if chance(known) > LEVEL or chance(new) <= LEVEL or accuracy(known) - accuracy(new) < 0.15:
            return None
        seen = (
            f"the accuracy is {accuracy(known):.2f} on training rows, but {accuracy(new):.2f} on validation rows, no "
        )
        seen += "better than guessing"
    return Finding(
        "memorising",
        f"memorising: {seen}: the model memorises its rows and finds no pattern; are the labels right, and do the "
        "features contain the answer at all?",
        "data.target",
    )


def underfitting(facts: Facts) -> Finding | None:
    """Even the training rows were not learned."""
    if not facts.skill:
        return None
    skill = facts.skill["train"]
    if skill >= 0.02 or (KINDS[facts.task].of_classes and chance(facts.confusions["train"]) <= LEVEL):
        return None
    if still_learns(facts.curves.train):
        return None
    saved = f"{skill:.1%} lower" if skill >= 0 else "higher"
    return Finding(
        "underfitting",
        f"underfitting: even on its own training rows the model is not better than a constant answer (its loss is "
        f"{saved}); try a larger model, another learning rate or other features, or there is nothing to learn",
        "model",
    )


def never_predicted(facts: Facts) -> Finding | None:
    """Classes that occur and are never predicted."""
    confusion = facts.confusions.get(facts.seen)
    if confusion is None or facts.rows[facts.seen] < _FEW:
        return None
    never = [
        number
        for number, row in enumerate(confusion)
        if sum(row) >= 10 and not any(other[number] for other in confusion)
    ]
    if not never:
        return None
    shown = ", ".join(f"'{facts.classes[number]}' ({sum(confusion[number])} rows)" for number in never[:5])
    more = f" and {len(never) - 5} more" if len(never) > 5 else ""
    seen = f"never predicted on {facts.rows[facts.seen]} {facts.seen} rows: {shown}{more}"
    if all(number in facts.alike for number in never):
        areas = ", ".join(f"{facts.alike[number]:.2f}" for number in never[:5])
        reason = f"ROC AUC {areas} on these rows, which does not differ from 0.5"
        return Finding(
            "never_predicted",
            f"{seen}; the columns do not distinguish {'this class' if len(never) == 1 else 'these classes'} from the "
            f"others ({reason}): other columns or more rows are needed",
            "data.features",
        )
    counts = [sum(row) for row in facts.confusions.get("train", confusion)]
    if not facts.weighted and any(counts[number] < _RARE * max(counts) for number in never):
        advice = "weight the classes (training.class_weight: balanced), or train for more epochs"
        return Finding("never_predicted", f"{seen}; {advice}", "training.class_weight")
    advice = "train for more epochs, or try a larger model or another learning rate"
    return Finding("never_predicted", f"{seen}; {advice}", "training.epochs")


def dead_units(facts: Facts) -> Finding | None:
    """Half or more of a layer's units give 0 for every row."""
    dead = [layer for layer in facts.dead if layer.dead >= max(2, layer.units / 2)]
    if not dead or facts.sampled < _MANY:
        return None
    shown = ", ".join(f"{layer.dead} of {layer.units} in {layer.layer}" for layer in dead)
    return Finding(
        "dead_units",
        f"dead units: {shown} give 0 for each of {facts.sampled} training rows, and a ReLU that gives 0 everywhere "
        "cannot learn; use a smaller learning rate, or another activation (leaky_relu, gelu)",
        "training.optimizer.learning_rate",
    )


def small_validation(facts: Facts) -> Finding | None:
    """There are too few validation rows to choose by."""
    rows = facts.rows.get("validation")
    if rows is None or rows >= _DISCORDANT / _RESOLVED:
        return None
    few = f"{counted(rows, 'validation row')} {'is' if rows == 1 else 'are'} too few"
    if KINDS[facts.task].of_numbers:
        # The half width of the interval, as a share of the error, is 1.96 / √(2 n) where errors are normal.
        half = 1.96 / math.sqrt(2 * rows)
        enough = math.ceil(rows * (half / _PRECISE) ** 2 / 10) * 10
        sentence = (
            f"{few} to choose the best epoch: they measure a root mean squared error only to ± {half:.0%}; "
            f"use about {enough:,} to measure it to ± {_PRECISE:.0%}"
        )
    else:
        finest = min(_DISCORDANT / rows, 1.0)
        sentence = (
            f"{few} to distinguish epochs that differ by less than {finest:.2f} in accuracy; "
            f"use {_DISCORDANT / _FINE:.0f} or more to see differences of {_FINE:g}"
        )
    return Finding("small_validation", sentence, "data.split.validation")


def _strongest(facts: Facts) -> tuple[str, float]:
    strengths = facts.strengths or {}
    # A single column is there to predict the target.
    return max(strengths.items(), key=lambda each: each[1]) if len(strengths) > 1 else ("", 0.0)


def score_words(task: Task, skill: float) -> str:
    """Return a `skill` in words, as `R² is 0.35`."""
    numbers = number_kind(task)
    if numbers is not None and not KINDS[task].several:
        return f"{numbers.explained} is {f'{skill:.2f}' if skill >= _WORST_SHOWN else f'below {_WORST_SHOWN}'}"
    if skill < _WORST_SHOWN:
        return f"its loss is more than {-_WORST_SHOWN} times as high"
    return f"its loss is {abs(skill):.0%} {'lower' if skill >= 0 else 'higher'}"


def chance(confusion: Confusion) -> float:
    """Return how likely this many right answers are by guessing: see `mltrain.evaluation.chance`."""
    right = sum(row[place] for place, row in enumerate(confusion))
    return p_value(right, [sum(row) for row in confusion], [sum(column) for column in zip(*confusion, strict=True)])


def _interval(confusion: Confusion) -> str:
    """Return the 95 % interval of an accuracy."""
    found = wilson(sum(row[place] for place, row in enumerate(confusion)), sum(map(sum, confusion)))
    return f"{found.low:.2f} to {found.high:.2f}" if found else "0.00 to 1.00"
