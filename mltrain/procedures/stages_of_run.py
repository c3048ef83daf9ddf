"""The stages of a training, made of an experiment when they begin. Imports TensorFlow."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import keras
import numpy as np

from mltrain.aligned import aligned_empty
from mltrain.data.examples import Examples
from mltrain.models.trained_layers import Still, same_as_in_predictions
from mltrain.procedures.measurement import exact_values
from mltrain.procedures.phases import Phases
from mltrain.procedures.setup import Setup
from mltrain.procedures.staging import PlannedStage, lower_part_of, put_stage, still_part_of
from mltrain.run.durable import unnamed_array
from mltrain.training.callback import CallbackSpec, EpochCallback, EpochRules
from mltrain.training.class_weights import row_weights
from mltrain.training.compilation import target_signature
from mltrain.training.evaluation_loop import CompiledEvaluation, EvaluationLoop
from mltrain.training.feed import Arrays, ResidentFeed, resident
from mltrain.training.leading import ALONE, Leading
from mltrain.training.loop import CompiledSteps
from mltrain.training.shared_epochs import SharedEpochs
from mltrain.training.spec import Cadence
from mltrain.training.stage import Stage, Steps
from mltrain.training.upper_part import UpperPart, UpperSteps
from mltrain.training.validation import Validation


class StagesOfRun:
    """Those of an experiment; a training without stages is one. See `Stages` of `training/stage.py`.

    Args:
        setup: the data and the network.
        context: of the process.
        leading: the other workers, which do what this one does.
    """

    def __init__(self, setup: Setup, context: Phases, leading: Leading = ALONE) -> None:
        self.leading = leading
        self._setup = setup
        self._context = context
        self._network = setup.network
        self.model = setup.network.model
        self.count = max(1, len(setup.stages))

    @cached_property
    def _arrays(self) -> Arrays:
        setup, train = self._setup, self._setup.prepared.examples["train"]
        arrays = self._network.training_tensors(train)
        weights = row_weights(setup.spec.training, train.y, self._network.info, setup.prepared.weights)
        if setup.folds is not None:
            weights = setup.folds.weights(weights)
        return arrays if weights is None else (*arrays, weights)

    @cached_property
    def feed(self) -> ResidentFeed:
        """Of the training rows, as the model takes them."""
        return ResidentFeed(self._arrays)

    @property
    def steps_of_epoch(self) -> int:
        """Updates of the weights in an epoch."""
        return self._setup.spec.training.steps_of_epoch(self.feed.rows)

    def begin(self, number: int, before: Stage | None) -> Stage:
        """Give the model the layers that a stage trains, and its optimizer."""
        setup = self._setup
        put_stage(self._network, number)
        training = self._network.spec.training
        kept = [] if before is None else list(before.rules.callbacks)
        rules = EpochRules(
            objective=setup.plan.objective,
            callbacks=[
                _running(callback, callback.build(watched), kept) for callback, watched in setup.plan.monitors[number]
            ],
            stop_when=setup.plan.stop_when,
        )
        if not training.stages:
            return Stage(training.most_epochs, rules)
        stage = training.stages[number]
        best = stage.begin_with == "best" or (stage.begin_with == "auto" and setup.plan.final == "best")
        words = f"stage {number + 1} of {self.count} trains {setup.stages[number].words}"
        return Stage(stage.epochs, rules, words, best)

    def steps(self, number: int) -> Steps:
        """Return how the stage that was begun is trained."""
        setup = self._setup
        planned = setup.stages[number] if setup.stages else None
        held_out = setup.prepared.examples.get("validation")
        # Without a run, as in `check`, a few steps are trained: to compute all outputs before would take too long.
        kept = planned is not None and planned.keeps and self._context.folder is not None
        still = still_part_of(self._network)[0] if kept else None
        if planned is not None and still is not None:
            loop, validation = self._kept(planned, still, held_out)
        else:
            loop, validation = self._whole(held_out)
        cadence = Cadence.parse(setup.spec.training.checkpoint.every)
        return Steps(
            loop=loop,
            seed=setup.spec.seed,
            every=cadence.epochs * loop.steps if cadence.epochs else cadence.steps,
            shared=SharedEpochs.of(loop) if self.leading.sharing is None else None,
            validation=validation,
        )

    def _whole(self, held_out: Examples | None) -> tuple[CompiledSteps, Validation | None]:
        """Return the steps of the whole model, and its validation."""
        network, acceleration = self._network, self._setup.acceleration
        held = self._held()
        step, calls = network.shared_step(self.leading.sharing), self.leading.calls
        loop = CompiledSteps(self.model, self.feed, network.batch_size, acceleration, step, held, calls)
        return loop, self._validation(held_out, network.evaluation(held_out)) if held_out else None

    def _kept(
        self, planned: PlannedStage, still: Still, held_out: Examples | None
    ) -> tuple[CompiledSteps, Validation | None]:
        """Return the steps of the part that is trained, on the outputs of the part before it, and their validation."""
        network, lower = self._network, lower_part_of(still, self._network)
        part = UpperPart(still.upper, still.shapes)

        def outputs(x: Any) -> Any:
            found = lower.of_rows(keras.tree.flatten(x), self._allocate(planned), self._context.raise_if_interrupted)
            tensors = [resident(each) for each in found]
            return tensors[0] if len(tensors) == 1 else tensors

        with self._context.stopwatch.phase("steps"):
            feed = ResidentFeed((outputs(self._arrays[0]), *self._arrays[1:]))
            known = None if held_out is None else (outputs(network.tensors(held_out)[0]), network.tensors(held_out)[1])
        steps, held = UpperSteps(self.model, network.shared_parts(self.leading.sharing), part), self._held()
        acceleration, calls = self._setup.acceleration, self.leading.calls
        loop = CompiledSteps(self.model, feed, network.batch_size, acceleration, steps, held, calls)
        if held_out is None or known is None:
            return loop, None
        target = target_signature(self._setup.spec.training, network.info)
        compiled = CompiledEvaluation(self.model, network.evaluation_block[0], target, part)
        return loop, self._validation(held_out, EvaluationLoop(compiled, known))

    def _allocate(self, planned: PlannedStage) -> Any:
        if planned.on_disk and self._context.folder is not None:
            return partial(unnamed_array, self._context.folder)
        return aligned_empty

    def _held(self) -> list[keras.Layer]:
        network = self._network
        keeping = [each.name for each in network.spec.model.backbones(network.info) if not each.normalizes_by_batch]
        if not self._setup.stages and not keeping:
            return []
        return [layer for each in network.models for layer in same_as_in_predictions(each, keeping)]

    def _validation(self, examples: Examples, loop: EvaluationLoop) -> Validation:
        network = self._network

        def measured(outputs: np.ndarray) -> dict[str, float]:
            return exact_values(network, examples, network.predictions(outputs))

        return Validation(loop, measured)


def _running(spec: CallbackSpec, new: EpochCallback, before: list[EpochCallback]) -> EpochCallback:
    """Return a callback of the stage before that goes on in this one, or the new one."""
    if spec.begins_anew:
        return new
    found = next((each for each in before if type(each) is type(new)), None)
    if found is None:
        return new
    before.remove(found)
    return found
