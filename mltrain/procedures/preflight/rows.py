"""Some training rows as the loop of a training takes them, and the loss of what may be said of them. Imports
TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from mltrain.data.examples import Examples
from mltrain.outputs.kind import TargetForm
from mltrain.procedures.setup import Setup
from mltrain.training.class_weights import row_weights
from mltrain.training.compilation import target_form
from mltrain.training.feed import Arrays


@dataclass(frozen=True)
class TrainingRows:
    """Some of them.

    Attributes:
        inputs: an array, or a list of them.
        targets: as the loss wants them, with the class weights of targets of different kinds among them.
        weights: (rows,), how much each row counts in the loss; None where all count the same.
    """

    inputs: Any
    targets: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(cls, setup: Setup, places: np.ndarray) -> TrainingRows:
        """Return the training rows at `places`, int64 (n,)."""
        train, network = setup.prepared.examples["train"], setup.network
        tensors = network.training_tensors(train)
        inputs, targets = tf.nest.map_structure(lambda each: tf.gather(each, places).numpy(), tensors)
        weights = row_weights(setup.spec.training, train.y, network.info, setup.prepared.weights)
        return cls(inputs, targets, None if weights is None else weights[places])

    @property
    def arrays(self) -> Arrays:
        """All of it as a feed takes it."""
        return (self.inputs, self.targets) if self.weights is None else (self.inputs, self.targets, self.weights)

    @property
    def contradictory(self) -> tuple[np.ndarray, ...]:
        """The places (n,) of rows that are equal in all inputs and differ in the target, those of each kind of row."""
        equal: dict[bytes, list[int]] = {}
        for row in range(len(self.targets)):
            key = b"".join(np.ascontiguousarray(each[row]).tobytes() for each in tf.nest.flatten(self.inputs))
            equal.setdefault(key, []).append(row)
        several = (np.array(places) for places in equal.values() if len(places) > 1)
        return tuple(places for places in several if (self.targets[places] != self.targets[places[0]]).any())

    def loss(self, setup: Setup, outputs: np.ndarray, *, weighted: bool = True) -> float:
        """Return the loss of outputs `(rows, outputs)` for these rows, without regularisation."""
        weights = self.weights if weighted else None
        # Keras' `compute_loss` adds regularisation, which may hold tensors of a graph that was traced before.
        loss = setup.network.model._compile_loss
        given = [None if each is None else tf.convert_to_tensor(each) for each in (self.targets, outputs, weights)]
        return float(loss(*given))


def form_of_targets(setup: Setup) -> TargetForm:
    """Return the form in which the loss wants the targets."""
    return target_form(setup.spec.training, setup.network.info)


def some_examples(examples: Examples, places: np.ndarray) -> Examples:
    """Return the rows at `places` of a split, int64 (n,)."""

    def taken(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[places]

    return replace(
        examples,
        rows=examples.rows[places],
        inputs={name: array[places] for name, array in examples.inputs.items()},
        targets={name: array[places] for name, array in examples.targets.items()},
        truths={name: array[places] for name, array in examples.truths.items()},
        groups=taken(examples.groups),
        weights=taken(examples.weights),
        forecasts=None if examples.forecasts is None else examples.forecasts.take(places),
    )
