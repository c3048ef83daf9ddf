"""The compiled network of an experiment: the same for training and for `evaluate`. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from mltrain.config.named_parts import named_parts
from mltrain.data.examples import Examples, model_inputs
from mltrain.data.several_targets import Target
from mltrain.experiment.settled import settled
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import scales_target
from mltrain.models.head import Head
from mltrain.models.members import MEMBERS, ensemble, models_in
from mltrain.models.scores import tempered_model
from mltrain.models.trained_layers import TrainedLayers
from mltrain.models.walk import head_of
from mltrain.models.word_vectors import hold_vectors
from mltrain.outputs import KINDS
from mltrain.procedures.architecture import architecture_of
from mltrain.procedures.decision import with_temperature
from mltrain.procedures.word_vectors import stated_vectors
from mltrain.run.architecture import Architecture
from mltrain.run.decision import AS_IT_IS, DecisionRule
from mltrain.task import DataInfo, Decision
from mltrain.training.acceleration import Precision, evaluation_block
from mltrain.training.compilation import compile_model, shape_targets, target_signature
from mltrain.training.evaluation_loop import CompiledEvaluation, EvaluationLoop, in_full_vectors
from mltrain.training.feed import Arrays, resident, rows_of
from mltrain.training.loss_scaling import scales_loss
from mltrain.training.member_steps import MemberSteps
from mltrain.training.output_losses import beside_each_other
from mltrain.training.schedule import Schedule
from mltrain.training.sharing import Sharing
from mltrain.training.step_parts import step_parts
from mltrain.training.training_step import StepParts, TrainingStep


@dataclass(frozen=True)
class Network:
    """A model that is built and compiled, with what is needed to feed it and to read its outputs.

    Attributes:
        spec: the experiment.
        info: what it knows of the data.
        target: turns its outputs into predictions in the units of the target.
        model: compiled and built.
        head: what ends it.
    """

    spec: ExperimentSpec
    info: DataInfo
    target: Target
    model: keras.Model
    head: Head
    _held: dict[int, tuple[Examples, Arrays]] = field(default_factory=dict, repr=False)

    @property
    def batch_size(self) -> int:
        """Rows in one update of the weights, which are one step of the loop."""
        return self.spec.training.rows_of_update(self.info.train_rows)

    @property
    def models(self) -> list[keras.Model]:
        """The networks of an ensemble, or the only one."""
        return models_in(self.model, self.spec.networks)

    @cached_property
    def trained_layers(self) -> list[TrainedLayers]:
        """Which layers of each of `models` are trained, for a training in stages."""
        backbones = [each.name for each in self.spec.model.backbones(self.info)]
        return [TrainedLayers(model, backbones) for model in self.models]

    @property
    def step_parts(self) -> StepParts:
        """What a step does besides an update by the loss of its rows."""
        return step_parts(self.model, self.spec.training, self.info, self.spec.seed)

    @property
    def step(self) -> TrainingStep | None:
        """What updates the weights by some rows; None for Keras' own `train_step`."""
        return self._step(self.step_parts)

    def shared_parts(self, sharing: Sharing | None) -> StepParts:
        """Return what a step does besides, where several workers share its rows."""
        return replace(self.step_parts, sharing=sharing)

    def shared_step(self, sharing: Sharing | None) -> TrainingStep | None:
        """Return what updates the weights by some rows that several workers share."""
        return self._step(self.shared_parts(sharing))

    @property
    def plain_step(self) -> TrainingStep | None:
        """The same without what makes targets soft, and with all rows at once: it can memorise them."""
        return self._step(StepParts())

    def _step(self, parts: StepParts) -> TrainingStep | None:
        model = self.model
        if self.spec.has_members:
            return MemberSteps(model, model.get_layer(MEMBERS), head_of(model), parts)
        return None if parts == StepParts() else TrainingStep(model, parts)

    @property
    def epochs(self) -> int:
        """Passes over the training rows, at most."""
        return self.spec.training.most_epochs

    @property
    def updates(self) -> int:
        """Updates of the weights, when all epochs are trained."""
        return self.spec.training.updates(self.info.train_rows)

    def tensors(self, examples: Examples) -> Arrays:
        """Return `(x, y)` of one split on the device, the targets as the loss wants them. They are made once: training,
        validation and the last measurement share them."""
        if id(examples) not in self._held:
            arrays = (examples.model_inputs, shape_targets(examples.y, self.spec.training, self.info))
            self._held[id(examples)] = (examples, tf.nest.map_structure(resident, arrays))
        return self._held[id(examples)][1]

    def training_tensors(self, examples: Examples) -> Arrays:
        """Return those of the training rows, with the class weights of targets of different kinds among the targets."""
        training = self.spec.training
        if not any(each.class_weight is not None for each in training.outputs.values()):
            return self.tensors(examples)
        return self.tensors(examples)[0], resident(beside_each_other(examples.y, self.info, training))

    def evaluation(self, examples: Examples) -> EvaluationLoop:
        """Return the loop that measures one split."""
        return EvaluationLoop(self._compiled_evaluation, self.tensors(examples))

    @cached_property
    def _compiled_evaluation(self) -> CompiledEvaluation:
        target = target_signature(self.spec.training, self.info)
        return CompiledEvaluation(self.model, self.evaluation_block[0], target)

    @property
    def evaluation_block(self) -> tuple[int, Decision]:
        """Rows in one step of an evaluation, and why."""
        return evaluation_block(self.model, self.spec.evaluation.batch_size)

    @property
    def architecture(self) -> Architecture:
        """The layers, as they are recorded."""
        return architecture_of(self.model, self.info, self.spec.model.backbones(self.info))

    def outputs(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the model's outputs `(rows, outputs)` for encoded rows, by the name of the input, of which no target
        is known.

        It is the loop of an evaluation, whose loss nobody reads: TensorFlow fuses the layers of a graph without a loss
        otherwise, and the last bits would not be those that were measured.
        """
        shape, dtype = target_signature(self.spec.training, self.info)
        x = model_inputs(inputs)
        nothing = np.zeros((rows_of(x), *shape), dtype)
        return EvaluationLoop(self._compiled_evaluation, (x, nothing)).run()[1]

    def predictions(self, outputs: np.ndarray, rule: DecisionRule = AS_IT_IS) -> np.ndarray:
        """Return what the model's outputs `(rows, outputs)` mean, with the temperature of `rule` in probabilities.

        Probabilities of the positive class `(rows,)` for binary, of the classes `(rows, classes)` for multiclass,
        values in the units of the target `(rows,)` for regression; of several targets `(rows, targets)`; of targets of
        different kinds all of them beside each other, float64 `(rows, units)`.
        """
        kind = KINDS[self.info.task]
        if kind.of_numbers or kind.mixed:
            outputs = self.target.restore(outputs)
        elif self.head.logits:
            activation = tf.nn.softmax if self.info.task == "multiclass" else tf.nn.sigmoid
            outputs = in_full_vectors(activation, tf.convert_to_tensor(outputs)).numpy()
        return with_temperature(self.info.output, kind.shaped(outputs), rule)

    def of_outputs(self) -> tuple[Network, ...]:
        """Return this as it would be if each of several outputs of different kinds were the only one; it measures, and
        does not compute."""
        return tuple(
            replace(self, spec=self.spec.for_output(info.output.name, info.task), info=info, target=target)
            for info, target in zip(self.info.of_parts, self.target.parts, strict=True)
        )

    def probability_model(self, rule: DecisionRule = AS_IT_IS) -> keras.Model:
        """Return the model with the activation behind it that turns logits into probabilities, where it ends in
        logits, and with the temperature of `rule` in the probabilities."""
        model = self.model
        if self.head.logits:
            model = keras.Sequential([model, keras.layers.Activation(KINDS[self.info.task].activation)])
        output = self.info.output
        parts = [(place, each.task, rule.of_output(each.name).temperature) for each, place in output.placed]
        compiled = isinstance(self.spec.training.schedule, Schedule) or bool(self.spec.training.stages)
        if parts or compiled or scales_loss(self.model) or any(named_parts(self.spec)):
            # Without what it was compiled with, and a class that trains it, which only mltrain or the user knows.
            model = keras.Model(model.inputs, model.outputs[0], name=model.name)
        parts = parts or [(slice(None), output.task, rule.temperature)]
        return model if all(temperature is None for *_, temperature in parts) else tempered_model(model, parts)


def build_network(
    spec: ExperimentSpec,
    info: DataInfo,
    target: Target,
    precision: Precision = "float32",
    epochs: int | None = None,
) -> Network:
    """Build and compile the model of an experiment; its first weights follow from the seed alone.

    Args:
        spec: the experiment.
        info: what is known of the data.
        target: its fitted encoder.
        precision: what the layers compute in.
        epochs: that fit a budget in seconds, once they are known.

    Raises:
        MisfitError: layers, loss or metrics do not fit the data.
    """
    # Names that Keras counts over the whole process, such as dense_9, would be others after another training, such as
    # an earlier fold: sums of gradients follow the names, and with them the last bits (TensorFlow 2.21).
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(spec.seed)
    spec = settled(spec, info, epochs)
    head = spec.model.head(info, spec.training.loss)
    keras.config.set_dtype_policy(precision)
    try:
        # The first network of an ensemble begins with the weights that it would have alone.
        models = [_one_network(spec, info) for _ in range(spec.networks)]
    finally:
        keras.config.set_dtype_policy("float32")
    activation = "linear" if head.logits else KINDS[info.task].activation
    of_members = spec.model.member_count > 1
    model = models[0] if len(models) == 1 else ensemble(models, activation, of_members=of_members)
    scale_loss = precision == "mixed_float16"
    compile_model(model, spec.training, info, scales_target(spec, info.task), scale_loss=scale_loss)
    return Network(spec, info, target, model, head)


def _one_network(spec: ExperimentSpec, info: DataInfo) -> keras.Model:
    model = spec.model.build(info, spec.training.loss)
    hold_vectors(model, info, {name: each.trainable for name, each in stated_vectors(spec.data).items()})
    return model
