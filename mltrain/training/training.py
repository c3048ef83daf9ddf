"""One training, epoch by epoch: the loop yields a record of each, and whoever consumes them writes, prints and keeps.

Imports TensorFlow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from mltrain.errors import DivergedError
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.training.averaged_model import put_average
from mltrain.training.callback import EpochRules
from mltrain.training.keras_callbacks import KerasCallbacks
from mltrain.training.loop import CompiledSteps
from mltrain.training.loss_scaling import inner_optimizer, scales_loss
from mltrain.training.progress import Chunks, EpochRecord, Position, epoch_order
from mltrain.training.shared_epochs import MOST_EPOCHS, SharedEpochs
from mltrain.training.signals import Interruption
from mltrain.training.spec import TrainingSpec
from mltrain.training.stochastic_weight_averaging import RunningAverage
from mltrain.training.validation import Validation, of_split
from mltrain.training.weights import averaged_weights, by_place, take_weights

Progress = Callable[[int, int, int, float], None]


@dataclass(frozen=True)
class Steps:
    """How an epoch is trained.

    Attributes:
        loop: over the training rows.
        seed: of the experiment, for the order of the rows.
        every: a chunk ends at each multiple of so many steps of the training, for checkpoints; None where it need not.
        shared: runs several epochs of `loop` in one call; None where each has its own.
    """

    loop: CompiledSteps
    seed: int
    every: int | None = None
    shared: SharedEpochs | None = None


class Training:
    """Trains epoch by epoch.

    Args:
        spec: epochs, shuffling, callbacks of Keras.
        steps: how an epoch is trained.
        rules: what decides after each epoch.
        validation: of the validation rows, or None.
        interruption: asked between two chunks of steps.
        stopwatch: notes where the time goes.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        steps: Steps,
        rules: EpochRules,
        validation: Validation | None,
        interruption: Interruption,
        stopwatch: NoStopwatch = NO_STOPWATCH,
    ) -> None:
        self.spec = spec
        self.loop = steps.loop
        self.model = steps.loop.model
        self.best: float | None = None
        self.position = Position()
        self._steps = steps
        self.rules = rules
        self._validation = validation
        self._interruption = interruption
        self._stopwatch = stopwatch
        self._theirs = KerasCallbacks(spec, self.model, self.loop.steps, stopwatch)
        # How many steps the variables are ahead of the last recorded epoch, and the weights that it ended with.
        self._ahead: tuple[int, tuple[np.ndarray, ...]] | None = None

    def epochs(self, progress: Progress) -> Iterator[EpochRecord]:
        """Train; yield a record after each epoch.

        Args:
            progress: called after each chunk with the epoch, its steps that are done, all of its steps, and the loss
                so far.

        Raises:
            DivergedError: the loss, a metric or a prediction is NaN or infinite.
            InterruptedRunError: a signal came; the epoch that it came in is not recorded.
        """
        self.model.stop_training = False
        self._theirs.training_begins()
        if self._steps.shared is not None and self._undisturbed():
            yield from self._shared_epochs(self._steps.shared)
        else:
            yield from self._single_epochs(progress)
        self._theirs.training_ended()

    def _single_epochs(self, progress: Progress) -> Iterator[EpochRecord]:
        # Chunks adapt over the whole training; a Keras callback that hooks into every step gets single steps.
        chunks = Chunks(0.0 if self._theirs.hook_into_steps else 0.15)
        with self._stopwatch.phase("tracing"):
            self.loop.trace()
        for epoch in self._epochs_left():
            started = time.perf_counter() - self.position.seconds
            with self._stopwatch.phase("steps"):
                if self.position.logs is None:
                    self._steps_of_epoch(epoch, chunks, progress, started)
                logs = self.position.logs or self.loop.metrics()
            seconds = time.perf_counter() - started
            self.position = Position(epoch, self.loop.steps, seconds, logs)
            measured = of_split("train", logs)
            with self._stopwatch.phase("validation"), averaged_weights(self.model):
                measured |= self._validate(epoch)
            with self._stopwatch.phase("callbacks"):
                record = self._finish(epoch, measured, time.perf_counter() - started)
            self.position = Position(epoch + 1, stopped=record.stop)
            yield record
            if record.stop:
                return
            self._interruption.raise_if_received()

    def _shared_epochs(self, shared: SharedEpochs) -> Iterator[EpochRecord]:
        """Train with as many epochs in a call as end before something may be decided."""
        chunks = Chunks()
        with self._stopwatch.phase("tracing"):
            shared.trace()
        while epochs := self._epochs_left():
            count = chunks.next(min(len(epochs), self.rules.epochs_until_asked(), MOST_EPOCHS))
            started = time.perf_counter()
            with self._stopwatch.phase("steps"):
                ended = shared.run([self._order(epoch) for epoch in epochs[:count]])
            seconds = time.perf_counter() - started
            chunks.took(count, seconds)
            for number, (epoch, end) in enumerate(zip(epochs, ended, strict=False), start=1):
                # The variables are those of the last of them until it is reached.
                self._ahead = (count - number, end.weights) if number < count else None
                measured = of_split("train", end.logs)
                self.refuse_divergence(epoch, measured)
                with self._stopwatch.phase("callbacks"):
                    record = self._finish(epoch, measured, seconds / count)
                self.position = Position(epoch + 1, stopped=record.stop)
                yield record
            self._interruption.raise_if_received()

    def _epochs_left(self) -> range:
        return range(self.position.epoch, self.spec.most_epochs + 1 if self.position.stopped is None else 0)

    def _order(self, epoch: int) -> np.ndarray:
        return epoch_order(self.loop.rows, self._steps.seed, epoch, self.spec.shuffle)

    def _undisturbed(self) -> bool:
        """Return whether nothing happens between two epochs but what our own callbacks decide."""
        return not (
            self._validation is not None
            or self.rules.stop_when is not None
            or self._theirs
            or self._steps.every is not None
            or self.position.step
            or inner_optimizer(self.model).use_ema
            or scales_loss(self.model)  # a step may be left out, so that updates are not counted by epochs
        )

    @property
    def settled(self) -> bool:
        """Whether the variables are those that the last recorded epoch ended with: only then can a state be kept."""
        return self._ahead is None

    @property
    def step(self) -> int:
        """Updates of the weights up to the last recorded epoch, or so far in the one under way."""
        return int(self.model.optimizer.iterations.numpy()) - (self._ahead[0] if self._ahead else 0)

    @property
    def learning_rate(self) -> float:
        """That of the step after `step`."""
        optimizer = inner_optimizer(self.model)
        if self._ahead is None or not isinstance(optimizer._learning_rate, LearningRateSchedule):
            return float(optimizer.learning_rate)
        return float(optimizer._learning_rate(ops.convert_to_tensor(self.step, optimizer.iterations.dtype)))

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights that the last recorded epoch ended with, as `take_weights`."""
        if self._ahead is not None:
            return by_place(self._ahead[1])
        with averaged_weights(self.model):
            return take_weights(self.model)

    def _steps_of_epoch(self, epoch: int, chunks: Chunks, progress: Progress, started: float) -> None:
        first = self.position.step
        self._theirs.epoch_begins(epoch, first)
        for done in self.loop.epoch(self._order(epoch), chunks, first, self._steps.every):
            self._theirs.step_ended(done, self.loop.metrics)
            logs = self.loop.metrics()
            self.refuse_divergence(epoch, of_split("train", logs))
            self.position = Position(epoch, done, time.perf_counter() - started)
            progress(epoch, done, self.loop.steps, logs["loss"])
            self._interruption.raise_if_received()
            if self.model.stop_training and done < self.loop.steps:
                break

    def _validate(self, epoch: int) -> dict[str, float]:
        if self._validation is None:
            return {}
        self._theirs.validation_begins()
        refuse = partial(self.refuse_divergence, epoch)
        logs, measured = self._validation.run(self._interruption.raise_if_received, refuse)
        self._theirs.validation_ended(logs)
        return measured

    def _finish(self, epoch: int, measured: dict[str, float], seconds: float) -> EpochRecord:
        learning_rate = self.learning_rate
        objective = self.rules.objective
        improved = objective.better(measured[objective.metric], self.best)
        if improved:
            self.best = measured[objective.metric]
        stops, notes = [], []
        for consequence in self.rules.epoch_ended(epoch, measured, learning_rate):
            if not self.settled and (consequence.stop or consequence.learning_rate is not None):
                raise RuntimeError(f"a callback acts in epoch {epoch}, before `epochs_until_asked` said: {consequence}")
            if consequence.learning_rate is not None:
                self.model.optimizer.learning_rate = consequence.learning_rate
            stops += [consequence.stop] if consequence.stop else []
            notes += [consequence.note] if consequence.note else []
        for callback in self.rules.callbacks:
            callback.take_weights(epoch, self.weights)
        self._theirs.epoch_ended(epoch, measured)
        if self.model.stop_training:
            stops.append("a Keras callback stopped the training")
        stop = "; ".join(stops) or None
        return EpochRecord(
            epoch, measured, learning_rate, seconds, improved, stop, tuple(notes), self.rules.keeps(epoch)
        )

    @property
    def average(self) -> RunningAverage | None:
        """The mean of weights that becomes the model of the run; None where that is another, or no epoch is in it."""
        return next((each for each in self.rules.callbacks if isinstance(each, RunningAverage) and each.count), None)

    def put_average(self, average: RunningAverage) -> None:
        """Give the model averaged weights, and statistics of batch normalization that fit them.

        Raises:
            InterruptedRunError: a signal came.
        """
        between = self._interruption.raise_if_received
        rows = self.spec.rows_of_batch(self.loop.rows)
        put_average(self.model, average.mean, self.loop.feed, rows, between)

    def reduce_learning_rate(self, factor: float) -> float:
        """Multiply the learning rate, which must be a number and not a schedule, and return the new one."""
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(optimizer.learning_rate) * factor
        return float(optimizer.learning_rate)

    def state(self) -> dict[str, Any]:
        """Return what has to be kept beside the variables to go on exactly, as JSON can hold it."""
        return {
            "position": asdict(self.position),
            "best": self.best,
            "callbacks": [callback.state() for callback in self.rules.callbacks],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.position, self._ahead = Position(**state["position"]), None
        self.best = state["best"]
        for callback, kept in zip(self.rules.callbacks, state["callbacks"], strict=True):
            callback.restore(kept)

    def continue_beyond_stop(self) -> tuple[str, ...]:
        """Let the training continue where something had ended it; return a sentence for each thing that had."""
        stopped = self.position.stopped
        if stopped is None:
            return ()
        self.position = replace(self.position, stopped=None)
        again = [sentence for callback in self.rules.callbacks if (sentence := callback.continue_beyond_stop())]
        return (f"the training had ended ({stopped}) and continues", *again)

    def refuse_divergence(self, epoch: int, values: Mapping[str, float]) -> None:
        """Raise where one of `values`, by what they are, is not finite.

        Raises:
            DivergedError: it says which, the epoch, the step and the learning rate.
        """
        for what, value in values.items():
            if not math.isfinite(value):
                where = f"epoch {epoch} (step {self.step}, learning rate {self.learning_rate:g})"
                raise DivergedError(
                    f"training diverged: {what} is {value} in {where}; "
                    "try a smaller training.optimizer.learning_rate, or clipnorm: 1.0"
                )
