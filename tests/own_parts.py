"""A plugin with one of each kind of component, as its author would write it, for the tests of all of them."""

NETS = '''\
"""Parts of networks."""

from typing import Literal

import keras
import tensorflow as tf
from keras import ops
from mltrain import loss, model

print("nets is read")


class NoisyScale(keras.layers.Layer):
    """Multiplies by a learned factor, and adds noise that grows while training.

    Args:
        stddev: How much noise there is.
        start: The first factor.
        sides: Which sign the noise has.
    """

    def __init__(self, stddev: float = 0.1, start: int = 1, sides: Literal["both", "above"] = "both", **kwargs):
        super().__init__(**kwargs)
        self.stddev, self.start, self.sides = stddev, start, sides
        self.seeds = keras.random.SeedGenerator()

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(self.start))
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            noise = keras.random.normal(ops.shape(x), stddev=self.stddev, seed=self.seeds)
            self.calls.assign_add(1.0)
            x = x + (ops.abs(noise) if self.sides == "above" else noise) * ops.log(1.0 + self.calls)
        return x * self.factor

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "start": self.start, "sides": self.sides}


class Halves(keras.layers.Layer):
    """The half of a layer, which it wraps."""

    def __init__(self, layer: keras.layers.Layer, sizes: list[int] | None = None, **kwargs):
        super().__init__(**kwargs)
        assert sizes is None or isinstance(sizes, list)
        self.layer, self.sizes = layer, sizes

    def call(self, x):
        return 0.5 * self.layer(x)

    def get_config(self):
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer, "sizes": self.sizes}

    @classmethod
    def from_config(cls, config):
        return cls(layer=keras.saving.deserialize_keras_object(config.pop("layer")), **config)


class _Hidden(keras.layers.Layer):
    pass


@loss
def focal(y_true, y_pred, gamma: float = 2.0):
    """Cross-entropy that counts what is wrong most.

    Args:
        gamma: How much more.
    """
    right = ops.sum(y_true * y_pred, axis=-1)
    return -((1.0 - right) ** gamma) * ops.log(right + 1e-7)


class Brier(keras.losses.Loss):
    """Squared error of the probabilities."""

    def __init__(self, scale: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.sum((y_true - y_pred) ** 2, axis=-1)


class HeavyBall(keras.optimizers.Optimizer):
    """Gradient descent with momentum."""

    def __init__(self, learning_rate=0.1, momentum: float = 0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        super().build(variables)
        self.speeds = [self.add_variable_from_reference(each, "speed") for each in variables]

    def update_step(self, gradient, variable, learning_rate):
        speed = self.speeds[self._get_variable_index(variable)]
        self.assign(speed, self.momentum * speed - ops.cast(learning_rate, speed.dtype) * gradient)
        self.assign_add(variable, speed)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is halved again and again."""

    def __init__(self, rate: float, every: int):
        self.rate, self.every = rate, every

    def __call__(self, step):
        return self.rate * 0.5 ** ops.floor(ops.cast(step, "float32") / self.every)


@model
def tiny(inputs, *, width: int = 4):
    """One hidden layer.

    Args:
        width: Its units.
    """
    return NoisyScale(stddev=0.0)(keras.layers.Dense(width, activation="relu")(inputs))


@model
def whole(inputs, head_units, head_activation, width: int = 4):
    """One hidden layer and the head."""
    hidden = keras.layers.Dense(width, activation="relu")(inputs)
    return keras.layers.Dense(head_units, activation=head_activation)(hidden)


def penalised_step(self, data):
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    with tf.GradientTape() as tape:
        predictions = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=predictions, sample_weight=weights)
        loss = loss + self.penalty * sum(ops.sum(each**2) for each in self.trainable_weights)
    self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
    for metric in self.metrics:
        if metric.name == "loss":
            metric.update_state(loss)
        else:
            metric.update_state(y, predictions)
    return {each.name: each.result() for each in self.metrics}


class Penalty(keras.Model):
    """Adds the squares of the weights to the loss, in a step of its own."""

    def __init__(self, *args, penalty: float = 0.01, **kwargs):
        super().__init__(*args, **kwargs)
        self.penalty = penalty

    train_step = penalised_step


class PenaltyNet(keras.Model):
    """The same step, and a network of its own."""

    def __init__(self, head_units, head_activation, width: int = 4, penalty: float = 0.01, **kwargs):
        super().__init__(**kwargs)
        self.width, self.penalty, self.head_activation = width, penalty, head_activation
        self.hidden = keras.layers.Dense(width, activation="relu")
        self.last = keras.layers.Dense(head_units, activation=head_activation)

    def call(self, x):
        return self.last(self.hidden(x))

    train_step = penalised_step

    def get_config(self):
        ends = {"head_units": self.last.units, "head_activation": self.head_activation}
        return {**super().get_config(), **ends, "width": self.width, "penalty": self.penalty}
'''
DATA = """\
name: own
data:
  source: {type: synthetic, kind: blobs, rows: 90}
  split: {type: random, validation: 0.2, test: 0.2}
"""
CONFIG = (
    DATA
    + """\
model:
  type: sequential
  layers:
  - {type: Dense, units: 6, activation: relu}
  - {type: NoisyScale, stddev: 0.05}
training:
  optimizer: {type: HeavyBall, learning_rate: {type: Halving, rate: 0.05, every: 20}}
  loss: {type: focal, gamma: 1}
  epochs: 6
  batch_size: 8
  checkpoint: {every: 3 steps}
"""
)
