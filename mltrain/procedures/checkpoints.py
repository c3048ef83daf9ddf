"""What of a training is kept on disk: the best weights, the last ones, and extra checkpoints on the way. Imports
TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from mltrain.run.checkpoint_files import prune, write_checkpoint
from mltrain.run.rundir import LockedRun
from mltrain.training.fit import EpochRecord, Training
from mltrain.training.spec import Cadence, CheckpointSpec
from mltrain.training.weights import averaged_weights, take_weights


class Checkpoints:
    """Keeps the best weights in memory after each epoch, and writes when it is due and at the end.

    Args:
        run: where to write.
        spec: the cadence of extra checkpoints, and how many are kept.
        training: whose model is kept.
    """

    def __init__(self, run: LockedRun, spec: CheckpointSpec, training: Training) -> None:
        self._run = run
        self._keep = spec.keep
        self._cadence = Cadence.parse(spec.every)
        self._training = training
        self._written_at, self._written_step, self._written_epoch = time.monotonic(), 0, 0
        self.best: dict[str, np.ndarray] = {}
        self.best_epoch, self._best_step = 0, 0
        self._best_on_disk = 0
        self.last_epoch = 0

    def epoch_ended(self, record: EpochRecord) -> None:
        """Keep what this epoch brought."""
        self.last_epoch = record.epoch
        if record.improved:
            self.best, self.best_epoch, self._best_step = self._weights(), record.epoch, self._step()
        if self._due(record.epoch):
            self._write("epoch", record.epoch, self._step(), self._weights(), keep=self._keep)
            self._write_best()
            self._written_at, self._written_step = time.monotonic(), self._step()
            self._written_epoch = record.epoch

    def finish(self) -> None:
        """Write the best and the last weights; nothing when no epoch was finished."""
        self._write_best()
        if self.last_epoch:
            self._write("last", self.last_epoch, self._step(), self._weights(), keep=1)

    def _due(self, epoch: int) -> bool:
        if self._cadence.epochs is not None:
            return epoch - self._written_epoch >= self._cadence.epochs
        if self._cadence.steps is not None:
            return self._step() - self._written_step >= self._cadence.steps
        return time.monotonic() - self._written_at >= (self._cadence.seconds or 0)

    def _write_best(self) -> None:
        if self.best_epoch > self._best_on_disk:
            self._write("best", self.best_epoch, self._best_step, self.best, keep=1)
            self._best_on_disk = self.best_epoch

    def _write(self, kind: str, epoch: int, step: int, arrays: Mapping[str, np.ndarray], keep: int) -> None:
        write_checkpoint(self._run.checkpoints, f"{kind}-{epoch:06d}", arrays, {"epoch": epoch, "step": step})
        prune(self._run.checkpoints, kind, keep)

    def _weights(self) -> dict[str, np.ndarray]:
        with averaged_weights(self._training.model):
            return take_weights(self._training.model)

    def _step(self) -> int:
        return int(self._training.model.optimizer.iterations.numpy())
