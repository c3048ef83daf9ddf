"""Training the network of an experiment, and writing down each epoch as it ends. Imports TensorFlow."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.errors import DivergedError, InterruptedRunError
from mltrain.evaluation.metrics import measure
from mltrain.procedures.changed_settings import FormerTraining
from mltrain.procedures.checkpoints import Checkpoints, Saved, newest_valid
from mltrain.procedures.decision import check_both_classes
from mltrain.procedures.diagnosing import Watch, chance_loss
from mltrain.procedures.network import Network
from mltrain.procedures.plan import AVERAGING, FinalWeights, Plan
from mltrain.report.terminal import Terminal
from mltrain.run.history import History
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import status
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.training.acceleration import Acceleration
from mltrain.training.callback import EpochRules
from mltrain.training.class_weights import row_weights
from mltrain.training.feed import ResidentFeed
from mltrain.training.loop import CompiledSteps
from mltrain.training.progress import EpochRecord
from mltrain.training.shared_epochs import SharedEpochs
from mltrain.training.signals import Interruption
from mltrain.training.spec import Cadence, OnDivergence
from mltrain.training.training import Steps, Training
from mltrain.training.validation import Validation
from mltrain.training.weights import put_weights


@dataclass(frozen=True)
class Fitted:
    """How the training ended; the network holds the model of the run.

    Attributes:
        weights: which the model of the run has.
        averaged: the number of epochs in the mean; 0 where the weights are those of one epoch.
        epoch: whose weights the model of the run has, or the last of those that are averaged.
        last_epoch: the last that was trained.
        steps: updates of the weights.
        stopped: why training ended.
        best: the objective's value in the best epoch; None when it never was a number.
        exhausted: whether all epochs were trained, and nothing has ended the training before.
    """

    weights: FinalWeights
    averaged: int
    epoch: int
    last_epoch: int
    steps: int
    stopped: str
    best: float | None
    exhausted: bool


@dataclass(frozen=True)
class Ready:
    """A training that can begin, or continue: everything is read, and nothing is written.

    Attributes:
        training: at its first step, or where its checkpoint was written.
        checkpoints: of the run.
        history: of the checkpoint; None where the training begins.
        adapted: whether the checkpoint was written with other settings.
        notes: what the user should know, a sentence each.
    """

    training: Training
    checkpoints: Checkpoints
    history: History | None
    adapted: bool
    notes: tuple[str, ...]

    def write_first_files(self, run: LockedRun) -> None:
        """Write what a training that continues needs; one that begins writes its first checkpoint itself."""
        if self.history is not None:
            run.rewrite_history(self.history)
        if self.adapted:
            self.checkpoints.write_adapted()


def get_ready(
    network: Network,
    prepared: Prepared,
    plan: Plan,
    acceleration: Acceleration,
    run: LockedRun,
    interruption: Interruption,
    stopwatch: NoStopwatch = NO_STOPWATCH,
    saved: Saved | None = None,
    former: FormerTraining | None = None,
) -> Ready:
    """Return the training of a network, at its start or where a checkpoint was written. Nothing is written.

    Raises:
        MisfitError: a threshold must be chosen, and the validation rows are of one class.
        RunError: the checkpoint does not fit.
    """
    check_both_classes(network.spec.evaluation, prepared)
    with stopwatch.phase("building the model"):
        training = _training(network, prepared, plan, acceleration, interruption, stopwatch)
    checkpoints = Checkpoints(run, network.spec.training.checkpoint, training)
    if saved is None or former is None:
        return Ready(training, checkpoints, None, False, ())
    with stopwatch.phase("checkpoints"):
        history = checkpoints.restore(former.adapted(saved, network.model, plan))
    notes = training.continue_after_stop() if former.longer else ()
    return Ready(training, checkpoints, history, former.changed, notes)


def fit(
    ready: Ready,
    network: Network,
    plan: Plan,
    run: LockedRun,
    terminal: Terminal,
    interruption: Interruption,
    stopwatch: NoStopwatch = NO_STOPWATCH,
) -> Fitted:
    """Train to the end; append each epoch to the history, show it, and keep what is needed.

    Raises:
        DivergedError: loss, metrics or weights are NaN or infinite, and no retry is left; what was good is kept.
        InterruptedRunError: a signal came; a checkpoint of where it came is written.
    """
    spec, training, checkpoints = network.spec.training, ready.training, ready.checkpoints
    watch = Watch(run.history(), spec.epochs, chance_loss(network))
    try:
        with interruption.deferred(), terminal.training(spec.epochs, training.loop.steps):
            if ready.history is None:
                with stopwatch.phase("checkpoints"):
                    checkpoints.write()  # of step 0: whatever happens from now on can be resumed
            while True:
                try:
                    stopped = _epochs(training, checkpoints, run, terminal, watch, stopwatch)
                    break
                except DivergedError as error:
                    _retry(error, training, checkpoints, run, terminal, spec.on_divergence)
            with stopwatch.phase("checkpoints"):
                checkpoints.finish()
    except InterruptedRunError as error:
        checkpoints.write()
        kept = f"kept up to step {checkpoints.step}; `mltrain resume {run.path}` continues from there"
        raise InterruptedRunError(f"{error}: {kept}", error.exit_code - 128) from error
    finally:
        run.write_status(status("running", "training", epoch=checkpoints.last_epoch, step=checkpoints.step))
    epoch, weights, average = checkpoints.last_epoch, plan.final, training.average
    if average is not None:
        with stopwatch.phase("steps"):
            training.put_average(average)
        checkpoints.write_average()
    elif plan.final == "average":
        weights = "last"
        terminal.warning(
            f"training ended before the first epoch of {AVERAGING}: the last weights are the model of the run"
        )
    elif plan.final == "best" and checkpoints.best_epoch:
        put_weights(network.model, checkpoints.best, "the best epoch")
        epoch = checkpoints.best_epoch
    else:
        # With moving averages the averaged weights are the model of the run, as they are what was validated.
        network.model.optimizer.finalize_variable_values(network.model.trainable_variables)
    exhausted = training.position.stopped is None
    averaged = average.count if average is not None else 0
    return Fitted(weights, averaged, epoch, checkpoints.last_epoch, checkpoints.step, stopped, training.best, exhausted)


def _epochs(
    training: Training,
    checkpoints: Checkpoints,
    run: LockedRun,
    terminal: Terminal,
    watch: Watch,
    stopwatch: NoStopwatch,
) -> str:
    """Train to the end, write down each epoch, and return why training ended."""

    progress = Progress(run, checkpoints)

    def chunk_ended(epoch: int, done: int, steps: int, loss: float) -> None:
        with stopwatch.phase("history and terminal"):
            terminal.steps(epoch, done, steps, loss)
            progress.write()
        with stopwatch.phase("checkpoints"):
            checkpoints.chunk_ended()

    for record in training.epochs(chunk_ended):
        with stopwatch.phase("history and terminal"):
            run.history_file.append(_row(record))
        with stopwatch.phase("checkpoints"):
            checkpoints.epoch_ended(record)
        with stopwatch.phase("history and terminal"):
            terminal.epoch_ended(record.epoch, _row(record), record.improved, record.notes)
            progress.write()
            for sentence in watch.epoch_ended(_row(record)):
                terminal.warning(sentence)
    epochs = training.spec.epochs
    return training.position.stopped or ("1 epoch is done" if epochs == 1 else f"all {epochs} epochs are done")


class Progress:
    """Writes how far the training is into status.json, twice per second at most: an epoch may take a millisecond."""

    _BETWEEN = 0.5

    def __init__(self, run: LockedRun, checkpoints: Checkpoints) -> None:
        self._run = run
        self._checkpoints = checkpoints
        self._next = -math.inf

    def write(self) -> None:
        """Write it, where the last time is long enough ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._BETWEEN
            done = self._checkpoints
            self._run.write_progress(status("running", "training", epoch=done.last_epoch, step=done.step))


def _retry(
    error: DivergedError,
    training: Training,
    checkpoints: Checkpoints,
    run: LockedRun,
    terminal: Terminal,
    policy: OnDivergence,
) -> None:
    """Go back to the last good checkpoint with a smaller learning rate; raise `error` where no retry is left."""
    checkpoints.keep_best()
    if checkpoints.retries >= policy.retry:
        raise error
    saved = newest_valid(run)
    if saved is None:
        raise error
    retries = checkpoints.retries + 1
    run.rewrite_history(checkpoints.restore(saved))
    rate = training.reduce_learning_rate(policy.learning_rate_factor)
    checkpoints.write_retry(retries)
    terminal.warning(f"{error}; retry {retries} of {policy.retry} from step {checkpoints.step}, learning rate {rate:g}")


def _training(
    network: Network,
    prepared: Prepared,
    plan: Plan,
    acceleration: Acceleration,
    interruption: Interruption,
    stopwatch: NoStopwatch,
) -> Training:
    spec, info = network.spec, network.info
    train = prepared.examples["train"]
    arrays = network.tensors(train)
    weights = row_weights(spec.training, train.y, info)
    weighted = arrays if weights is None else (*arrays, weights)
    loop = CompiledSteps(network.model, ResidentFeed(weighted), network.batch_size, acceleration)
    cadence = Cadence.parse(spec.training.checkpoint.every)
    held_out = prepared.examples.get("validation")
    metrics = spec.evaluation.metrics_for(info.task)

    def measured(examples: Examples, outputs: np.ndarray) -> dict[str, float]:
        predictions = network.predictions(outputs)
        return measure(metrics, info.task, examples.truth, predictions, info.classes, examples.forecasts)

    validation = Validation(network.evaluation(held_out), partial(measured, held_out)) if held_out else None

    return Training(
        spec=spec.training,
        steps=Steps(
            loop=loop,
            seed=spec.seed,
            every=cadence.epochs * loop.steps if cadence.epochs else cadence.steps,
            shared=SharedEpochs.of(loop),
        ),
        rules=EpochRules(
            objective=plan.objective,
            callbacks=[callback.build(monitored) for callback, monitored in plan.monitors],
            stop_when=plan.stop_when,
        ),
        validation=validation,
        interruption=interruption,
        stopwatch=stopwatch,
    )


def _row(record: EpochRecord) -> dict[str, float]:
    return {
        "epoch": record.epoch,
        **record.measured,
        "learning_rate": record.learning_rate,
        "seconds": round(record.seconds, 6),
    }
