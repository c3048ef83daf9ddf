"""Does the network memorise one batch? Every network of enough weights can: where it does not, something is wrong
with the learning rate, the targets, the regularisation or the layers, and a whole training would end no better.

The network is put back to its first weights afterwards. Imports TensorFlow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from keras.optimizers.schedules import LearningRateSchedule

from mltrain.errors import DivergedError
from mltrain.procedures.preflight.rows import TrainingRows, form_of_targets
from mltrain.procedures.setup import Setup
from mltrain.report.preflight import OneBatch
from mltrain.training.loss_scaling import inner_optimizer
from mltrain.training.progress import epoch_order
from mltrain.training.reference_outputs import constant_outputs, knowing_outputs
from mltrain.training.repeated_batch import RepeatedBatch, SeenSteps
from mltrain.training.state import put_state, take_state

ROWS = 32
# What is left of the first loss where the batch is memorised.
LEARNED = 0.1
# Steps that are run at most, and seconds of a processor, with another learning rate too. A network of a few weights may
# need thousands of steps, of a fraction of a millisecond each; one of millions learns 32 rows in less than a hundred.
STEPS, SECONDS, _SECONDS_AGAIN = 3_000, 1.2, 0.6
# Where others use the processors, too, or a GPU computes, the clock runs faster: so many times at most.
_BUSY = 5
# Steps in one call; after each it is asked whether the batch is known.
_AT_ONCE = 64
# Fewer steps say nothing.
ENOUGH_STEPS = 200
# With dropout the loss goes up and down: the middle of so many steps counts.
LAST_STEPS = 10
# Of the first loss: where chance has no more, all rows have one target.
_NOTHING = 1e-6


@dataclass(frozen=True)
class OtherRate:
    """A learning rate with which the batch is memorised.

    Attributes:
        rate: it.
        share: what is left of the first loss.
    """

    rate: float
    share: float


@dataclass(frozen=True)
class Learned:
    """What became of it.

    Attributes:
        batch: the numbers.
        seen: all steps.
        weights: the number of arrays of weights that are trained.
        parameters: the numbers in them.
        better: a learning rate that was better, where the stated one was not good enough.
    """

    batch: OneBatch
    seen: SeenSteps
    weights: int
    parameters: int
    better: OtherRate | None


def learn_one_batch(setup: Setup, between: Callable[[], None]) -> Learned:
    """Train the network on one batch, and put it back.

    Args:
        setup: with the first weights in the network.
        between: called between two calls of the compiled steps; it may raise, to stop.

    Raises:
        DivergedError: the loss or a gradient became NaN or infinite.
    """
    model, training = setup.network.model, setup.spec.training
    trained, before = list(model.trainable_variables), take_state(model)
    rows = len(setup.prepared.examples["train"].rows)
    batch = TrainingRows.of(setup, epoch_order(rows, setup.spec.seed, 1, training.shuffle)[:ROWS])
    steps = RepeatedBatch(model, batch.arrays, setup.acceleration, setup.network.plain_step)
    trial = _Trial(steps, _bounds(setup, batch), between)
    better = None
    try:
        seen = trial.run(SECONDS)
        if not trial.is_memorised(seen) and len(seen.losses) >= ENOUGH_STEPS:
            better = _better_rate(setup, trial, before)
    finally:
        put_state(model, before, "the first weights")
    silent = np.flatnonzero(~(seen.gradients > 0).any(axis=0))
    numbers = OneBatch(
        rows=len(batch.targets),
        steps=len(seen.losses),
        first=float(seen.of_rows[0]),
        last=trial.last(seen),
        chance=trial.bounds.chance if math.isfinite(trial.bounds.chance) else None,
        smallest=trial.bounds.smallest,
        share=trial.share(seen),
        unknowable=trial.unknowable(seen),
        contradictory=sum(len(places) for places in batch.contradictory),
        without_gradient=tuple(trained[number].path for number in silent),
    )
    return Learned(numbers, seen, len(trained), sum(math.prod(each.shape) for each in trained), better)


@dataclass(frozen=True)
class _Bounds:
    """Losses of the rows of a batch.

    Attributes:
        smallest: about the smallest that there can be.
        chance: of an answer that is the same for all of them.
        of_inputs: the smallest that there can be where equal inputs have equal answers.
    """

    smallest: float
    chance: float
    of_inputs: float


def last_loss(losses: np.ndarray) -> float:
    """Return the middle of the last few of some losses (steps,)."""
    return float(np.median(losses[-min(LAST_STEPS, 1 + len(losses) // 4) :]))


class _Trial:
    """Runs steps until the batch is memorised, or the time is over.

    Args:
        steps: on the batch.
        bounds: of its loss.
        between: as for `learn_one_batch`.
    """

    def __init__(self, steps: RepeatedBatch, bounds: _Bounds, between: Callable[[], None]) -> None:
        steps.run(0)  # so that compiling is not in the time
        self._steps = steps
        self.bounds = bounds
        self._between = between

    def run(self, seconds: float) -> SeenSteps:
        """Return the steps, at least one."""
        parts: list[SeenSteps] = []
        began, by_the_clock, count = time.process_time(), time.perf_counter(), 1
        while True:
            parts.append(self._steps.run(count))
            seen, used = _joined(parts), time.process_time() - began
            done = len(seen.losses)
            _refuse_divergence(parts[-1], done - count)
            self._between()
            over = used >= seconds or time.perf_counter() - by_the_clock >= _BUSY * seconds
            if done >= STEPS or over or self.is_memorised(seen, LEARNED / 2):
                return seen
            count = max(1, min(_AT_ONCE, 4 * count, STEPS - done, int((seconds - used) * done / max(used, 1e-6))))

    def last(self, seen: SeenSteps) -> float:
        """Return the loss of the rows in the last steps."""
        return last_loss(seen.of_rows)

    def share(self, seen: SeenSteps) -> float:
        """Return what is left of the loss: of that of chance, or of the first where that is smaller.

        A network that has only found the mean of a target has lowered its first loss, and knows no row. Where all rows
        have one target, there is nothing else to know.
        """
        return self._part(self.last(seen), seen)

    def unknowable(self, seen: SeenSteps) -> float:
        """Return how much must be left, as rows contradict each other."""
        return self._part(self.bounds.of_inputs, seen) if math.isfinite(self.bounds.of_inputs) else 0.0

    def is_memorised(self, seen: SeenSteps, at_most: float = LEARNED) -> bool:
        """Return whether no more is left than `at_most`, and what must be."""
        return self.share(seen) <= at_most + self.unknowable(seen)

    def _part(self, loss: float, seen: SeenSteps) -> float:
        smallest, first = self.bounds.smallest, float(seen.of_rows[0])
        whole = first - smallest
        if self.bounds.chance - smallest > _NOTHING * abs(whole):
            whole = min(whole, self.bounds.chance - smallest)
        return max(0.0, loss - smallest) / whole if whole > 0 else 0.0


def _joined(parts: Sequence[SeenSteps]) -> SeenSteps:
    return SeenSteps(
        np.concatenate([each.losses for each in parts]),
        np.concatenate([each.additions for each in parts]),
        np.concatenate([each.gradients for each in parts]),
    )


def _refuse_divergence(seen: SeenSteps, done_before: int) -> None:
    """Raise where the loss or a gradient is not finite.

    Raises:
        DivergedError: it says the step.
    """
    for what, values in (("the loss", seen.losses), ("a gradient", seen.gradients.max(axis=1, initial=0.0))):
        wrong = ~np.isfinite(values)
        if wrong.any():
            step = done_before + int(wrong.argmax()) + 1
            raise DivergedError(
                f"training diverged: {what} of one batch, which is learned again and again, is {values[wrong][0]} in "
                f"step {step}; try a smaller training.optimizer.learning_rate, or clipnorm: 1.0"
            )


def _bounds(setup: Setup, batch: TrainingRows) -> _Bounds:
    """Return what the loss of the rows can be, and what it is without any knowledge."""
    form, logits, info = form_of_targets(setup), setup.network.head.logits, setup.network.info
    knowing = {batch.loss(setup, each): each for each in knowing_outputs(batch.targets, info, form, logits=logits)}
    smallest = min(filter(math.isfinite, knowing), default=0.0)

    def constant(places: np.ndarray) -> np.ndarray:
        weights = None if batch.weights is None else batch.weights[places]
        return constant_outputs(batch.targets[places], info, form, logits=logits, weights=weights)

    chance = batch.loss(setup, constant(np.arange(len(batch.targets))))
    of_inputs = smallest
    if batch.contradictory and smallest in knowing:
        answers = knowing[smallest].copy()
        for places in batch.contradictory:
            answers[places] = constant(places)
        of_inputs = batch.loss(setup, answers)
    return _Bounds(smallest, chance if math.isfinite(chance) else math.inf, of_inputs)


def _better_rate(setup: Setup, trial: _Trial, before: Mapping[str, np.ndarray]) -> OtherRate | None:
    """Return a learning rate, ten times as large or as small, with which the batch is memorised; None where
    neither is, or the rate is a schedule."""
    model, optimizer = setup.network.model, inner_optimizer(setup.network.model)
    if isinstance(optimizer._learning_rate, LearningRateSchedule):
        return None
    stated = float(optimizer.learning_rate)
    found: list[OtherRate] = []
    for rate in (stated / 10, stated * 10):
        put_state(model, before, "the first weights")
        optimizer.learning_rate = rate
        try:
            found.append(OtherRate(rate, trial.share(trial.run(_SECONDS_AGAIN))))
        except DivergedError:
            continue
    return min((each for each in found if each.share <= LEARNED), key=lambda each: each.share, default=None)
