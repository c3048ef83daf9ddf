"""How much the networks of an ensemble differ in what they predict for a row: the less they agree, the less one of them
can be trusted there. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mltrain.data.examples import model_inputs
from mltrain.outputs import KINDS
from mltrain.outputs.each_output import values_of
from mltrain.procedures.network import Network
from mltrain.procedures.networks_apart import NetworksApart
from mltrain.run.decision import DecisionRule
from mltrain.task import Task


class Spread:
    """The standard deviation of the predictions of the networks of an ensemble.

    Args:
        network: with the weights of the run; of several networks.
        rule: the temperature of its probabilities.
    """

    def __init__(self, network: Network, rule: DecisionRule) -> None:
        self._output = network.info.output
        self._networks = NetworksApart(network, rule)

    def of(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return it for encoded rows, by the name of the input: float64 `(rows, columns)`, a column for each name of
        `spread_names`.

        For numbers it is in the units of the target, for classes that of the probability of the class that the mean
        finds most probable, between 0 and 0.5.
        """
        found = self._networks.predictions(model_inputs(inputs))
        if not self._output.parts:
            return _spread(self._output.task, found)
        parts = []
        for part, place in self._output.placed:
            of_part = np.stack([values_of(part, place, each) for each in found])
            parts.append(_spread(part.task, of_part))
        return np.concatenate(parts, axis=1)


def _spread(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return the spread `(rows, targets)` of predictions `(networks, rows, …)`."""
    deviations = predictions.astype(np.float64).std(axis=0)
    if KINDS[task].of_classes and deviations.ndim > 1:
        chosen = predictions.mean(axis=0).argmax(axis=1)
        deviations = deviations[np.arange(len(chosen)), chosen]
    return deviations.reshape(len(deviations), -1)
