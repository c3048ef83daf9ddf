"""Which weights are decayed. Imports TensorFlow."""

from __future__ import annotations

import keras

_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)


def spare(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> None:
    """Let an optimizer that is not built yet decay only the weights that multiply what a layer is given.

    As PyTorch's trainers do it (timm, Transformers): biases, what normalization has, and all that has one dimension are
    left alone. They are a few numbers that fit a level and a scale, and pulled towards 0 they only fit worse. Kernels
    and the vectors of embeddings are decayed.

    The variables themselves are named: a text would be searched in whole paths, where it is also in the kernel of a
    layer `debias`, and Keras keeps it in no file. A network is always made from its spec, so that this is said again
    when a training continues.
    """
    spared = [
        variable
        for layer in model._flatten_layers()
        for variable in layer._trainable_variables
        if isinstance(layer, (*_NORMALIZATIONS, keras.layers.PReLU))
        or variable.name == "bias"  # of attention and of recurrences, it has two dimensions
        or len(variable.shape) < 2
    ]
    optimizer.exclude_from_weight_decay(var_list=spared)
