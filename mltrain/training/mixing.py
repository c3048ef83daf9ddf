"""Rows that are mixed with other rows of their batch: MixUp and CutMix. Imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from mltrain.training.mix import Mix

# Seeds of TensorFlow have 32 bits, and ours may be larger.
_SEEDS = 2**31 - 1


@dataclass(frozen=True)
class Mixed:
    """A batch whose rows hold a part of another one.

    Attributes:
        x: the inputs.
        share: of its own row in each, from 0 to 1.
        places: `(rows,)`, the other row.
    """

    x: Any
    share: tf.Tensor
    places: tf.Tensor

    def other(self, values: tf.Tensor) -> tf.Tensor:
        """Return the values of the other row of each."""
        return tf.gather(values, self.places)

    def larger(self, values: tf.Tensor) -> tf.Tensor:
        """Return for each row the values of that of the two which has the larger share."""
        return tf.where(self.share >= 0.5, values, self.other(values))


class Mixing:
    """Mixes the rows of a batch. What it draws follows from the seed, the update and the batch alone, so that a
    training that continues draws the same.

    Args:
        spec: how they are mixed.
        seed: of the experiment.
    """

    def __init__(self, spec: Mix, seed: int) -> None:
        self._spec = spec
        self._seed = seed % _SEEDS

    def __call__(self, x: Any, update: Any, number: tf.Tensor) -> Mixed:
        """Return a mixed batch.

        Args:
            x: a tensor with rows on its first axis, or a list of such; for cutmix images
                `(rows, height, width, channels)`.
            update: which update of the weights it is for, counted from 0.
            number: of the batch in that update.
        """
        seed = tf.stack([tf.constant(self._seed, tf.int64), tf.cast(update, tf.int64)])
        seed = tf.random.experimental.stateless_fold_in(seed, tf.cast(number, tf.int64))
        of_share, of_places, of_box = tf.unstack(tf.random.split(seed, 3))
        share = _beta(self._spec.usual_alpha, of_share)
        rows = tf.nest.flatten(x)[0].shape[0]
        places = tf.argsort(tf.random.stateless_uniform((rows,), of_places))
        if self._spec.type == "mixup":
            return Mixed(tf.nest.map_structure(lambda each: _blended(each, share, places), x), share, places)
        return _pasted(x, share, places, of_box)


def _beta(alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """Return a number that is distributed as Beta(alpha, alpha): a gamma variable as a part of two."""
    one, other = tf.unstack(tf.random.stateless_gamma((2,), seed, alpha))
    total = one + other
    return tf.where(total > 0, one / tf.where(total > 0, total, 1.0), 1.0)  # both may be too small for a number


def _blended(x: tf.Tensor, share: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """MixUp (Zhang et al., 2018): the mean of two rows, by their shares."""
    values = tf.cast(x, tf.float32)
    return share * values + (1.0 - share) * tf.gather(values, places)


def _pasted(x: tf.Tensor, share: tf.Tensor, places: tf.Tensor, seed: tf.Tensor) -> Mixed:
    """CutMix (Yun et al., 2019): a box of the other image replaces that of this one; beyond the border it is cut, and
    the share is that of the pixels."""
    height, width = x.shape[1], x.shape[2]
    down, across = tf.unstack(tf.random.stateless_uniform((2,), seed))
    side = tf.sqrt(1.0 - share)
    rows, columns = _between(down * height, side * height, height), _between(across * width, side * width, width)
    inside = rows[:, tf.newaxis] & columns
    kept = 1.0 - tf.reduce_mean(tf.cast(inside, tf.float32))
    return Mixed(tf.where(inside[tf.newaxis, :, :, tf.newaxis], tf.gather(x, places), x), kept, places)


def _between(middle: tf.Tensor, length: tf.Tensor, size: int) -> tf.Tensor:
    """Return which of `size` places are in a stretch around its middle, whose ends are cut to whole places."""
    places = tf.range(size, dtype=tf.float32)
    return (places >= tf.floor(middle - length / 2)) & (places < tf.floor(middle + length / 2))
