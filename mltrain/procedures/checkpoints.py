"""What of a training is kept on disk: everything that it needs to continue, the best weights, the last, and those of
epochs that a callback has chosen. Imports TensorFlow.

A state checkpoint is written after everything else of its boundary: the history row, the callbacks, the best weights,
those of chosen epochs. There are two of them at any time, and the weights that they refer to, so that one damaged file
loses nothing but time.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.errors import RunError
from mltrain.run.checkpoint_files import KEPT, numbers, prune, read_checkpoint, remove, write_checkpoint
from mltrain.run.history import History
from mltrain.run.locked_run import LockedRun
from mltrain.stopwatch import PhaseName
from mltrain.training.checkpoint_state import check_checkpoint_state
from mltrain.training.progress import EpochRecord
from mltrain.training.spec import Cadence, CheckpointSpec
from mltrain.training.state import put_state, take_state
from mltrain.training.training import BestWeights, Training
from mltrain.training.weights import take_weights

STATE = "state"
AVERAGE = "average"
_AVERAGE = f"{AVERAGE}-"


@dataclass(frozen=True)
class Saved:
    """A state checkpoint that was read and proved.

    Attributes:
        number: of its directory.
        arrays: for `put_state`.
        average: the mean of the weights, where they are averaged.
        state: what is no array: see `Checkpoints.write`.
        best: the best weights that it refers to; empty when there were none yet.
        damaged: what was wrong with newer ones, a sentence each.
    """

    number: int
    arrays: Mapping[str, np.ndarray]
    average: Mapping[str, np.ndarray]
    state: dict[str, Any]
    best: dict[str, np.ndarray]
    damaged: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its directory."""
        return f"{STATE}-{self.number:06d}"


def newest_valid(run: LockedRun) -> Saved | None:
    """Return the newest state checkpoint that proves itself; None where there never was one.

    Raises:
        RunError: there are some, and none is valid.
    """
    damaged: list[str] = []
    for number in reversed(numbers(run.checkpoints, STATE)):
        path = run.checkpoints / f"{STATE}-{number:06d}"
        try:
            arrays, state = read_checkpoint(path, check_checkpoint_state)
            best_epoch = state["best_epoch"]
            best = read_checkpoint(run.checkpoints / f"best-{best_epoch:06d}")[0] if best_epoch else {}
            average = {name.removeprefix(_AVERAGE): arrays.pop(name) for name in [*arrays] if name.startswith(_AVERAGE)}
            return Saved(number, arrays, average, state, best, tuple(damaged))
        except RunError as error:
            damaged.append(str(error))
    if damaged:
        raise RunError(f"{run.checkpoints}: no checkpoint is valid: {'; '.join(damaged)}")
    return None


class Checkpoints:
    """Keeps the best weights in memory after each epoch, and writes when it is due and at the end.

    Args:
        run: where to write.
        spec: the cadence of state checkpoints, and how many are kept.
        training: whose model is kept.
    """

    phase: PhaseName = "checkpoints"

    def __init__(self, run: LockedRun, spec: CheckpointSpec, training: Training) -> None:
        self._run = run
        self._keep = spec.keep
        self._cadence = Cadence.parse(spec.every)
        self._training = training
        self._number = max(numbers(run.checkpoints, STATE), default=0)
        self._written_at = time.monotonic()
        self._written_step = self._written_epoch = 0
        self.best: dict[str, np.ndarray] = {}
        self.best_epoch = self._best_step = self._best_on_disk = 0
        self.last_epoch = self.retries = 0
        # By the number of a state: the epoch of the best weights, and those that a callback had chosen by then.
        self._refers: dict[int, tuple[int, frozenset[int]]] = {}
        self._damaged: list[int] = []
        training.best_weights = self._best_weights
        training.stage_begun = self.write  # a retry in the stage goes back to its begin, and not into the one before

    def restore(self, saved: Saved) -> History:
        """Put model and training back to where `saved` was written, and return the history of then."""
        self._training.restore(saved.state["training"])  # first, as each stage has variables of its own
        put_state(self._training.model, saved.arrays, saved.name)
        if self._training.average is not None:
            weights = take_weights(self._training.model)
            self._training.average.restore_mean(saved.average, weights, saved.name)
        history = History.from_csv(saved.state["history"].encode(), saved.name)
        self.best = saved.best
        self.best_epoch = self._best_on_disk = saved.state["best_epoch"]
        self._best_step = saved.state["best_step"]
        self.retries = saved.state["retries"]
        self._damaged = [number for number in numbers(self._run.checkpoints, STATE) if number > saved.number]
        self.last_epoch = self._written_epoch = len(history.rows)
        self._refers = {saved.number: (self.best_epoch, self._chosen())}
        self._written_step = self.step
        return history

    def _best_weights(self) -> BestWeights | None:
        return BestWeights(self.best_epoch, self.best) if self.best_epoch else None

    def write_adapted(self) -> None:
        """Write the state of a training whose settings have changed; those that were written before them go."""
        self._damaged, self._refers = numbers(self._run.checkpoints, STATE), {}
        self.write()
        self.write()  # two, so that one damaged file loses nothing

    @property
    def step(self) -> int:
        """Updates of the weights so far."""
        return self._training.step

    def write_retry(self, retries: int) -> None:
        """Note that the training goes on in its retry number `retries`, and make that the newest checkpoint."""
        self.retries = retries
        self.write()

    def chunk_ended(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Write if the cadence says so in the middle of an epoch."""
        by_steps = self._cadence.steps is not None and self.step - self._written_step >= self._cadence.steps
        if by_steps or self._seconds_are_over():
            self.write()

    def epoch_ended(self, record: EpochRecord) -> None:
        """Keep what this epoch brought."""
        self.last_epoch = record.epoch
        if record.kept:
            self._write_weights(KEPT, record.epoch, self.step, self._training.trained.weights())
        if record.improved:
            self.best, self.best_epoch, self._best_step = self._training.trained.weights(), record.epoch, self.step
        by_epochs = self._cadence.epochs is not None and record.epoch - self._written_epoch >= self._cadence.epochs
        if (by_epochs or self._seconds_are_over()) and self._training.trained.settled:
            self.write()

    def write(self) -> None:
        """Write the best weights, if they are new, and then the state.

        Raises:
            DivergedError: a weight is NaN or infinite; the checkpoints before stay the newest.
        """
        arrays = take_state(self._training.model)
        if self._training.average is not None:
            arrays |= {f"{_AVERAGE}{place}": array for place, array in self._training.average.mean.items()}
        self._refuse_divergence(arrays)
        self._write_best()
        self._number += 1
        state = {
            "training": self._training.state(),
            "history": self._run.history().to_csv().decode() if self.last_epoch else "",
            "best_epoch": self.best_epoch,
            "best_step": self._best_step,
            "retries": self.retries,
            "step": self.step,
        }
        write_checkpoint(self._run.checkpoints, f"{STATE}-{self._number:06d}", arrays, state)
        self._refers[self._number] = (self.best_epoch, self._chosen())
        self._prune()
        self._written_at, self._written_step = time.monotonic(), self.step
        self._written_epoch = self.last_epoch

    def finish(self) -> None:
        """Write the state and the last weights, from which nothing is lost when training ends here."""
        self.write()
        self._write_weights("last", self.last_epoch, self.step, self._training.trained.weights())
        prune(self._run.checkpoints, "last", 1)
        self._remove_others(KEPT, self._chosen())

    def write_average(self) -> None:
        """Write the weights that the model has, which are the averaged ones."""
        self._write_weights(AVERAGE, self.last_epoch, self.step, take_weights(self._training.model))
        prune(self._run.checkpoints, AVERAGE, 1)

    def keep_best(self) -> None:
        """Write the best weights only: the current ones are no good."""
        self._write_best()

    def _seconds_are_over(self) -> bool:
        seconds = self._cadence.seconds
        return seconds is not None and time.monotonic() - self._written_at >= seconds

    def _write_best(self) -> None:
        if self.best_epoch > self._best_on_disk:
            self._write_weights("best", self.best_epoch, self._best_step, self.best)
            self._best_on_disk = self.best_epoch

    def _write_weights(self, kind: str, epoch: int, step: int, weights: Mapping[str, np.ndarray]) -> None:
        # One of that name is of a time that this run has gone back from: it may be damaged, or of another config.
        if epoch in numbers(self._run.checkpoints, kind):
            remove(self._run.checkpoints, kind, epoch)
        write_checkpoint(self._run.checkpoints, f"{kind}-{epoch:06d}", weights, {"epoch": epoch, "step": step})

    def _prune(self) -> None:
        """Remove surplus and damaged states, and the weights that none of the kept ones refers to."""
        for number in self._damaged:
            remove(self._run.checkpoints, STATE, number)
        self._damaged = []
        prune(self._run.checkpoints, STATE, self._keep)
        kept = numbers(self._run.checkpoints, STATE)
        if not set(kept) <= self._refers.keys():
            return  # older than the one that was resumed from: they go with the next prunings
        self._refers = {number: self._refers[number] for number in kept}
        self._remove_others("best", {best for best, _ in self._refers.values()})
        self._remove_others(KEPT, {epoch for _, chosen in self._refers.values() for epoch in chosen})

    def _chosen(self) -> frozenset[int]:
        """Return the epochs on disk that a callback wants; later ones are of a time that was gone back from."""
        on_disk = numbers(self._run.checkpoints, KEPT)
        return frozenset(epoch for epoch in on_disk if epoch <= self.last_epoch and self._training.rules.keeps(epoch))

    def _remove_others(self, kind: str, epochs: Collection[int]) -> None:
        for epoch in numbers(self._run.checkpoints, kind):
            if epoch not in epochs:
                remove(self._run.checkpoints, kind, epoch)

    def _refuse_divergence(self, arrays: Mapping[str, np.ndarray]) -> None:
        for place, array in arrays.items():
            # bfloat16 is of a kind that NumPy does not know.
            if place.startswith("model") and array.dtype.kind in "fV" and not np.isfinite(array).all():
                worst = float(array[~np.isfinite(array)].flat[0])
                self._training.refuse_divergence(self._training.position.epoch, {"a weight": worst})
