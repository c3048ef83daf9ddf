"""Keras' own layers, optimizers, losses and the rest as data: checked and completed without TensorFlow."""
