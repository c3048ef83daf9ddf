"""Training the network of an experiment to its end, from its first step or from a checkpoint. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mltrain.errors import DivergedError, InterruptedRunError
from mltrain.procedures.changed_settings import FormerTraining, former_training, put_stage_of, refused_changes
from mltrain.procedures.checkpoints import Checkpoints, newest_valid
from mltrain.procedures.decision import check_both_classes
from mltrain.procedures.devices_of_workers import DeviceOfWorker, with_devices
from mltrain.procedures.leading import leading_of
from mltrain.procedures.listeners import Listener, listeners_of
from mltrain.procedures.phases import Phases
from mltrain.procedures.plan import AVERAGING, FinalWeights
from mltrain.procedures.resumption import PlannedResumption, resumed_sentence
from mltrain.procedures.run_context import RunContext
from mltrain.procedures.setup import Setup
from mltrain.procedures.stages_of_run import StagesOfRun
from mltrain.run.history import History
from mltrain.run.record import Record
from mltrain.run.status import status
from mltrain.training.leading import ALONE, Leading
from mltrain.training.schedule import Schedule
from mltrain.training.training import Training
from mltrain.training.weights import put_weights
from mltrain.wording import counted


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
        setup: the data and the network.
        record: of this process, with the resumption in it.
        training: at its first step, or where its checkpoint was written.
        checkpoints: of the run.
        history: of the checkpoint; None where the training begins.
        adapted: whether the checkpoint was written with other settings.
        notes: what the user should know, a sentence each.
    """

    setup: Setup
    record: Record
    training: Training
    checkpoints: Checkpoints
    history: History | None = None
    adapted: bool = False
    notes: tuple[str, ...] = ()

    def with_devices(self, devices: Sequence[DeviceOfWorker]) -> Ready:
        """Return the same with the devices of all workers among its decisions, and in its record."""
        setup, record = with_devices(self.setup, self.record, devices)
        return replace(self, setup=setup, record=record)


def get_ready(setup: Setup, record: Record, context: RunContext, planned: PlannedResumption | None) -> Ready:
    """Return the training of a network, at its start or where a checkpoint was written. Nothing is written.

    Args:
        setup: the data and the network.
        record: of this process.
        context: of the run.
        planned: how the run is resumed; None for a new one.

    Raises:
        MisfitError: a threshold must be chosen, and the validation rows are of one class; or there are no such first
            weights.
        RunError: the checkpoint does not fit, or something differs that changes the result.
    """
    run = context.run
    saved = newest_valid(run) if planned is not None else None
    if saved is None:
        setup = setup.with_first_weights(context)
    record = setup.recorded(record).with_values(workers=context.workers)
    former: FormerTraining | None = None
    notes: tuple[str, ...] = ()
    if saved is not None:
        put_stage_of(saved, setup.network)
    if planned is not None:
        former = former_training(planned, setup, run, saved)
        refused = refused_changes(planned, former, record, setup, saved)
        record = planned.checked(record, saved, tuple(refused), former.differences)
        notes = (resumed_sentence(saved, run), *_other_workers(planned.before.workers, context.workers))
    if saved is not None and former is not None:  # with the variables of the stage in which it was written
        saved = former.adapted(saved, setup.network.model, setup.plan)
    training = training_of(setup, context, leading_of(context.team))
    checkpoints = Checkpoints(run, setup.spec.training.checkpoint, training)
    if saved is None or former is None:
        return Ready(setup, record, training, checkpoints, notes=notes)
    with context.stopwatch.phase("checkpoints"):
        history = checkpoints.restore(saved)
    if former.longer:
        notes += training.continue_beyond_stop()
        if isinstance(setup.network.spec.training.schedule, Schedule):
            notes += (_longer_schedule(setup.network.epochs, training.trained.learning_rate),)
    return Ready(setup, record, training, checkpoints, history, former.changed, notes)


def _other_workers(before: int, now: int) -> tuple[str, ...]:
    if before == now:
        return ()
    trained = f"the run was trained by {counted(before, 'worker')} so far, and is by {now} from here on"
    return (f"{trained}: the result is the same but for rounding",)


def _longer_schedule(epochs: int, rate: float) -> str:
    return (
        f"training.schedule now goes over {epochs} epochs, and the learning rate continues at {rate:.3g}: the result "
        "is not that of a training that was planned with this number from the start"
    )


def write_first_files(ready: Ready, context: RunContext, planned: PlannedResumption | None) -> None:
    """Write what a training that continues needs, and say what was decided; one that begins writes its first checkpoint
    itself."""
    run, terminal, setup = context.run, context.terminal, ready.setup
    if planned is not None and planned.resolved is not None:
        run.write_resolved(planned.resolved)
    for note in ready.notes:
        terminal.note(note)
    if not run.has_splits():
        run.write_splits(dict(setup.prepared.splits.items()))
    run.write_preprocessing(setup.prepared.preprocessing.to_json())
    run.write_reference(setup.prepared.reference.model_dump(mode="json"))
    run.write_audit(setup.prepared.audited.audit)
    architecture = setup.architecture
    run.write_architecture(architecture)
    if setup.rate_test is not None:
        run.write_rate_test(setup.rate_test)
    run.write_record(ready.record)
    if ready.history is not None:
        run.rewrite_history(ready.history)
    if ready.adapted:
        ready.checkpoints.write_adapted()
    context.first_files_are_written()
    terminal.decisions(setup.decisions)
    terminal.model(architecture)
    terminal.audit(setup.prepared.audited.audit)


def train_network(ready: Ready, context: RunContext) -> Fitted:
    """Train to the end; append each epoch to the history, show it, and keep what is needed.

    Raises:
        DivergedError: loss, metrics or weights are NaN or infinite, and no retry is left; what was good is kept.
        InterruptedRunError: a signal came; a checkpoint of where it came is written.
    """
    training, checkpoints, model = ready.training, ready.checkpoints, ready.setup.network.model
    run, network = context.run, ready.setup.network
    listeners = listeners_of(ready.setup.network, checkpoints, context)
    try:
        with (
            context.interruption.deferred(),
            context.terminal.training(network.epochs, training.steps_of_epoch, ready.setup.plan.objective.metric),
        ):
            if ready.history is None:
                with context.stopwatch.phase("checkpoints"):
                    checkpoints.write()  # of step 0: whatever happens from now on can be resumed
            while True:
                try:
                    stopped = _epochs(training, listeners, context)
                    break
                except DivergedError as error:
                    _retry(error, ready, context)
            with context.stopwatch.phase("checkpoints"):
                checkpoints.finish()
    except InterruptedRunError as error:
        checkpoints.write()
        again = f"mltrain resume {run.path}{context.workers_option}"
        kept = f"kept up to step {checkpoints.step}; `{again}` continues from there"
        raise InterruptedRunError(f"{error}: {kept}", error.exit_code - 128) from error
    finally:
        run.write_status(status("running", "training", epoch=checkpoints.last_epoch, step=checkpoints.step))
    epoch, weights, average = checkpoints.last_epoch, ready.setup.plan.final, training.average
    if average is not None:
        with context.stopwatch.phase("steps"):
            training.put_average(average)
        checkpoints.write_average()
    elif weights == "average":
        weights = "last"
        reason = f"training ended before the first epoch of {AVERAGING}"
        context.terminal.warning(f"{reason}: the last weights are the model of the run")
    elif weights == "best" and checkpoints.best_epoch:
        put_weights(model, checkpoints.best, "the best epoch")
        epoch = checkpoints.best_epoch
    else:
        # With moving averages the averaged weights are the model of the run, as they are what was validated.
        model.optimizer.finalize_variable_values(model.trainable_variables)
    for each in network.trained_layers if ready.setup.stages else ():
        each.train_all()  # the model that is exported says what the config holds, and not what the last stage held
    exhausted = training.position.stopped is None
    averaged = average.count if average is not None else 0
    return Fitted(weights, averaged, epoch, checkpoints.last_epoch, checkpoints.step, stopped, training.best, exhausted)


def _epochs(training: Training, listeners: Sequence[Listener], context: RunContext) -> str:
    """Train to the end, tell the listeners of each chunk and epoch, and return why training ended."""
    phase = context.stopwatch.phase

    def chunk_ended(epoch: int, done: int, steps: int, loss: float) -> None:
        for listener in listeners:
            with phase(listener.phase):
                listener.chunk_ended(epoch, done, steps, loss)

    for record in training.epochs(chunk_ended, context.terminal.note):
        for listener in listeners:
            with phase(listener.phase):
                listener.epoch_ended(record)
    epochs = training.spec.most_epochs
    return training.position.stopped or ("1 epoch is done" if epochs == 1 else f"all {epochs} epochs are done")


def _retry(error: DivergedError, ready: Ready, context: RunContext) -> None:
    """Go back to the last good checkpoint with a smaller learning rate; raise `error` where no retry is left."""
    checkpoints, policy = ready.checkpoints, ready.setup.spec.training.on_divergence
    checkpoints.keep_best()
    saved = newest_valid(context.run) if checkpoints.retries < policy.retry else None
    if saved is None:
        raise error
    retries = checkpoints.retries + 1
    context.run.rewrite_history(checkpoints.restore(saved))
    rate = ready.training.trained.reduce_learning_rate(policy.learning_rate_factor)
    checkpoints.write_retry(retries)
    done = f"retry {retries} of {policy.retry} from step {checkpoints.step}, learning rate {rate:g}"
    context.terminal.warning(f"{error}; {done}")


def training_of(setup: Setup, context: Phases, leading: Leading = ALONE) -> Training:
    """Return the training of a network at its first step.

    Args:
        setup: the data and the network.
        context: of the process.
        leading: the other workers, which do what this one does.

    Raises:
        MisfitError: a threshold must be chosen, and the validation rows are of one class.
    """
    check_both_classes(setup.spec.evaluation, setup.prepared)
    with context.stopwatch.phase("building the model"):
        stages = StagesOfRun(setup, context, leading)
        return Training(setup.spec.training, stages, context.interruption, context.stopwatch)
