"""Rules on the curves of a training: how losses moved from epoch to epoch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mltrain.evaluation.diagnosis.facts import Curves, Finding

# A constant answer has ln C. A net at its start is a little worse, as its outputs are random; three times as much, over
# a whole epoch in which it could have learned better, are outputs that are large: raw inputs, or steps that are.
_FAR_FROM_CHANCE = 3.0

# Epochs that a mean is taken over, so that one of them is no trend.
_NEAR = 3


def first_loss(curves: Curves) -> Finding | None:
    """The loss of the first epoch is far above that of knowing nothing."""
    chance = curves.chance_loss
    if chance is None or not curves.train or curves.train[0] <= _FAR_FROM_CHANCE * chance:
        return None
    return Finding(
        "first_loss",
        f"the training loss of the first epoch is {curves.train[0]:.3g}, and a model that knows nothing has "
        f"{chance:.3g}: its outputs are far too large at the start; scale the inputs, or take a smaller learning rate",
        "data.scale",
    )


def high_learning_rate(curves: Curves) -> Finding | None:
    """The training loss jumps up again and again, or ends above its start."""
    loss = curves.train
    if len(loss) < 3:
        return None
    jumps = [
        epoch
        for epoch in range(1, len(loss))
        if loss[epoch] > 1.5 * min(loss[:epoch])
        and loss[epoch] > 1.3 * loss[epoch - 1]
        and loss[epoch] - min(loss[:epoch]) > 0.1 * loss[0]
    ]
    if len(jumps) >= 2:
        worst = max(jumps, key=lambda epoch: loss[epoch] - loss[epoch - 1])
        seen = f"jumps up {len(jumps)} times, as from {loss[worst - 1]:.3g} to {loss[worst]:.3g} in epoch {worst + 1}"
    elif min(loss[-2:]) > 1.2 * loss[0] > 0:
        seen = f"is {loss[-1]:.3g} in epoch {len(loss)}, above the {loss[0]:.3g} of the first"
    else:
        return None
    return Finding(
        "high_learning_rate",
        f"the training loss {seen}: the steps are too large; divide the learning rate by 3 to 10, or clip the "
        "gradients (clipnorm: 1.0)",
        "training.optimizer.learning_rate",
    )


def overfitting(curves: Curves) -> Finding | None:
    """The validation loss rises for good while the training loss falls."""
    held_out, train = curves.validation, curves.train
    if len(held_out) < 2 * _NEAR or len(train) != len(held_out):
        return None
    best = min(range(len(held_out)), key=held_out.__getitem__)
    low, end = _around(held_out, best), _mean(held_out[-_NEAR:])
    after = held_out[best + 1 :]
    rises = (
        low > 0
        and len(after) >= _NEAR
        and end >= 1.1 * low
        and end - low >= 0.01 * held_out[0]
        and sum(value > 1.03 * low for value in after) >= 2 * len(after) / 3
    )
    if not rises or _mean(train[-_NEAR:]) > 0.9 * _around(train, best):
        return None
    return Finding(
        "overfitting",
        f"overfitting: after epoch {best + 1} the validation loss rises from {held_out[best]:.3g} to {end:.3g} while "
        f"the training loss falls from {train[best]:.3g} to {train[-1]:.3g}: stop there (EarlyStopping), use dropout "
        "or weight decay, a smaller model, or more rows",
        "training.callbacks",
    )


def plateau(curves: Curves) -> Finding | None:
    """Neither loss has moved in the second half of the training."""
    losses = [loss for loss in (curves.train, curves.validation) if loss]
    epochs = len(curves.train)
    half = epochs // 2
    if half < 10:
        return None
    for loss in losses:
        fallen = loss[0] - min(loss)
        if fallen <= 0 or max(loss[half:]) - min(loss[half:]) > 0.01 * fallen:
            return None
    return Finding(
        "plateau",
        f"the last {epochs - half} of {epochs} epochs have changed no loss by more than a hundredth of what it has "
        "fallen: fewer epochs give the same (EarlyStopping ends by itself)",
        "training.epochs",
    )


def still_falling(curves: Curves) -> Finding | None:
    """The epochs ran out while both losses were falling by much."""
    train, held_out = curves.train, curves.validation
    span = max(3, len(train) // 4)
    if not curves.exhausted or len(train) < span + 2 or not _falls(train[-span - 1 :], 0.9):
        return None
    if train[-span - 1] - train[-1] < 0.03 * (train[0] - train[-1]):
        return None  # a tail: nearly all is learned
    if held_out and (held_out[-1] > min(held_out) or held_out[-1] > 0.95 * held_out[-span - 1]):
        return None
    both = f" and the validation loss from {held_out[-span - 1]:.3g} to {held_out[-1]:.3g}" if held_out else ""
    return Finding(
        "still_falling",
        f"the epochs ran out while it was learning: in the last {span} the training loss fell from "
        f"{train[-span - 1]:.3g} to {train[-1]:.3g}{both}; more epochs (`mltrain resume --epochs`) or a larger "
        "learning rate bring more",
        "training.epochs",
    )


def low_learning_rate(curves: Curves) -> Finding | None:
    """The training loss has fallen in every epoch, and by next to nothing."""
    loss = curves.train
    if not curves.exhausted or len(loss) < 5 or not _falls(loss, 1.0) or loss[-1] < 0.9 * loss[0]:
        return None
    if loss[-1] > 0.9999 * loss[0]:
        return None  # it has not moved: another fault, or nothing to learn
    return Finding(
        "low_learning_rate",
        f"the training loss fell in each of {len(loss)} epochs, but only from {loss[0]:.4g} to {loss[-1]:.4g}: the "
        "steps are too small or too few; a larger learning rate, or more epochs",
        "training.optimizer.learning_rate",
    )


def _falls(loss: Sequence[float], to: float) -> bool:
    """Return whether a loss falls in every epoch, and in all below `to` of where it began."""
    return 0 < loss[-1] < to * loss[0] and all(now < before for before, now in pairwise(loss))


def _around(values: Sequence[float], place: int) -> float:
    return _mean(values[max(0, place - 1) : place + 2])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
