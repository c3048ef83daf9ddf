"""How much the networks of an ensemble differ in what they predict for a row: the less they agree, the less one of them
can be trusted there. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mltrain.data.examples import model_inputs
from mltrain.models.members import MEMBERS
from mltrain.models.walk import head_of
from mltrain.outputs import KINDS
from mltrain.outputs.each_output import values_of
from mltrain.procedures.network import Network
from mltrain.run.decision import DecisionRule
from mltrain.task import Task


class Spread:
    """The standard deviation of the predictions of the networks of an ensemble.

    Args:
        network: with the weights of the run; of several networks.
        rule: the temperature of its probabilities.
    """

    def __init__(self, network: Network, rule: DecisionRule) -> None:
        self._network, self._rule = network, rule
        model = network.model
        self._scores = keras.Model(model.input, model.get_layer(MEMBERS).output)
        self._head = head_of(model)
        self._run = tf.function(self._of_networks, autograph=False, reduce_retracing=True)

    def of(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return it for encoded rows, by the name of the input: float64 `(rows, columns)`, a column for each name of
        `spread_names`.

        For numbers it is in the units of the target, for classes that of the probability of the class that the mean
        finds most probable, between 0 and 0.5.
        """
        x = model_inputs(inputs)
        outputs = self._run(tf.nest.map_structure(tf.convert_to_tensor, x)).numpy()
        found = np.stack([self._network.predictions(each, self._rule) for each in outputs.swapaxes(0, 1)])
        output = self._network.info.output
        if not output.parts:
            return _spread(output.task, found)
        parts = []
        for part, place in output.placed:
            of_part = np.stack([values_of(part, place, each) for each in found])
            parts.append(_spread(part.task, of_part))
        return np.concatenate(parts, axis=1)

    def _of_networks(self, x: tf.Tensor) -> tf.Tensor:
        """Return the outputs of each network `(rows, networks, units)`."""
        scores = self._scores(x, training=False)
        networks = self._network.spec.networks
        each = tf.reshape(scores, (-1, networks, scores.shape[1] // networks, scores.shape[2]))
        means = tf.reduce_mean(each, axis=2)
        outputs = self._head(tf.reshape(means, (-1, scores.shape[2])))
        return tf.reshape(outputs, (-1, networks, outputs.shape[-1]))


def _spread(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return the spread `(rows, targets)` of predictions `(networks, rows, …)`."""
    deviations = predictions.astype(np.float64).std(axis=0)
    if KINDS[task].of_classes and deviations.ndim > 1:
        chosen = predictions.mean(axis=0).argmax(axis=1)
        deviations = deviations[np.arange(len(chosen)), chosen]
    return deviations.reshape(len(deviations), -1)
