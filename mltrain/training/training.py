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

from mltrain.errors import DivergedError
from mltrain.problems import path_text
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.training.averaged_model import put_average
from mltrain.training.callback import EpochRules
from mltrain.training.keras_callbacks import KerasCallbacks
from mltrain.training.loop import CompiledSteps
from mltrain.training.loss_scaling import scales_loss
from mltrain.training.progress import Chunks, EpochRecord, Position, epoch_order
from mltrain.training.shared_epochs import MOST_EPOCHS, SharedEpochs
from mltrain.training.signals import Interruption
from mltrain.training.spec import TrainingSpec
from mltrain.training.stage import Stage, Stages, Steps
from mltrain.training.stochastic_weight_averaging import RunningAverage
from mltrain.training.trained_model import TrainedModel
from mltrain.training.validation import of_split
from mltrain.training.weights import averaged_weights, put_weights

Progress = Callable[[int, int, int, float], None]


@dataclass(frozen=True)
class BestWeights:
    """The weights of the best epoch so far.

    Attributes:
        epoch: the best.
        weights: as `take_weights`.
    """

    epoch: int
    weights: Mapping[str, np.ndarray]


class Training:
    """Trains stage by stage and epoch by epoch.

    Args:
        spec: shuffling, callbacks of Keras.
        stages: the parts of it; a training without stages is one.
        interruption: asked between two chunks of steps.
        stopwatch: notes where the time goes.
    """

    def __init__(
        self, spec: TrainingSpec, stages: Stages, interruption: Interruption, stopwatch: NoStopwatch = NO_STOPWATCH
    ) -> None:
        self.spec = spec
        self.model = stages.model
        self.best: float | None = None
        self.position = Position()
        self.trained = TrainedModel(stages.model)
        # What keeps the training on disk sets these.
        self.best_weights: Callable[[], BestWeights | None] = lambda: None
        self.stage_begun: Callable[[], None] = lambda: None
        self._stages = stages
        self._stage = stages.begin(0, None)
        self._made: Steps | None = None
        self._interruption = interruption
        self._stopwatch = stopwatch
        self._theirs = KerasCallbacks(spec, self.model, stages.steps_of_epoch, stopwatch)

    @property
    def rules(self) -> EpochRules:
        """What decides after each epoch."""
        return self._stage.rules

    @property
    def steps_of_epoch(self) -> int:
        """Updates of the weights in an epoch."""
        return self._stages.steps_of_epoch

    def epochs(self, progress: Progress, say: Callable[[str], None] = lambda sentence: None) -> Iterator[EpochRecord]:
        """Train; yield a record after each epoch.

        Args:
            progress: called after each chunk with the epoch, its steps that are done, all of its steps, and the loss
                so far.
            say: called with a sentence where a stage begins.

        Raises:
            DivergedError: the loss, a metric or a prediction is NaN or infinite.
            InterruptedRunError: a signal came; the epoch that it came in is not recorded.
        """
        self.model.stop_training = False
        self._theirs.training_begins()
        self._share_state()
        while True:
            if self._epochs_left():
                if self._stage.words:
                    say(self._stage.words)
                yield from self._epochs_of_stage(progress)
            if self.position.stopped is not None or self.position.stage + 1 >= self._stages.count:
                break
            self._next_stage(say)
        self._theirs.training_ended()

    def _epochs_of_stage(self, progress: Progress) -> Iterator[EpochRecord]:
        if self._steps.shared is not None and self._undisturbed():
            yield from self._shared_epochs(self._steps.shared)
        else:
            yield from self._single_epochs(progress)

    def _next_stage(self, say: Callable[[str], None]) -> None:
        """Begin the stage behind the one that has ended."""
        number, position = self.position.stage + 1, self.position
        steps, best = self.step, self.best_weights()
        weights: Mapping[str, np.ndarray] = self.trained.weights()
        self._begin(number, self._stage)
        if self._stage.with_best and best is not None and best.epoch != position.epoch - 1:
            weights = best.weights
            say(f"stage {number + 1} begins with the weights of epoch {best.epoch}, the best so far")
        put_weights(self.model, weights, f"the stage before stage {number + 1}")
        self.position = Position(epoch=position.epoch, stage=number, first_epoch=position.epoch, steps_before=steps)
        self.stage_begun()
        self._share_state()

    def _share_state(self) -> None:
        """Give the other workers the variables and the optimizer of the stage under way."""
        self._stages.leading.stage(self.position.stage, self.model)

    def _begin(self, number: int, before: Stage | None) -> None:
        self._stage, self._made = self._stages.begin(number, before), None
        self.trained.stands_at_the_end()

    @property
    def _steps(self) -> Steps:
        """How the stage is trained; made when it is needed, as it may take long."""
        if self._made is None:
            self._made = self._stages.steps(self.position.stage)
        return self._made

    @property
    def loop(self) -> CompiledSteps:
        """The steps of the stage under way; made when they are first asked for."""
        return self._steps.loop

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
            self.position = self.position.in_epoch(epoch, self.steps_of_epoch, seconds, logs)
            measured = of_split("train", logs)
            with self._stopwatch.phase("validation"), averaged_weights(self.model):
                measured |= self._validate(epoch)
            with self._stopwatch.phase("callbacks"):
                record = self._finish(epoch, measured, time.perf_counter() - started)
            self.position = self.position.after(epoch, record.stop, record.ended)
            yield record
            if record.stop or record.ended:
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
                if number < count:
                    self.trained.is_ahead(count - number, end.weights)
                else:
                    self.trained.stands_at_the_end()
                measured = of_split("train", end.logs)
                self.refuse_divergence(epoch, measured)
                with self._stopwatch.phase("callbacks"):
                    record = self._finish(epoch, measured, seconds / count)
                self.position = self.position.after(epoch, record.stop, record.ended)
                yield record
            self._interruption.raise_if_received()

    def _epochs_left(self) -> range:
        position, ended = self.position, self.position.stopped or self.position.ended
        return range(position.epoch, 0 if ended else position.first_epoch + self._stage.epochs)

    def _order(self, epoch: int) -> np.ndarray:
        return epoch_order(self.loop.rows, self._steps.seed, epoch, self.spec.shuffle)

    def _undisturbed(self) -> bool:
        """Return whether nothing happens between two epochs but what our own callbacks decide."""
        return not (
            self._steps.validation is not None
            or self.rules.stop_when is not None
            or self._theirs
            or self._steps.every is not None
            or self.position.step
            or self.trained.averages
            or scales_loss(self.model)  # a step may be left out, so that updates are not counted by epochs
        )

    @property
    def step(self) -> int:
        """Updates of the weights up to the last recorded epoch, or so far in the one under way."""
        return self.position.steps_before + self.trained.step

    def _steps_of_epoch(self, epoch: int, chunks: Chunks, progress: Progress, started: float) -> None:
        first, loop = self.position.step, self.loop
        self._stages.leading.epoch(epoch)
        self._theirs.epoch_begins(epoch, first)
        for done in loop.epoch(self._order(epoch), chunks, first, self._steps.every):
            self._theirs.step_ended(done, loop.metrics)
            logs = loop.metrics()
            self.refuse_divergence(epoch, of_split("train", logs))
            self.position = self.position.in_epoch(epoch, done, time.perf_counter() - started)
            progress(epoch, done, loop.steps, logs["loss"])
            self._interruption.raise_if_received()
            if self.model.stop_training and done < loop.steps:
                break

    def _validate(self, epoch: int) -> dict[str, float]:
        validation = self._steps.validation
        if validation is None:
            return {}
        self._theirs.validation_begins()
        refuse = partial(self.refuse_divergence, epoch)
        logs, measured = validation.run(self._interruption.raise_if_received, refuse)
        self._theirs.validation_ended(logs)
        return measured

    def _finish(self, epoch: int, measured: dict[str, float], seconds: float) -> EpochRecord:
        learning_rate = self.trained.learning_rate
        objective = self.rules.objective
        improved = objective.better(measured[objective.metric], self.best)
        if improved:
            self.best = measured[objective.metric]
        number, count = self.position.stage + 1, self._stages.count
        stops: list[str] = []
        ends: list[str] = []
        notes: list[str] = []
        for consequence in self.rules.epoch_ended(epoch, measured, learning_rate):
            if not self.trained.settled and (consequence.stop or consequence.learning_rate is not None):
                raise RuntimeError(f"a callback acts in epoch {epoch}, before `epochs_until_asked` said: {consequence}")
            if consequence.learning_rate is not None:
                self.model.optimizer.learning_rate = consequence.learning_rate
            if consequence.stop:
                (ends if consequence.of_stage and number < count else stops).append(consequence.stop)
            notes += [consequence.note] if consequence.note else []
        for callback in self.rules.callbacks:
            callback.take_weights(epoch, self.trained.weights)
        self._theirs.epoch_ended(epoch, measured)
        if self.model.stop_training:
            stops.append("a Keras callback stopped the training")
        stop, ended = "; ".join(stops) or None, "; ".join(ends) or None
        if ended and not stop:
            notes.append(f"stage {number} of {count} ends: {ended}")
        return EpochRecord(
            epoch=epoch,
            measured=measured,
            learning_rate=learning_rate,
            seconds=seconds,
            improved=improved,
            stop=stop,
            notes=tuple(notes),
            kept=self.rules.keeps(epoch),
            stage=number if count > 1 else None,
            ended=None if stop else ended,
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
        feed = self._stages.feed
        put_average(self.model, average.mean, feed, self.spec.rows_of_batch(feed.rows), between)

    def state(self) -> dict[str, Any]:
        """Return what has to be kept beside the variables to go on exactly, as JSON can hold it."""
        return {
            "position": asdict(self.position),
            "best": self.best,
            "callbacks": [callback.state() for callback in self.rules.callbacks],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        position = Position(**state["position"])
        if position.stage != self.position.stage:
            self._begin(position.stage, None)
        self.position = position
        self.trained.stands_at_the_end()
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
                where = f"epoch {epoch} (step {self.step}, learning rate {self.trained.learning_rate:g})"
                key = path_text(self.spec.path_of_rate(self.position.stage))
                raise DivergedError(
                    f"training diverged: {what} is {value} in {where}; try a smaller {key}, or clipnorm: 1.0"
                )
