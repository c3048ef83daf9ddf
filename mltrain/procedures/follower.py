"""The steps of a worker that is not the first. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mltrain.procedures.leading import EPOCH, STAGE, STEPS
from mltrain.procedures.phases import Phases
from mltrain.procedures.setup import Setup
from mltrain.procedures.stages_of_run import StagesOfRun
from mltrain.training.leading import Leading, SharedCalls
from mltrain.training.progress import epoch_order
from mltrain.training.sharing import Sharing
from mltrain.training.stage import Steps
from mltrain.training.state import assign, put_state, random_state


class Follower:
    """Runs the steps that the first worker names.

    Args:
        setup: of the experiment, as the first worker has it.
        context: of the process, with its team.

    Raises:
        ValueError: there is no team.
    """

    def __init__(self, setup: Setup, context: Phases) -> None:
        if context.team is None:
            raise ValueError("a worker that follows has a team")
        self._setup = setup
        self._team = context.team
        sharing = Sharing(self._team.rank, self._team.count, self._team.sum)
        self._stages = StagesOfRun(setup, context, _Led(sharing))
        self._stage = -1
        self._steps: Steps | None = None
        self._order = np.zeros(0, np.int32)

    def follow(self, between: Callable[[], None]) -> None:
        """Do what the first worker says, until it leaves.

        Args:
            between: called before all that is done.

        Raises:
            WorkerError: a worker is lost.
        """
        while True:
            words = self._team.listen(between=between)
            values = words.values
            if words.what == STAGE:
                if values["stage"] != self._stage:
                    self._stage, self._steps = values["stage"], None
                    self._stages.begin(self._stage, None)
                put_state(self._stages.model, words.arrays, "worker 0")
            elif words.what == EPOCH:
                assign(random_state(self._stages.model), words.arrays, "worker 0")
                training = self._setup.spec.training
                rows = self._stages.feed.rows
                self._order = epoch_order(rows, self._setup.spec.seed, values["epoch"], training.shuffle)
            elif words.what == STEPS:
                if values["rate"] is not None:
                    self._stages.model.optimizer.learning_rate = values["rate"]
                self._of_stage().loop.run(self._order, values["step"], values["number"])
            else:
                return

    def _of_stage(self) -> Steps:
        if self._steps is None:
            self._steps = self._stages.steps(self._stage)
        return self._steps


class _Led(Leading):
    """That of a worker which leads nobody."""

    def __init__(self, sharing: Sharing) -> None:
        self.sharing = sharing
        self.calls = SharedCalls(sharing)
