"""Training the network of an experiment, and writing down each epoch as it ends. Imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.evaluation.metrics import measure
from mltrain.procedures.checkpoints import Checkpoints
from mltrain.procedures.network import Network
from mltrain.procedures.plan import Plan
from mltrain.report.terminal import Terminal
from mltrain.run.rundir import LockedRun
from mltrain.run.status import status
from mltrain.training.compilation import class_weights
from mltrain.training.fit import EpochRecord, Training
from mltrain.training.loop import TrainingLoop
from mltrain.training.signals import Interruption
from mltrain.training.weights import put_weights


@dataclass(frozen=True)
class Fitted:
    """How the training ended; the network holds the model of the run.

    Attributes:
        epoch: whose weights the model of the run has.
        last_epoch: the last that was trained.
        steps: updates of the weights.
        stopped: why training ended.
        best: the objective's value in the best epoch; None when it never was a number.
    """

    epoch: int
    last_epoch: int
    steps: int
    stopped: str
    best: float | None


def fit(
    network: Network,
    prepared: Prepared,
    plan: Plan,
    run: LockedRun,
    terminal: Terminal,
    interruption: Interruption,
) -> Fitted:
    """Train; append each epoch to the history, show it, and keep the best and the last weights.

    Raises:
        DivergedError: the loss is NaN or infinite; the best weights so far are kept.
        InterruptedRunError: a signal came; the epochs that were finished are kept.
    """
    training = _training(network, prepared, plan, interruption)
    checkpoints = Checkpoints(run, network.spec.training.checkpoint, training)
    stopped = f"all {network.spec.training.epochs} epochs are done"
    try:
        with interruption.deferred(), terminal.training(network.spec.training.epochs, training.loop.steps):
            for record in training.epochs(terminal.steps):
                run.history_file.append(_row(record))
                checkpoints.epoch_ended(record)
                terminal.epoch_ended(record.epoch, _row(record), record.improved, record.notes)
                stopped = record.stop or stopped
    finally:
        checkpoints.finish()
        steps = int(network.model.optimizer.iterations.numpy())
        run.write_status(status("running", "training", epoch=checkpoints.last_epoch, step=steps))
    epoch = checkpoints.last_epoch
    if plan.final == "best" and checkpoints.best_epoch:
        put_weights(network.model, checkpoints.best, "the best epoch")
        epoch = checkpoints.best_epoch
    else:
        # With moving averages the averaged weights are the model of the run, as they are what was validated.
        network.model.optimizer.finalize_variable_values(network.model.trainable_variables)
    return Fitted(epoch, checkpoints.last_epoch, steps, stopped, training.best)


def _training(network: Network, prepared: Prepared, plan: Plan, interruption: Interruption) -> Training:
    spec, info = network.spec, network.info
    train = prepared.examples["train"]
    arrays = network.arrays(train)
    weights = class_weights(spec.training, train.y, info)
    loop = TrainingLoop(network.model, arrays if weights is None else (*arrays, weights), network.batch_size)
    held_out = prepared.examples.get("validation")
    metrics = spec.evaluation.metrics_for(info.task)

    def measure_validation(outputs: np.ndarray) -> dict[str, float]:
        if held_out is None:
            return {}
        return measure(metrics, info.task, held_out.truth, network.predictions(outputs), info.classes)

    return Training(
        spec=spec.training,
        model=network.model,
        loop=loop,
        validation=network.evaluation(held_out) if held_out else None,
        measure=measure_validation,
        objective=plan.objective,
        callbacks=[callback.build(monitored) for callback, monitored in plan.monitors],
        stop_when=plan.stop_when,
        seed=spec.seed,
        interruption=interruption,
    )


def _row(record: EpochRecord) -> dict[str, float]:
    return {
        "epoch": record.epoch,
        **record.measured,
        "learning_rate": record.learning_rate,
        "seconds": round(record.seconds, 6),
    }
