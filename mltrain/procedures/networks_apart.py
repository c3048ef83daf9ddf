"""What each network of an ensemble says of rows, and not their mean. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from mltrain.data.examples import ModelInputs
from mltrain.models.members import MEMBERS
from mltrain.models.walk import head_of
from mltrain.procedures.network import Network
from mltrain.run.decision import DecisionRule
from mltrain.training.evaluation_loop import in_full_vectors
from mltrain.training.feed import rows_of


class NetworksApart:
    """The predictions of each network of an ensemble.

    Args:
        network: of several networks, with the weights of the run.
        rule: the temperature of its probabilities.
    """

    def __init__(self, network: Network, rule: DecisionRule) -> None:
        self._network, self._rule = network, rule
        model = network.model
        self._scores = keras.Model(model.input, model.get_layer(MEMBERS).output)
        self._head = head_of(model)
        self._block = network.evaluation_block[0]
        self._run = tf.function(self._of_block, autograph=False, reduce_retracing=True)

    def predictions(self, x: ModelInputs, between: Callable[[], None] = lambda: None) -> np.ndarray:
        """Return what each network predicts for encoded rows (networks, rows, …), each as `Network.predictions` has it.

        Args:
            x: as the model takes them.
            between: called between two blocks of rows; it may raise, to stop.
        """
        parts = []
        for start in range(0, rows_of(x), self._block):
            rows = slice(start, start + self._block)
            parts.append(self._run(tf.nest.map_structure(partial(_tensor, rows), x)).numpy())
            between()
        outputs = np.concatenate(parts).swapaxes(0, 1)
        return np.stack([self._network.predictions(each, self._rule) for each in outputs])

    def _of_block(self, x: tf.Tensor) -> tf.Tensor:
        return in_full_vectors(self._outputs, x)

    def _outputs(self, x: tf.Tensor) -> tf.Tensor:
        """Return the outputs of each network `(rows, networks, units)`."""
        scores = self._scores(x, training=False)
        networks = self._network.spec.networks
        each = tf.reshape(scores, (-1, networks, scores.shape[1] // networks, scores.shape[2]))
        means = tf.reduce_mean(each, axis=2)
        outputs = self._head(tf.reshape(means, (-1, scores.shape[2])))
        return tf.reshape(outputs, (-1, networks, outputs.shape[-1]))


def _tensor(rows: slice, array: np.ndarray) -> tf.Tensor:
    return tf.convert_to_tensor(array[rows])
