"""What is decayed: kernels and embeddings, and nothing else."""

import keras
import numpy as np
import pytest

from mltrain.keras_api.components import make
from mltrain.training.optimizer import make_optimizer


def decayed(model, weights_only=True):
    """Return the places of the weights that a step without gradients makes smaller."""
    for variable in model.trainable_variables:
        variable.assign(np.ones(variable.shape))
    component = make("optimizer", "SGD", learning_rate=0.5, weight_decay=0.2)
    optimizer = make_optimizer(component, None, 10, 1, model if weights_only else None)
    optimizer.build(model.trainable_variables)
    optimizer.apply([keras.ops.zeros(each.shape) for each in model.trainable_variables])
    found = [number for number, each in enumerate(model.trainable_variables) if np.all(each.numpy() != 1)]
    # By hand: w - rate * decay * w = 1 - 0.5 * 0.2.
    for number in found:
        assert model.trainable_variables[number].numpy() == pytest.approx(0.9)
    return found


def model_of(*layers, shape=(6, 4)):
    model = keras.Sequential([keras.Input(shape), *layers])
    return model, [each.path.removeprefix(f"{model.name}/") for each in model.trainable_variables]


@pytest.mark.parametrize(
    ("layers", "shape", "names"),
    [
        ([keras.layers.Dense(3, name="debias_score")], (4,), ["debias_score/kernel"]),
        ([keras.layers.Conv2D(3, 2, name="c"), keras.layers.BatchNormalization()], (5, 5, 2), ["c/kernel"]),
        ([keras.layers.LayerNormalization(axis=[1, 2])], (6, 4), []),
        ([keras.layers.GroupNormalization(2), keras.layers.RMSNormalization(), keras.layers.PReLU()], (6, 4), []),
        # Its bias has two dimensions.
        ([keras.layers.GRU(3, name="g")], (6, 4), ["g/gru_cell/kernel", "g/gru_cell/recurrent_kernel"]),
        ([keras.layers.Embedding(5, 3, name="e")], (6,), ["e/embeddings"]),
    ],
)
def test_only_weights(layers, shape, names):
    model, paths = model_of(*layers, shape=shape)
    assert [paths[number] for number in decayed(model)] == names
    assert decayed(model, weights_only=False) == list(range(len(paths)))


def test_attention_has_biases_of_two_dimensions():
    given = keras.Input((6, 4))
    model = keras.Model(given, keras.layers.MultiHeadAttention(2, 3, name="a")(given, given))
    names = [model.trainable_variables[number].path for number in decayed(model)]
    assert names == [f"a/{part}/kernel" for part in ("query", "key", "value", "attention_output")]


def test_models_inside_of_models_are_looked_into():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    model, _ = model_of(inner, keras.layers.Dense(1), shape=(4,))
    assert len(decayed(model)) == 2
