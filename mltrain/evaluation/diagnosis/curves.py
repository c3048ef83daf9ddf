"""Rules on the curves of a training: how the losses changed from epoch to epoch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mltrain.evaluation.diagnosis.facts import Curves, Finding

# A constant answer has ln C. A net at its start is a little worse, because its outputs are random. Three times as much
# over a whole epoch, in which it could have learned, means that the outputs are large: raw inputs, or large steps.
_FAR_FROM_CHANCE = 3.0

# Epochs in a mean, so that one epoch is not a trend.
_NEAR = 3

# Overfitting lasts: a validation loss that has risen for fewer epochs than it took to its best often falls again, and a
# rise of less than a tenth of what it had fallen is often noise. `benchmarks.diagnosis` compares these with what
# happened afterwards.
_FEWEST_AFTER_BEST, _RISE = 8, 0.1

# A loss has stopped where the last quarter of the epochs is not lower than the quarter before, by this part of it. One
# that still falls by a hundredth has often fallen by a fifth in four times the epochs.
_STOPPED = 0.003
# A loss that falls by more than this is still learned, even if it is not yet better than that of a constant answer.
_LEARNS = 0.02


def first_loss(curves: Curves) -> Finding | None:
    """The loss of the first epoch is far above that of knowing nothing."""
    chance = curves.chance_loss
    if chance is None or not curves.train or curves.train[0] <= _FAR_FROM_CHANCE * chance:
        return None
    return Finding(
        "first_loss",
        f"the training loss of the first epoch is {curves.train[0]:.3g}, but a model that guesses has {chance:.3g}: "
        "the outputs are far too large at the start; scale the inputs, or use a smaller learning rate",
        "data.scale",
    )


def high_learning_rate(curves: Curves) -> Finding | None:
    """The training loss jumps up again and again, or ends above its start."""
    loss = curves.train
    if len(loss) < 3 or (min(loss) < 0 and not _fall(loss)):
        return None
    jumps = [
        epoch
        for epoch in range(1, len(loss))
        if loss[epoch] > _times(1.5, min(loss[:epoch]), loss)
        and loss[epoch] > _times(1.3, loss[epoch - 1], loss)
        and loss[epoch] - min(loss[:epoch]) > 0.1 * loss[0]
    ]
    if len(jumps) >= 2:
        worst = max(jumps, key=lambda epoch: loss[epoch] - loss[epoch - 1])
        jump = f"from {loss[worst - 1]:.3g} to {loss[worst]:.3g} in epoch {worst + 1}"
        seen = f"jumps up {len(jumps)} times, for example {jump}"
    elif min(loss[-2:]) > _times(1.2, loss[0], loss) and (loss[0] > 0 or min(loss) < 0):
        seen = f"is {loss[-1]:.3g} in epoch {len(loss)}, higher than {loss[0]:.3g} in the first"
    else:
        return None
    return Finding(
        "high_learning_rate",
        f"the training loss {seen}: the steps are too large; divide the learning rate by 3 to 10, or clip the "
        "gradients (clipnorm: 1.0)",
        "training.optimizer.learning_rate",
    )


def overfitting(curves: Curves) -> Finding | None:
    """The validation loss has risen for as long as it fell, and by much, while the training loss falls."""
    held_out, train = curves.validation, curves.train
    if len(held_out) < 2 * _NEAR or len(train) != len(held_out):
        return None
    best = min(range(len(held_out)), key=held_out.__getitem__)
    low, end = _around(held_out, best), _mean(held_out[-_NEAR:])
    after = held_out[best + 1 :]
    third = len(after) // 3
    learned = max(_fall(held_out), train[0] - train[best])  # what a part of a loss is taken of, if that is below 0
    rises = (
        (low > 0 or min(held_out) < 0 < learned)
        and len(after) >= max(_FEWEST_AFTER_BEST, best + 1)
        and end >= _times(1.1, low, held_out, learned)
        and end - low >= max(0.01 * held_out[0], _RISE * (held_out[0] - low))
        and sum(value > _times(1.03, low, held_out, learned) for value in after) >= 2 * len(after) / 3
        and _mean(after[-third:]) >= _mean(after[-2 * third : -third])
    )
    # Most of a fall to below 0 is that of learning the mean count: what is learned afterwards is a smaller part of it.
    falls_to = 0.9 if min(train) >= 0 else 0.97
    if not rises or _mean(train[-_NEAR:]) > _times(falls_to, _around(train, best), train):
        return None
    # A training that something has ended before its last epoch needs no EarlyStopping.
    stops, key = ("EarlyStopping, ", "training.callbacks") if curves.exhausted else ("", "model")
    return Finding(
        "overfitting",
        f"overfitting: after epoch {best + 1} the validation loss rises from {held_out[best]:.3g} to {end:.3g} while "
        f"the training loss falls from {train[best]:.3g} to {train[-1]:.3g}; use {stops}dropout, weight decay, "
        "a smaller model, or more rows",
        key,
    )


def plateau(curves: Curves) -> Finding | None:
    """Neither loss has moved in the second half of the training, and neither is still falling slowly."""
    losses = [loss for loss in (curves.train, curves.validation) if loss]
    epochs = len(curves.train)
    half = epochs // 2
    if half < 10:
        return None
    for loss in losses:
        fallen = loss[0] - min(loss)
        if fallen <= 0 or max(loss[half:]) - min(loss[half:]) > 0.01 * fallen:
            return None
        if still_learns(loss, _STOPPED):
            return None
    return Finding(
        "plateau",
        f"in the last {epochs - half} of {epochs} epochs no loss changed by more than 1 % of its total fall: fewer "
        "epochs give the same result (EarlyStopping ends the training by itself)",
        "training.epochs",
    )


def still_falling(curves: Curves) -> Finding | None:
    """The epochs ran out while both losses were falling by much."""
    train, held_out = curves.train, curves.validation
    span = max(3, len(train) // 4)
    if not curves.exhausted or len(train) < span + 2 or not _falls(train, span, 0.9):
        return None
    if train[-span - 1] - train[-1] < 0.03 * (train[0] - train[-1]):
        return None  # the end of a long tail: nearly all is learned
    if held_out and (held_out[-1] > min(held_out) or held_out[-1] > _times(0.95, held_out[-span - 1], held_out)):
        return None
    both = f" and the validation loss from {held_out[-span - 1]:.3g} to {held_out[-1]:.3g}" if held_out else ""
    return Finding(
        "still_falling",
        f"the training ended while the model was still learning: in the last {span} epochs the training loss fell from "
        f"{train[-span - 1]:.3g} to {train[-1]:.3g}{both}; use more epochs (`mltrain resume --epochs`) or a larger "
        "learning rate",
        "training.epochs",
    )


def low_learning_rate(curves: Curves) -> Finding | None:
    """The training loss has fallen in every epoch, but hardly at all."""
    loss = curves.train
    if not curves.exhausted or len(loss) < 5 or not _falls(loss, len(loss) - 1, 1.0) or loss[-1] < 0.9 * loss[0]:
        return None  # also that of counts below 0: it does not say how far it could fall
    if loss[-1] > 0.9999 * loss[0]:
        return None  # it has not moved: another fault, or there is nothing to learn
    return Finding(
        "low_learning_rate",
        f"the training loss fell in each of {len(loss)} epochs, but only from {loss[0]:.4g} to {loss[-1]:.4g}: the "
        "steps are too small or too few; use a larger learning rate, or more epochs",
        "training.optimizer.learning_rate",
    )


def still_learns(loss: Sequence[float], by: float = _LEARNS) -> bool:
    """Return whether a loss is lower in the last quarter of the epochs than in the quarter before, by a part of it."""
    quarter = len(loss) // 4
    if not quarter:
        return False
    before, last = _mean(loss[-2 * quarter : -quarter]), _mean(loss[-quarter:])
    return before - last > by * (_fall(loss) if min(loss) < 0 else abs(last))


def _falls(loss: Sequence[float], span: int, to: float) -> bool:
    """Return whether a loss falls in each of the last epochs, and in all below `to` of where they began."""
    last = loss[-span - 1 :]
    low_enough = last[-1] < _times(to, last[0], loss) and (last[-1] > 0 or min(loss) < 0)
    return low_enough and all(now < before for before, now in pairwise(last))


def _times(factor: float, value: float, loss: Sequence[float], learned: float | None = None) -> float:
    """Return a value of a loss, changed by a part of it.

    The Poisson loss of counts may be below 0, and what is a part of it near 0 or below is not a matter of how much is
    learned. Such a loss is changed by that part of what it has fallen, or of what is `learned`.
    """
    if min(loss) >= 0:
        return factor * value
    return value + (factor - 1) * (_fall(loss) if learned is None else learned)


def _fall(loss: Sequence[float]) -> float:
    """Return by how much a loss was below that of its first epoch at best."""
    return loss[0] - min(loss)


def _around(values: Sequence[float], place: int) -> float:
    return _mean(values[max(0, place - 1) : place + 2])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
