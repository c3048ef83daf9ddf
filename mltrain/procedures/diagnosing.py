"""The facts for a diagnosis, during a training and at its end. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from mltrain.data.examples import ModelInputs, model_inputs
from mltrain.data.preparation import Prepared
from mltrain.data.scaled_targets import large_target
from mltrain.data.several_targets import Target
from mltrain.evaluation.diagnosis import Curves, Facts, Finding, diagnose, diagnose_at_once, diagnose_outputs
from mltrain.evaluation.diagnosis.alike import classes_alike
from mltrain.evaluation.diagnosis.facts import Confusion, DeadUnits
from mltrain.evaluation.diagnosis.skill import skill
from mltrain.models.walk import inputs_behind, layers_of, walk
from mltrain.outputs import KINDS
from mltrain.problems import path_text
from mltrain.procedures.extreme_rows import extreme_rows
from mltrain.procedures.network import Network
from mltrain.procedures.outputs_apart import prepared_of, values_apart
from mltrain.run.history import History
from mltrain.run.split_result import SplitResult
from mltrain.task import SplitName, Task
from mltrain.training.metrics import default_loss
from mltrain.training.spec import TrainingSpec

# Training rows that are used: a forward pass of them takes milliseconds.
_LOOKED_AT = 256
# The rules read all epochs so far. They run when there are this many times more epochs than before, so that their time
# is proportional to the epochs, and not to their square.
_GROWTH = 1.1

_WITHOUT_STAGES = TrainingSpec()

_CROSS_ENTROPIES = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


class LiveDiagnosis:
    """Reports what is certain during a training, each finding once.

    Args:
        network: that is trained.
        history: of the epochs that were trained before, where a run is resumed.
    """

    def __init__(self, network: Network, history: History) -> None:
        self._columns = {name: list(history.column(name)) for name in history.columns}
        self._training = network.spec.training
        self._epochs = network.epochs
        self._chance = chance_loss(network)
        self._said: set[str] = set()
        self._next = len(history.rows) + 1

    def epoch_ended(self, row: Mapping[str, float]) -> list[str]:
        """Add the row of an epoch, and return what is certain now."""
        epoch = int(row["epoch"])
        for name, value in row.items():
            values = self._columns.setdefault(name, [])
            del values[epoch - 1 :]  # after a retry from an earlier epoch
            values.append(value)
        if epoch < self._next:
            return []
        self._next = max(epoch + 1, int(epoch * _GROWTH))
        found = diagnose_at_once(Curves(self._columns, self._epochs, chance_loss=self._chance))
        found = _with_keys_of_stage(found, self._training, int(row.get("stage", 1)))
        new = [each for each in found if each.finding not in self._said]
        self._said |= {each.finding for each in new}
        return [f"{each.sentence} [{each.key}]" for each in new]


def _with_keys_of_stage(found: tuple[Finding, ...], training: TrainingSpec, stage: int) -> tuple[Finding, ...]:
    """Return findings whose keys are those of a stage, counted from 1; unchanged without stages."""
    paths = {
        path_text(_WITHOUT_STAGES.path_of_rate(0)): training.path_of_rate(stage - 1),
        path_text(_WITHOUT_STAGES.path_of_epochs(0)): training.path_of_epochs(stage - 1),
    }
    return tuple(replace(each, key=path_text(paths[each.key])) if each.key in paths else each for each in found)


def chance_loss(network: Network) -> float | None:
    """Return the training loss of a model that guesses, where that is ln C; None also for a model that begins with
    learned weights, whose features are large for a new head."""
    training = network.spec.training
    if KINDS[network.info.task].mixed or network.spec.model.stated_weights():
        return None
    loss = training.loss or default_loss(network.info.task)
    plain = loss.type in _CROSS_ENTROPIES and dict(loss.arguments).get("reduction", _MEANS[0]) in _MEANS
    weighted = training.class_weight is not None or network.spec.data.sample_weight is not None
    if not plain or weighted or network.model.losses:
        return None
    return math.log(len(network.info.output.classes) if network.info.task == "multiclass" else 2)


def findings(
    facts: Facts,
    network: Network,
    prepared: Prepared,
    splits: Mapping[str, SplitResult],
    predictions: Mapping[SplitName, np.ndarray],
) -> tuple[Finding, ...]:
    """Return what is wrong with a finished training, of which `gather` returned the facts; nothing follows from its
    test rows."""
    training = network.spec.training
    if not KINDS[network.info.task].mixed:
        return _with_keys_of_stage(diagnose(facts), training, training.parts)
    outputs = {}
    for number, part in enumerate(network.info.output.parts):
        own = prepared_of(prepared, number)
        truths = {name: each.truth for name, each in own.examples.items() if name != "test"}
        if "train" not in truths:
            continue
        values = values_apart(prepared, predictions, number)
        confusions: dict[SplitName, Confusion] = {
            name: splits[name].outputs[part.name].confusion_matrix for name in truths
        }
        outputs[part.name] = replace(
            facts,
            task=part.task,
            classes=part.classes,
            rows={name: len(truth) for name, truth in truths.items()},
            confusions=confusions if KINDS[part.task].of_classes else {},
            skill={
                name: skill(part.task, truth, values[name], truths["train"], len(part.classes))
                for name, truth in truths.items()
            },
            weighted=training.of_output(part.name).class_weight is not None,
            unscaled=_unscaled(network.target.parts[number], truths["train"]),
        )
    return _with_keys_of_stage(diagnose_outputs(facts, outputs), training, training.parts)


def gather(
    network: Network,
    prepared: Prepared,
    history: History,
    splits: Mapping[str, SplitResult],
    predictions: Mapping[SplitName, np.ndarray],
    *,
    exhausted: bool,
) -> Facts:
    """Return the facts of a finished training; nothing of its test rows."""
    info, train = network.info, prepared.examples["train"]
    seen: list[SplitName] = [name for name in prepared.examples if name != "test"]
    columns = {name: history.column(name) for name in history.columns}
    sample = model_inputs({name: x[:_LOOKED_AT] for name, x in train.inputs.items()})
    skills: dict[SplitName, float] = {
        name: skill(info.task, prepared.examples[name].truth, predictions[name], train.truth, len(info.output.classes))
        for name in seen
        if not KINDS[info.task].mixed
    }
    last = seen[-1]
    return Facts(
        task=info.task,
        classes=info.output.classes,
        curves=Curves(columns, network.epochs, exhausted, chance_loss(network)),
        rows={name: len(prepared.examples[name].truth) for name in seen},
        confusions={name: splits[name].confusion_matrix for name in seen if KINDS[info.task].of_classes},
        skill=skills,
        sampled=min(len(train.truth), _LOOKED_AT),
        dead=_dead_units(network.model, sample, [each.name for each in info.inputs]),
        strengths=prepared.audited.strengths,
        repeated=_repeated(prepared),
        weighted=network.spec.training.class_weight is not None,
        unscaled=_unscaled(network.target, train.truth),
        extreme=extreme_rows(prepared, last, predictions[last]) if skills.get(last, 1.0) <= 0 else None,
        alike=_alike(info.task, prepared.examples[last].truth, predictions[last], splits[last]),
        slowest_momentum=slowest_momentum(network),
        steps=network.updates * len(history.rows) // max(network.epochs, 1),
    )


def slowest_momentum(network: Network) -> float:
    """Return the largest momentum of the layers of batch normalization that learn from batches; 0 without any."""
    kept = [each.name for each in network.spec.model.backbones(network.info) if not each.normalizes_by_batch]
    found = [0.0]
    for model in network.models:
        settled = [layer for name in kept for layer in model.get_layer(name)._flatten_layers()]
        found += [
            layer.momentum
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and layer not in settled
        ]
    return max(found)


def _unscaled(target: Target, truth: np.ndarray) -> str:
    """Return what is large of one target of numbers that was not scaled; "" where nothing is."""
    part, *others = target.parts
    plain = KINDS[part.task].scaled and (part.center, part.width) == (0.0, 1.0)
    return large_target(truth) if plain and not others and part.log_limits is None else ""


def _alike(task: Task, truth: np.ndarray, predictions: np.ndarray, split: SplitResult) -> dict[int, float]:
    """Return the classes of a split that the model does not distinguish from the others."""
    return classes_alike(task, truth, predictions, split.confusion_matrix) if KINDS[task].of_classes else {}


def _repeated(prepared: Prepared) -> str:
    """Return the sentence of the audit on validation rows that repeat training rows; "" where there are none."""
    found = prepared.audited.audit.findings
    return next((each.sentence for each in found if each.finding == "repeated_rows" and each.split == "validation"), "")


def _dead_units(model: keras.Model, x: ModelInputs, inputs: Sequence[str]) -> tuple[DeadUnits, ...]:
    """Return each layer of ReLU that has units which are 0 for all of `x`, at every place; `inputs` are the names of
    the inputs of the data."""
    behind = inputs_behind(model, inputs) if len(inputs) > 1 else {}
    # By its place: an automatic name depends on what else the process has built.
    numbered = enumerate(layers_of(model), start=1)
    names = {
        layer: f"layer {number} ({type(layer).__name__}{_of_input(behind.get(layer.name, ()))})"
        for number, layer in numbered
        if _is_relu(layer)
    }
    if not names:
        return ()
    outputs: dict[str, np.ndarray] = {}

    def call(layer: keras.Layer, *given: Any, **more: Any) -> Any:
        output = layer(*given, **more)
        if layer in names:
            outputs[names[layer]] = np.asarray(output, np.float32).reshape(-1, output.shape[-1])
        return output

    walk(model, keras.tree.map_structure(keras.ops.convert_to_tensor, x), call)
    found = []
    for name, output in outputs.items():
        largest = output.max(axis=0)
        dead = int((largest <= 0).sum())
        if dead:
            found.append(DeadUnits(name, dead, len(largest)))
    return tuple(found)


def _of_input(names: Sequence[str]) -> str:
    return f" of the input {names[0]}" if len(names) == 1 else ""


def _is_relu(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope
    return getattr(layer, "activation", None) is keras.activations.relu and not isinstance(layer, keras.layers.RNN)
