"""What each raw column adds to the score of a row. Imports TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mltrain.data.preprocessing import Preprocessing
from mltrain.errors import UsageError
from mltrain.evaluation.threads import one_thread
from mltrain.models.scores import score
from mltrain.outputs import KINDS
from mltrain.procedures.explanation.attributed import Attributed
from mltrain.procedures.network import Network
from mltrain.run.decision import DecisionRule

# Sundararajan, Taly and Yan use 20 to 300; the remaining error is measured in every row, and reported.
STEPS = 128
_ROWS_AT_ONCE = 4096


class Attribution:
    """Integrated gradients: Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, 2017.

    The gradient of the score along the straight line from the mean training row b to a row x, integrated and multiplied
    with x - b: an exact division of score(x) - score(b) among the encoded columns, whatever the network is (its theorem
    1, completeness); those of one raw column are added up. The integral is a sum of Gauss and Legendre over `STEPS`
    points.

    The score is what goes into the activation of the head: of binary the log odds of the positive class, of several
    classes the logit of the predicted one minus the mean of all logits, each divided by the temperature of the run; of
    regression the prediction, in the units of the target. Probabilities would add up, too, but where one is nearly 0 or
    1 all parts would vanish.

    Args:
        network: with the weights of the model of the run.
        preprocessing: of a table.
        baseline: the mean training row, float32 (features,).
        rule: how probabilities become decisions.
    """

    def __init__(
        self, network: Network, preprocessing: Preprocessing, baseline: np.ndarray, rule: DecisionRule
    ) -> None:
        self._network, self._rule = network, rule
        self._baseline = tf.constant(baseline)
        widths = [len(encoder.names) for encoder in preprocessing.columns]
        self._first_places = np.cumsum([0, *widths[:-1]])
        with one_thread():  # they are eigenvalues of a matrix
            points, weights = np.polynomial.legendre.leggauss(STEPS)
        self._points = tf.constant((points + 1) / 2, tf.float32)
        self._weights = tf.constant(weights / 2, tf.float32)
        (target,) = network.target.parts
        # Of a target whose logarithm is learned, the score is that logarithm: its parts add up, as those of odds do.
        self._scale = target.width if KINDS[network.info.task].of_numbers else 1 / (rule.temperature or 1.0)
        rows = tf.TensorSpec((None, len(baseline)), tf.float32)
        self._parts = tf.function(
            self._integrated, autograph=False, input_signature=[rows, tf.TensorSpec((None,), tf.int32)]
        )
        self._gap = 0.0

    def columns(self, x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return what each raw column adds, float64 (rows, raw columns).

        Args:
            x: encoded rows, float32 (rows, features).
            predictions: for them, as `Network.predictions` describes them.
        """
        task = self._network.info.task
        several = task == "multiclass"
        chosen = KINDS[task].decide(predictions).astype(np.int32) if several else np.zeros(len(x), np.int32)
        found = []
        for first in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            parts, difference = (each.numpy().astype(np.float64) for each in self._parts(x[part], chosen[part]))
            found.append(np.add.reduceat(parts, self._first_places, axis=1) * self._scale)
            self._gap = max(self._gap, float(np.abs(found[-1].sum(axis=1) - difference * self._scale).max()))
        return np.concatenate(found)

    def said(self) -> Attributed:
        """Return what the numbers are, and how exact those of `columns` were so far."""
        target, classes = self._network.target.parts[0], self._network.info.output.classes
        kind = KINDS[self._network.info.task]
        if kind.width(len(classes)) > 1:
            scores = {name: self._score_of_baseline(number) for number, name in enumerate(classes)}
        else:
            scores = {"": self._score_of_baseline(0) + target.center}
        unit = kind.score_unit(target.column, classes)
        if target.log_limits is not None:
            unit = f"logarithm of '{target.column}'"
        return Attributed(unit, scores, STEPS, self._gap)

    def _score_of_baseline(self, chosen: int) -> float:
        return float(score(self._network.model, self._baseline[None], tf.constant([chosen]))[0]) * self._scale

    def _integrated(self, x: tf.Tensor, chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        model, way = self._network.model, x - self._baseline

        def body(step: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape() as tape:
                at = self._baseline + self._points[step] * way
                tape.watch(at)
                found = score(model, at, chosen)
            gradient = tape.gradient(found, at)
            if gradient is None:
                raise UsageError(
                    "--explain: the score of this model has no gradient with respect to its inputs; leave it out"
                )
            return step + 1, total + self._weights[step] * gradient

        _, mean = tf.while_loop(lambda step, _: step < STEPS, body, (0, tf.zeros_like(x)), parallel_iterations=1)
        before = score(model, tf.broadcast_to(self._baseline, tf.shape(x)), chosen)
        return mean * way, score(model, x, chosen) - before
