"""Which layers are trained, what is before all of them, and whether it gives the same when it is run alone."""

import keras
import numpy as np
import pytest

from mltrain.errors import MisfitError
from mltrain.models.calls import calls_of
from mltrain.models.trained_layers import TrainedLayers, below, same_as_in_predictions, still_part, why_not_still
from mltrain.trained import Trained
from mltrain.training.held_layers import as_in_predictions

PATH = ("training", "stages", 0, "train")


def network(*, augmented=False, before_head=0.0):
    """Return a small residual backbone with dropout and batch normalization, nested in a model."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="block1_conv")(image)
    x = keras.layers.BatchNormalization(name="block1_bn")(x)
    y = keras.layers.Dropout(0.5, name="block2_drop")(x)
    y = keras.layers.Conv2D(4, 3, padding="same", name="block2_conv")(y)
    y = keras.layers.BatchNormalization(name="block2_bn")(y)
    x = keras.layers.Add(name="block2_add")([x, y])
    x = keras.layers.Conv2D(5, 3, name="block3_conv")(x)
    backbone = keras.Model(image, x, name="backbone")
    given = keras.Input((8, 8, 3))
    x = keras.layers.RandomFlip(name="flip")(given) if augmented else given
    x = keras.layers.Rescaling(2.0, name="scale")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone(x))
    if before_head:
        x = keras.layers.Dropout(before_head, name="head_drop")(x)
    return keras.Model(given, keras.layers.Dense(3, activation="softmax", name="head")(x))


def names(calls):
    return [call.operation.name for call in calls]


def trained(model):
    return {layer.name for layer in model._flatten_layers() if layer._trainable_variables and layer.trainable}


def choose(model, **which):
    layers = TrainedLayers(model, ["backbone"])
    layers.choose(Trained(**which), PATH)
    return layers


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"part": "head"}, {"head"}),
        ({"last": 1}, {"block3_conv", "head"}),
        ({"last": 3}, {"block2_bn", "block3_conv", "head"}),
        ({"first": "block2_drop"}, {"block2_conv", "block2_bn", "block3_conv", "head"}),
        ({"part": "all"}, {"block1_conv", "block1_bn", "block2_conv", "block2_bn", "block3_conv", "head"}),
        ({"last": 8}, {"block1_conv", "block1_bn", "block2_conv", "block2_bn", "block3_conv", "head"}),
    ],
)
def test_the_chosen_layers_are_trained(which, expected):
    model = network()
    choose(model, **which)
    assert trained(model) == expected
    counted = {id(variable): variable for layer in model._flatten_layers() for variable in layer.trainable_variables}
    assert {id(each) for each in model.trainable_variables} == counted.keys()


def test_what_the_config_holds_stays_held():
    model = network()
    model.get_layer("backbone").get_layer("block3_conv").trainable = False
    layers = choose(model, last=3)
    assert trained(model) == {"block2_bn", "head"}
    layers.train_all()
    assert "block3_conv" not in trained(model)


def test_an_unknown_layer_is_named():
    with pytest.raises(
        MisfitError, match=r"the backbone has no layer 'block3_conf' \(did you mean 'block3_conv'\?\)"
    ) as e:
        choose(network(), first="block3_conf")
    assert e.value.path == (*PATH, "from")
    assert "last layers" not in e.value.message


def test_no_weights_left_to_train():
    model = network()
    model.get_layer("head").trainable = False
    with pytest.raises(MisfitError, match="no weights are left to train"):
        choose(model, part="head")


def test_without_a_backbone_the_head_is_the_last_layer_with_weights():
    x = keras.Input((4,))
    y = keras.layers.Dense(3, name="one")(x)
    y = keras.layers.Dropout(0.2)(y)
    model = keras.Model(x, keras.layers.Softmax()(keras.layers.Dense(2, name="two")(y)))
    TrainedLayers(model).choose(Trained(part="head"), PATH)
    assert trained(model) == {"two"}


def test_what_is_below_the_border():
    model = network(before_head=0.5)
    choose(model, first="block2_conv")
    assert names(below(calls_of(model))) == ["scale", "block1_conv", "block1_bn"]
    held = {layer.name for layer in same_as_in_predictions(model, ())}
    assert held == {"scale", "block1_conv", "block1_bn"}
    with_statistics = {layer.name for layer in same_as_in_predictions(model, ["backbone"])}
    assert with_statistics == held | {"block2_bn"}
    choose(model, part="head")
    below_head = names(below(calls_of(model)))
    assert below_head[-1] == "block3_conv"
    assert "block2_drop" in below_head
    assert "head_drop" not in below_head  # it is there for the head


@pytest.mark.parametrize("which", [{"part": "head"}, {"last": 3}, {"first": "block2_conv"}], ids=str)
@pytest.mark.parametrize("before_head", [0.0, 0.5])
def test_the_two_parts_are_the_whole(which, before_head):
    model = network(before_head=before_head)
    for layer in model.get_layer("backbone").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.arange(4) / 10)
    choose(model, **which)
    still = still_part(calls_of(model))
    x = np.random.default_rng(0).normal(size=(5, 8, 8, 3)).astype("float32")
    lower = still.lower([x])
    assert [tuple(each.shape[1:]) for each in lower] == [shape for shape, _ in still.shapes]
    np.testing.assert_array_equal(still.upper(lower, False), model(x, training=False))


def test_pooling_comes_along_and_a_residual_crosses_the_border():
    model = network()
    choose(model, part="head")
    assert still_part(calls_of(model)).shapes == (((5,), "float32"),)
    model = network()
    choose(model, first="block2_conv")
    # What block2_drop gives, which is trained on, is random; the residual goes past it.
    assert still_part(calls_of(model)).shapes == (((8, 8, 4), "float32"),)


def test_augmentation_before_the_frozen_part():
    model = network(augmented=True)
    choose(model, part="head")
    assert still_part(calls_of(model)) is None
    assert why_not_still(calls_of(model)) == "RandomFlip changes the examples before it in each step"
    held = {layer.name for layer in same_as_in_predictions(model, ())}
    assert "flip" not in held
    assert {"block1_bn", "block2_drop"} <= held


def test_held_layers_do_what_they_do_in_predictions():
    model = network()
    choose(model, part="head")
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    expected = np.asarray(model(x, training=False))
    assert np.abs(model(x, training=True) - expected).max() > 1e-4  # dropout, though nothing is trained there
    with as_in_predictions(same_as_in_predictions(model, ())):
        np.testing.assert_array_equal(model(x, training=True), expected)
    assert np.abs(model(x, training=True) - expected).max() > 1e-4


def test_statistics_stay_where_their_layer_is_trained():
    model = network()
    choose(model, part="all")
    normalization = model.get_layer("backbone").get_layer("block2_bn")
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    with as_in_predictions(same_as_in_predictions(model, ["backbone"])):
        model(x, training=True)
    np.testing.assert_array_equal(normalization.moving_mean, np.zeros(4))
    model(x, training=True)
    assert np.abs(normalization.moving_mean).max() > 0


def test_a_model_that_is_called_twice_stays_one_call_each():
    shared = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="inner")], name="shared")
    one, two = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([one, two], keras.layers.Add()([shared(one), shared(two)]))
    calls = calls_of(model)
    assert names(calls.calls).count("shared") == 2
    x = [np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")]
    known = dict(zip(calls.inputs, x, strict=True))
    np.testing.assert_array_equal(calls.run(known, calls.outputs)[0], model(x))


def test_a_class_with_a_call_of_its_own_is_no_graph():
    class Own(keras.Model):
        def call(self, x):
            return x

    assert calls_of(Own()) is None
    assert why_not_still(None) == "the model is not a graph of layers"
