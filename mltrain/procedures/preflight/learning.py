"""What is said of the gradients and of the batch that was memorised, or was not. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from keras.optimizers.schedules import LearningRateSchedule

from mltrain.procedures.preflight.one_batch import ENOUGH_STEPS, LAST_STEPS, LEARNED, SECONDS, STEPS, Learned, last_loss
from mltrain.procedures.setup import Setup
from mltrain.report.preflight import CheckLine, Verdict
from mltrain.report.text import duration, number
from mltrain.training.loss_scaling import inner_optimizer
from mltrain.wording import counted, listed

# With fewer parameters for each number that is learned, a network need not be able to memorise a batch.
_PARAMETERS_PER_NUMBER = 4
# Of the first loss: a step or two lower it by so much where anything is learned.
_SOME = 0.95
_MUCH_DROPOUT = 0.4
# If the loss went on to fall as in the second half of the steps, the batch would be memorised after so many halves
# more; where the time was over before all steps were run, also after those that are missing.
_HALVES_MORE = 2
# Of the first loss, or of what is left: regularisation that adds so much is in the way.
_MUCH_ADDED = 0.3
# A step whose loss is so many times the usual one.
_JUMP = 3


def gradients_line(learned: Learned) -> CheckLine:
    """Return whether every weight is learned."""
    silent, weights = learned.batch.without_gradient, learned.weights
    if not weights:
        seen, advice = (
            "the network has no weights that are trained",
            "Add a layer with weights, or train one that is not",
        )
        return CheckLine(check="gradients", verdict="warning", seen=seen, advice=advice)
    # Of one row, batch normalization leaves nothing.
    if not silent or learned.batch.rows == 1:
        seen = "every array of weights gets a gradient" if not silent else "one row is too few to tell"
        return CheckLine(check="gradients", verdict="ok", seen=f"{seen} ({weights})")
    seen = (
        f"{len(silent)} of {counted(weights, 'array')} of weights got no gradient in "
        f"{counted(learned.batch.steps, 'step')}: {listed(silent, 6)}"
    )
    advice = (
        "They are never learned: look for units that are 0 for every row (relu: use leaky_relu, or other first "
        "weights), for inputs that are always 0, and for layers without a derivative"
    )
    return CheckLine(check="gradients", verdict="warning", seen=seen, advice=advice)


def batch_line(setup: Setup, learned: Learned) -> CheckLine:
    """Return whether the batch is memorised, and if not, why."""
    batch = learned.batch
    rows, steps = counted(batch.rows, "row"), counted(batch.steps, "step")
    fell = f"loss {number(batch.first)} → {number(batch.last)} in {steps} on the same {rows}"
    if batch.share <= LEARNED + min(batch.unknowable, LEARNED):
        return CheckLine(check="one batch", verdict="ok", seen=f"memorised: {fell}")
    seen = f"{fell}, {batch.share:.0%} of it is left"
    reasons = "; ".join(_certain(learned))
    if reasons:
        return CheckLine(
            check="one batch", verdict="warning", seen=f"not memorised: {seen}", advice=f"Reason: {reasons}"
        )
    if batch.steps < ENOUGH_STEPS:
        seen += f"; {duration(SECONDS)} are too few steps to see more"
        return CheckLine(check="one batch", verdict="ok" if batch.share < _SOME else "note", seen=seen)
    if _falls(learned):
        return CheckLine(check="one batch", verdict="note", seen=f"{seen}, and it still falls")
    few = learned.parameters <= _PARAMETERS_PER_NUMBER * batch.rows * setup.network.info.output.units
    if few and batch.share < _SOME and learned.better is None:
        seen += f"; {counted(learned.parameters, 'parameter')} cannot memorise {rows}"
        return CheckLine(check="one batch", verdict="ok", seen=seen)
    # Where the time was over before all steps were run, more of them may do what these did not.
    verdict: Verdict = "note" if batch.steps < STEPS and batch.share < _SOME else "warning"
    advice = f"Likely reasons: {'; '.join(_likely(setup, learned))}"
    return CheckLine(check="one batch", verdict=verdict, seen=f"not memorised: {seen}", advice=advice)


def _certain(learned: Learned) -> Iterator[str]:
    """Yield why no more steps could help."""
    batch = learned.batch
    if batch.unknowable > LEARNED:  # a few such rows are usual where columns have few values
        yield (
            f"{batch.contradictory} of the {batch.rows} rows are equal to another one in all inputs and have another "
            f"target, so that {batch.unknowable:.0%} must be left (mltrain audit shows such rows)"
        )
    if not learned.seen.gradients[-1].any():
        yield "no weight has a gradient any more: a relu, or a last layer, gives the same for every row"


def _likely(setup: Setup, learned: Learned) -> Iterator[str]:
    """Yield what may be wrong, the likeliest first."""
    batch, losses, better = learned.batch, learned.seen.of_rows, learned.better
    optimizer = inner_optimizer(setup.network.model)
    rate = float(optimizer.learning_rate)
    stated = "the schedule of the learning rate" if _is_schedule(optimizer) else f"a learning rate of {rate:g}"
    if better is not None:
        size = "small" if better.rate > rate else "large"
        yield f"{stated} is too {size}: with {better.rate:g} only {better.share:.0%} is left"
    added = [float(learned.seen.additions[0]), float(learned.seen.additions[-1])]
    if added[0] > _MUCH_ADDED * abs(batch.first) or added[1] > _MUCH_ADDED * abs(batch.last - batch.smallest):
        yield f"regularisation adds {number(max(added))} to the loss and keeps the weights small: weaken it"
    dropout = max((_dropout(layer) for layer in setup.network.model._flatten_layers()), default=0.0)
    if dropout >= _MUCH_DROPOUT:
        yield f"a dropout of {dropout:g} hides much of each row: lower it"
    if better is None:
        usual = max(float(np.median(losses[len(losses) // 2 :])), 1e-12)
        if batch.share >= 1 or losses[-LAST_STEPS:].max() > _JUMP * usual:
            yield f"the loss rises or jumps: {stated} may be much too large"
        else:
            yield (
                f"the loss falls too slowly: {stated} may be too small, the network too small, the inputs may say "
                "nothing of the target, or one of them is badly scaled (data.scale, data.target.scale)"
            )


def _falls(learned: Learned) -> bool:
    """Return whether the loss of the rows was still falling fast at the end."""
    losses, smallest = learned.seen.of_rows, learned.batch.smallest
    before, last = last_loss(losses[: len(losses) // 2]) - smallest, learned.batch.last - smallest
    halves = _HALVES_MORE + 2 * (STEPS - len(losses)) / len(losses)
    return 0 < last < before and learned.batch.share * (last / before) ** halves <= LEARNED


def _is_schedule(optimizer: object) -> bool:
    return isinstance(getattr(optimizer, "_learning_rate", None), LearningRateSchedule)


def _dropout(layer: object) -> float:
    return float(getattr(layer, "rate", 0.0) or 0.0) if type(layer).__name__.endswith("Dropout") else 0.0
