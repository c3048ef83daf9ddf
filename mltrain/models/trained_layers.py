"""Which layers of a model are trained, and what comes before all of them: that part computes the same in each step.
Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from mltrain.errors import MisfitError
from mltrain.models.calls import Call, Calls, calls_of
from mltrain.models.walk import layers_of
from mltrain.problems import KeyPath
from mltrain.spec import suggest
from mltrain.trained import Trained
from mltrain.wording import counted, in_words, listed

# Layers that draw random numbers to regularise, and not to change the examples.
_REGULARISING = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
    keras.layers.GaussianNoise,
)

_HALF = {"bfloat16": "float32", "float16": "float32"}


@dataclass(frozen=True)
class Still:
    """The part of a model that gives the same for the same rows in every step.

    Attributes:
        calls: of the whole model.
        border: the tensors that the rest takes of it, by number.
    """

    calls: Calls
    border: tuple[int, ...]

    def lower(self, inputs: Sequence[Any]) -> list[Any]:
        """Return what the part gives, for a tensor of each input of the model."""
        found = self.calls.run(dict(zip(self.calls.inputs, inputs, strict=True)), self.border, training=False)
        return [ops.cast(value, dtype) for value, (_, dtype) in zip(found, self.shapes, strict=True)]

    def upper(self, given: Any, training: bool) -> Any:
        """Return the output of the model, from what the part gives: a tensor, or a list of them."""
        known = dict(zip(self.border, keras.tree.flatten(given), strict=True))
        return self.calls.run(known, self.calls.outputs, training)[0]

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Shape, without the batch, and dtype of each tensor that the part gives."""
        tensors = [self.calls.tensors[each] for each in self.border]
        # NumPy does not know bfloat16; numbers in half precision are the same in float32.
        return tuple((tuple(each.shape[1:]), _HALF.get(each.dtype, each.dtype)) for each in tensors)


class TrainedLayers:
    """The layers of a model, of which each stage trains some.

    Args:
        model: built, as the config says it.
        backbones: the names of those in it.
    """

    def __init__(self, model: keras.Model, backbones: Collection[str] = ()) -> None:
        self._model = model
        self._backbones = [model.get_layer(name) for name in backbones]
        self._as_stated = [(layer, layer.trainable) for layer in model._flatten_layers()]

    def train_all(self) -> None:
        """Train what the config does not hold."""
        for layer, trainable in self._as_stated:  # each model before the layers in it, which it would change
            layer.trainable = trainable

    def choose(self, trained: Trained, path: KeyPath) -> None:
        """Train some layers, as far as the config does not hold them, and no others.

        Args:
            trained: which.
            path: of `trained` in the config.

        Raises:
            MisfitError: there is no such layer, or none with weights that are trained.
        """
        self.train_all()
        if trained.part != "all":
            for layer in self._held(trained, path):
                layer.trainable = False
        if not self._model.trainable_variables:
            raise MisfitError(path, f"no weights are left to train: {trained} have none, or are held by `trainable`")

    def _held(self, trained: Trained, path: KeyPath) -> list[keras.Layer]:
        """Return the layers that are not trained."""
        model, backbones = self._model, self._backbones
        if trained.part == "head":
            return [layer for each in backbones for layer in each.layers] or _before_the_last(model)
        stacks = [each.layers for each in backbones] or [layers_of(model)]
        if trained.last is not None:
            most, where = max(map(len, stacks)), "the backbone" if backbones else "the model"
            if trained.last > most:
                message = f"{where} has {counted(most, 'layer')}: state a number up to that, or write `train: all`"
                raise MisfitError((*path, "last"), message)
            return [layer for stack in stacks for layer in stack[: -trained.last]]
        names = [[layer.name for layer in stack] for stack in stacks]
        if not any(trained.first in each for each in names):
            known = [name for each in names for name in each]
            where = "the backbone" if backbones else "the model"
            ends = f"; its last layers are {listed(known[-5:])}"
            message = f"{where} has no layer '{trained.first}'{suggest(str(trained.first), known) or ends}"
            raise MisfitError((*path, "from"), message)
        found = []
        for stack, known in zip(stacks, names, strict=True):
            found += stack[: known.index(str(trained.first))] if trained.first in known else stack
        return found

    @property
    def parameters(self) -> int:
        """How many weights are trained."""
        return sum(math.prod(variable.shape) for variable in self._model.trainable_variables)


def _before_the_last(model: keras.Model) -> list[keras.Layer]:
    """Return the layers with weights that others with weights follow."""
    calls = calls_of(model)
    if calls is None:
        return layers_of(model)[:-1]
    followed: set[int] = set()
    found = []
    for call in reversed(calls.calls):
        weighted = bool(_weights(call))
        if weighted and followed.intersection(call.gives):
            found.append(call.operation)
        if weighted or followed.intersection(call.gives):
            followed.update(call.takes)
    return found


def below(calls: Calls) -> list[Call]:
    """Return the calls before all layers that are trained: of frozen layers, and of what they need.

    Dropout right before the head is not among them: it is there for the head.
    """
    moving: set[int] = set()
    found = []
    for call in calls.calls:
        trained = isinstance(call.operation, keras.Layer) and bool(call.operation.trainable_variables)
        if trained or moving.intersection(call.takes):
            moving.update(call.gives)
        else:
            found.append(call)
    needed: set[int] = set()
    chosen = []
    for call in reversed(found):
        if _weights(call) or needed.intersection(call.gives):
            needed.update(call.takes)
            chosen.append(call)
    return chosen[::-1]


def still_part(calls: Calls) -> Still | None:
    """Return the part before all layers that are trained; None where there is none with weights, or where something
    random changes the examples before it."""
    found = below(calls)
    if not found or any(changes_examples(call.operation) for call in found):
        return None
    given = {each for call in found for each in call.gives}
    # What needs no weights and is not random comes along: the rows are often fewer numbers behind it, as after pooling.
    rest = []
    for call in calls.calls:
        if call in found:
            continue
        if given.issuperset(call.takes) and not _weights(call) and not _is_random(call.operation):
            given.update(call.gives)
        else:
            rest.append(call)
    taken = {each for call in rest for each in call.takes} | set(calls.outputs)
    made = [each for call in calls.calls for each in call.gives if each in given]
    border = tuple(dict.fromkeys(each for each in made if each in taken))
    # The examples themselves may also go past the frozen part.
    past = tuple(each for each in calls.inputs if each in taken)
    return Still(calls, (*border, *past))


def changes_examples(operation: Any) -> bool:
    """Return whether a layer changes the examples at random while training, as augmentation does."""
    is_layer = isinstance(operation, keras.Layer)
    return is_layer and _is_random(operation) and not isinstance(operation, _REGULARISING) and not operation.weights


def same_as_in_predictions(model: keras.Model, keeping_statistics: Collection[str]) -> list[keras.Layer]:
    """Return the layers that do while training what they do in a prediction: those before all that are trained.

    Args:
        model: with the layers chosen that are trained.
        keeping_statistics: the names of backbones whose BatchNormalization keeps its statistics, also where it is
            trained.
    """
    calls = calls_of(model)
    held = [] if calls is None else [layer for layer in _layers(below(calls)) if not changes_examples(layer)]
    found = [inner for layer in held for inner in layer._flatten_layers()]
    inner = (layer for name in keeping_statistics for layer in model.get_layer(name)._flatten_layers())
    found += [layer for layer in inner if isinstance(layer, keras.layers.BatchNormalization)]
    return list({id(layer): layer for layer in found}.values())


def why_not_still(calls: Calls | None) -> str:
    """Return why the frozen part must be computed in each step; empty where it need not be."""
    if calls is None:
        return "the model is not a graph of layers"
    found = (type(layer).__name__ for layer in _layers(below(calls)) if changes_examples(layer))
    random = list(dict.fromkeys(found))
    if not random:
        return ""
    verb = "changes" if len(random) == 1 else "change"
    return f"{in_words(random)} {verb} the examples before it in each step"


def _layers(calls: Iterable[Call]) -> list[keras.Layer]:
    return [call.operation for call in calls if isinstance(call.operation, keras.Layer)]


def _weights(call: Call) -> Sequence[keras.Variable]:
    return call.operation.weights if isinstance(call.operation, keras.Layer) else ()


def _is_random(operation: Any) -> bool:
    inner = operation._flatten_layers() if isinstance(operation, keras.Layer) else ()
    return any(layer._seed_generators for layer in inner)
