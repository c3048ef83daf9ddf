"""Scores before the activation, of stacks and of graphs with several inputs and outputs, and how a model is walked."""

import keras
import numpy as np
import pytest

from mltrain.keras_api.components import make
from mltrain.models.head import find_head
from mltrain.models.mlp import Mlp
from mltrain.models.scores import score, scores
from mltrain.models.sequential import Sequential
from mltrain.models.walk import head_of, layers_of, traced, walk
from tests.known_data import known_data

CLASSES = ("a", "b", "c")
THREE = known_data("multiclass", (4,), 3, CLASSES)


def rows(*shape):
    return np.random.default_rng(7).normal(size=shape).astype("float32")


@pytest.fixture(scope="module")
def graph():
    """A photo and a table, which meet in a layer: a price, and one of three classes."""
    keras.utils.set_random_seed(3)
    inputs = {"table": keras.Input((3,), name="table"), "photo": keras.Input((4, 4, 1), name="photo")}
    seen = keras.layers.Flatten(name="seen")(inputs["photo"])
    both = keras.layers.Concatenate(name="both")([seen, inputs["table"]])
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(8, "relu", name="hidden")(both))
    logits = keras.layers.Dense(3, name="logits")(hidden)
    kind = keras.layers.Softmax(name="kind")(logits)
    outputs = {"price": keras.layers.Dense(1, "exponential", name="head")(hidden), "kind": kind}
    return keras.Model(inputs, outputs)


def of_graph():
    return {"table": rows(5, 3), "photo": rows(5, 4, 4, 1)}


def test_the_activation_turns_scores_into_outputs(graph):
    x = of_graph()
    found = graph(x, training=False)
    np.testing.assert_allclose(np.exp(scores(graph, x, "price")), found["price"], rtol=1e-5)
    np.testing.assert_allclose(keras.ops.softmax(scores(graph, x, "kind")), found["kind"], rtol=1e-5)


def test_the_score_of_one_output_of_several(graph):
    chosen, of_kind = np.array([0, 1, 2, 0, 1], "int32"), scores(graph, of_graph(), "kind").numpy()
    expected = of_kind[np.arange(5), chosen] - of_kind.mean(axis=1)
    np.testing.assert_allclose(score(graph, of_graph(), chosen, "kind"), expected, rtol=1e-5)
    assert score(graph, of_graph(), chosen, "price").shape == (5,)


def test_the_head_of_several_outputs_has_to_be_named(graph):
    assert head_of(graph, "price").name == "head"
    with pytest.raises(ValueError, match="too many values"):
        head_of(graph)


@pytest.mark.parametrize(
    ("ends", "logits"),
    [
        ((make("layer", "Dense", units=3, activation="softmax"),), False),
        ((make("layer", "Dense", units=3, use_bias=False), make("layer", "Softmax")), False),
        ((make("layer", "Dense", units=3),), True),
    ],
)
def test_scores_of_a_stack_however_it_ends(ends, logits):
    loss = make("loss", "SparseCategoricalCrossentropy", from_logits=logits)
    spec = Sequential(layers=(make("layer", "Dense", units=5, activation="relu"), *ends))
    assert find_head(spec.layers, THREE, loss).added is False
    model, x = spec.build(THREE, loss), rows(6, 4)
    outputs, found = model(x, training=False), scores(model, x)
    assert found.shape == (6, 3)
    np.testing.assert_allclose(found if logits else keras.ops.softmax(found), outputs, rtol=1e-5)


def test_every_layer_is_walked_after_those_that_it_takes_from(graph):
    called = []

    def call(layer, *given, **more):
        called.append(layer.name)
        return layer(*given, **more)

    walk(graph, of_graph(), call)
    assert sorted(called) == sorted(layer.name for layer in layers_of(graph))
    assert called.index("seen") < called.index("both") < called.index("hidden") < called.index("head")
    stack = Mlp(units=(4, 2)).build(THREE, None)
    called.clear()
    walk(stack, rows(2, 4), call)
    assert called == [layer.name for layer in layers_of(stack)] == [layer.name for layer in stack.layers]


def test_a_trace_has_the_shapes_of_all_layers(graph):
    trace = traced(graph, training=True)
    assert trace.error is None
    assert {name: trace.shapes[name] for name in ("both", "kind", "head")} == {
        "both": (19,),
        "kind": (3,),
        "head": (1,),
    }
