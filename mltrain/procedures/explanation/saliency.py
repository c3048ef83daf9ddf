"""Where in an image the score of its class comes from. Imports TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mltrain.models.scores import score
from mltrain.procedures.network import Network

# Smilkov et al. find that more than 50 copies change little, and noise of 10 to 20 % of the range clearest.
COPIES, NOISE = 50, 0.15
# A single bright pixel would leave the rest black.
_BRIGHTEST = 99.0


def saliency(network: Network, images: np.ndarray, chosen: np.ndarray, seed: int) -> np.ndarray:
    """Return how much each pixel moves the score of a class, 0 to 1, float32 `(n, height, width, 1)`.

    SmoothGrad: Smilkov et al., SmoothGrad: removing noise by adding noise, 2017: the mean gradient of the score
    before the activation over copies of the image with noise in them; its size, the largest of the channels (Simonyan,
    Vedaldi and Zisserman, Deep inside convolutional networks, 2014), up to the 99th percentile of each image. That it
    depends on the weights, and is no mere edge detector, was tried by Adebayo et al., Sanity checks for saliency maps,
    2018.

    Args:
        network: with the weights of the model of the run.
        images: encoded, float32 `(n, height, width, channels)`.
        chosen: the class for each (n,) whose score is looked at.
        seed: of the noise.
    """
    generator = np.random.default_rng(seed)
    classes = tf.constant(chosen.astype(np.int32))
    spread = images.max(axis=(1, 2, 3), keepdims=True) - images.min(axis=(1, 2, 3), keepdims=True)
    total = np.zeros(images.shape, np.float64)
    for _ in range(COPIES):
        noise = generator.standard_normal(images.shape, np.float32) * (NOISE * spread)
        total += _gradient(network, tf.constant(images + noise), classes).numpy()
    sizes = np.abs(total).max(axis=-1, keepdims=True)
    brightest = np.percentile(sizes, _BRIGHTEST, axis=(1, 2, 3), keepdims=True)
    brightest = np.where(brightest > 0, brightest, np.maximum(sizes.max(axis=(1, 2, 3), keepdims=True), 1e-300))
    return np.minimum(sizes / brightest, 1.0).astype(np.float32)


def _gradient(network: Network, images: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(images)
        found = score(network.model, images, chosen)
    return tape.gradient(found, images, unconnected_gradients=tf.UnconnectedGradients.ZERO)
