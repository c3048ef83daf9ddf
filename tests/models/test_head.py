"""When the head is the model's own, and when it is added."""

import pytest

from mltrain.keras_api.components import make
from mltrain.models.head import find_head
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential
from tests.known_data import known_data


def info(task, outputs):
    classes = tuple(f"class {number}" for number in range(outputs)) if task == "multiclass" else ()
    return known_data(task, (4,), outputs, classes, columns=("a", "b", "c", "d"))


BINARY, THREE, NUMBER = info("binary", 1), info("multiclass", 3), info("regression", 1)


def dense(units, activation=None):
    return make("layer", "Dense", units=units, activation=activation)


@pytest.mark.parametrize(
    ("layers", "data", "loss", "added", "logits"),
    [
        ([dense(8, "relu")], BINARY, None, True, False),
        ([dense(8, "relu"), dense(1, "sigmoid")], BINARY, None, False, False),
        ([dense(8, "relu"), dense(3, "softmax")], THREE, None, False, False),
        ([dense(3), make("layer", "Softmax")], THREE, None, False, False),
        ([dense(3), make("layer", "Activation", activation="softmax")], THREE, None, False, False),
        ([dense(1)], NUMBER, None, False, False),
        # Without an activation only the loss can say that these are logits, and not three more hidden units.
        ([dense(3)], THREE, None, True, False),
        ([dense(3)], THREE, {"from_logits": True}, False, True),
        ([dense(1)], BINARY, {"from_logits": True}, False, True),
        # The units or the activation of another task.
        ([dense(2, "softmax")], THREE, None, True, False),
        ([dense(1, "relu")], NUMBER, None, True, False),
        ([make("layer", "Flatten")], THREE, None, True, False),
    ],
)
def test_the_head(layers, data, loss, added, logits):
    name = "BinaryCrossentropy" if data.task == "binary" else "SparseCategoricalCrossentropy"
    head = find_head(tuple(layers), data, make("loss", name, **loss) if loss else None)
    assert (head.added, head.logits) == (added, logits)
    assert head.decision.reason


@pytest.mark.parametrize("data", [BINARY, THREE, NUMBER], ids=lambda data: data.task)
@pytest.mark.parametrize("spec", [Sequential(layers=(dense(8, "relu"),)), Mlp(), Linear()], ids=lambda spec: spec.type)
def test_every_model_ends_in_what_the_task_needs(spec, data):
    model = spec.build(data, None)
    assert model.output_shape == (None, data.output.units)
    activation = {"binary": "sigmoid", "multiclass": "softmax", "regression": "linear"}[data.task]
    assert model.layers[-1].activation.__name__ == activation
