"""Weights in each of the layouts of Keras, put into a model by our own reader."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest

from mltrain.errors import DataError
from mltrain.first_weights.hdf5 import open_hdf5
from mltrain.first_weights.layouts import stored_weights
from mltrain.first_weights.matching import complete_match, partial_match
from mltrain.first_weights.model_layers import layers_with_weights, put
from mltrain.first_weights.stored import KeptArray, StoredWeight, StoredWeights

layers = keras.layers


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def backbone(name="backbone", *, names=True, seed=0):
    """Return a small network with two convolutions of the same shape."""
    keras.utils.set_random_seed(seed)

    def called(text):
        return text if names else None

    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same", name=called("first"))(inputs)
    x = layers.BatchNormalization(name=called("first_bn"))(x)
    x = layers.Conv2D(3, 3, padding="same", name=called("second"))(x)
    x = layers.SeparableConv2D(4, 3, name=called("third"))(x)
    return keras.Model(inputs, x, name=name)


def with_head(inner, *, trainable=True):
    """Return a classifier with a network inside it."""
    inner.trainable = trainable
    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(inner(inputs))
    return keras.Model(inputs, layers.Dense(2, name="head")(x))


def flat_classifier(seed=0):
    inner = backbone(seed=seed)
    x = layers.GlobalAveragePooling2D()(inner.output)
    return keras.Model(inner.input, layers.Dense(2, name="head")(x))


def taken(path, model, **how):
    """Put the weights of a file into a model, all of them, and return the match."""
    with open_hdf5(path) as file:
        match = complete_match(layers_with_weights(model), stored_weights(file), **how)
        assert match.complete, (match.absent, match.misfits)
        put(match)
    return match


def same(model, other):
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(model.weights, other.weights, strict=True))


def disturbed(model):
    """Give every weight a value of its own, those of BatchNormalization too."""
    numbers = np.random.default_rng(3)
    model.set_weights([numbers.random(each.shape) for each in model.get_weights()])
    return model


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_the_weights_of_the_model_itself(tmp_path, ending):
    saved = disturbed(backbone())
    path = tmp_path / f"w.{ending}"
    saved.save_weights(path) if ending == "weights.h5" else saved.save(path)
    model = backbone(seed=1)
    assert not same(model, saved)
    match = taken(path, model)
    assert same(model, saved)
    assert match.how == "by name"
    assert len(match.taken) == 4


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
@pytest.mark.parametrize("trainable", [True, False])
def test_the_weights_of_a_model_inside_a_model(tmp_path, ending, trainable):
    inner = disturbed(backbone("mobilenet"))
    if not trainable:  # an .h5 file then has these weights behind the others
        inner.get_layer("first_bn").trainable = False
    whole = with_head(inner)
    path = tmp_path / f"w.{ending}"
    whole.save_weights(path) if ending == "weights.h5" else whole.save(path)
    model = backbone(seed=1)
    match = taken(path, model)
    assert same(model, inner)
    assert {each[-1] for each in match.used} == {"first", "first_bn", "second", "third"}


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_a_head_in_the_file_is_not_taken(tmp_path, ending):
    whole = disturbed(flat_classifier())
    path = tmp_path / f"w.{ending}"
    whole.save_weights(path) if ending == "weights.h5" else whole.save(path)
    model = backbone(seed=1)
    match = taken(path, model)
    assert np.array_equal(model.get_layer("second").kernel.numpy(), whole.get_layer("second").kernel.numpy())
    with open_hdf5(path) as file:
        left = set(stored_weights(file)[0].layers) - match.used
    assert left == {("head",)}


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
@pytest.mark.parametrize("before", [0, 3])
def test_automatic_names_are_counted_from_the_first_of_the_model(tmp_path, ending, before):
    """conv2d_7 may be any Conv2D of a process that has built other models before."""
    saved = disturbed(backbone(names=False))
    path = tmp_path / f"w.{ending}"
    saved.save_weights(path) if ending == "weights.h5" else saved.save(path)
    keras.backend.clear_session()
    for _ in range(before):
        backbone(names=False)
    model = backbone(names=False, seed=1)
    taken(path, model)
    assert same(model, saved)


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_layers_that_changed_places_are_told_by_their_names(tmp_path, ending):
    """Two layers of one kind and shape: Keras would take the wrong one in silence."""

    def two(first, second):
        keras.backend.clear_session()
        inputs = keras.Input((4,))
        x = layers.Dense(4, name=first)(inputs)
        return keras.Model(inputs, layers.Dense(4, name=second)(x))

    saved = disturbed(two("a", "b"))
    path = tmp_path / f"w.{ending}"
    saved.save_weights(path) if ending == "weights.h5" else saved.save(path)
    model = two("b", "a")
    taken(path, model)
    assert np.array_equal(model.get_layer("a").kernel.numpy(), saved.get_layer("a").kernel.numpy())


def test_files_without_names_go_by_kind_and_place(tmp_path):
    """As older versions of Keras 3 wrote them."""
    saved = disturbed(backbone("mobilenet"))
    with_head(saved).save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "r+") as file:
        file.visititems(lambda name, found: found.attrs.pop("name", None))
    model = backbone(seed=1)
    match = taken(tmp_path / "w.weights.h5", model)
    assert match.how == "by kind and place"
    assert same(model, saved)


def test_the_old_names_of_groups(tmp_path):
    saved = disturbed(backbone())
    saved.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    model = backbone(seed=1)
    taken(tmp_path / "w.weights.h5", model)
    assert same(model, saved)


def written_by_keras_2(path, model, *, numbers=":0", whole=False, names=str):
    """Write the weights of a model as Keras 2 did, also with the names of Keras 1."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        if whole:
            file.attrs["model_config"] = json.dumps({"class_name": "Lambda"})
        root.attrs["layer_names"] = [names(each.name).encode() for each in model.layers]
        for layer in model.layers:
            group = root.create_group(names(layer.name))
            found = [f"{names(layer.name)}/{each.name}{numbers}" for each in layer.weights]
            group.attrs["weight_names"] = [each.encode() for each in found]
            for name, variable in zip(found, layer.weights, strict=True):
                group.create_dataset(name, data=variable.numpy())


@pytest.mark.parametrize("whole", [True, False])
def test_files_of_keras_2(tmp_path, whole):
    saved = disturbed(backbone())
    written_by_keras_2(tmp_path / "w.h5", saved, whole=whole)
    model = backbone(seed=1)
    assert taken(tmp_path / "w.h5", model).how == "by name"
    assert same(model, saved)


def test_the_order_decides_where_names_lead_nowhere(tmp_path):
    saved = disturbed(backbone())
    written_by_keras_2(tmp_path / "w.h5", saved, names=lambda name: f"old_{name}")
    model = backbone(seed=1)
    assert taken(tmp_path / "w.h5", model).how == "by the order of layers"
    assert same(model, saved)


def test_the_order_comes_first_where_the_file_was_written_for_the_model(tmp_path):
    """Keras numbers layers from 0, and the files of keras.applications are older: their conv2d_1 is the first."""
    saved = disturbed(backbone(names=False))
    swapped = {"conv2d": "conv2d_1", "conv2d_1": "conv2d"}
    written_by_keras_2(tmp_path / "w.h5", saved, names=lambda name: swapped.get(name, name))
    keras.backend.clear_session()
    model = backbone(names=False, seed=1)
    assert taken(tmp_path / "w.h5", model, ordered=True).how == "by the order of layers"
    assert same(model, saved)


def test_names_of_scopes_before_those_of_layers(tmp_path):
    """NASNet has them, and an .h5 file of a model around it has nothing else."""

    def network(seed):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        inputs = x = keras.Input((4,))
        for number in range(2):
            with keras.src.backend.name_scope(f"block_{number}"):
                x = layers.Dense(4, name=f"dense_of_{number}")(x)
        return keras.Model(inputs, x, name="scoped")

    saved = disturbed(network(0))
    inputs = keras.Input((4,))
    keras.Model(inputs, layers.Dense(2, name="head")(saved(inputs))).save(tmp_path / "w.h5")
    model = network(1)
    assert taken(tmp_path / "w.h5", model).how == "by name"
    assert same(model, saved)


def test_the_order_of_a_model_inside_the_model(tmp_path):
    """ConvNeXt has one: the weights that are trained come first, then those that are not."""

    def network(seed):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((8, 8, 3))
        first, normal = layers.Conv2D(3, 3, name="first"), layers.BatchNormalization(name="normal")
        stem = keras.Sequential([first, normal, layers.Conv2D(3, 3, name="second")], name="stem")
        return keras.Model(inputs, layers.Conv2D(2, 3, name="third")(stem(inputs)))

    saved = disturbed(network(0))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = ["a", "b"]
        for name, layer in zip("ab", saved.layers[1:], strict=True):
            weights = [*layer.trainable_weights, *layer.non_trainable_weights]
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{number}/{each.name}:0" for number, each in enumerate(weights)]
            for number, each in enumerate(weights):
                group.create_dataset(f"{number}/{each.name}:0", data=each.numpy())
    model = network(1)
    assert taken(tmp_path / "w.h5", model).how == "by the order of layers"
    assert same(model, saved)


def test_layers_that_hold_other_layers(tmp_path):
    def network(seed):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((5, 4))
        x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(inputs)
        x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
        x = layers.TimeDistributed(layers.Dense(2), name="each")(x)
        return keras.Model(inputs, x)

    saved = disturbed(network(0))
    for name, save in (("w.weights.h5", saved.save_weights), ("w.h5", saved.save)):
        save(tmp_path / name)
        model = network(1)
        taken(tmp_path / name, model)
        assert same(model, saved)


def test_a_normalization_computes_with_the_new_weights(tmp_path):
    def network(mean):
        keras.backend.clear_session()
        normal = layers.Normalization(name="normal")
        inputs = keras.Input((1,))
        model = keras.Model(inputs, normal(inputs))
        normal.adapt(np.array([[mean - 1.0], [mean + 1.0]]))
        return model

    network(5.0).save_weights(tmp_path / "w.weights.h5")
    model = network(0.0)
    taken(tmp_path / "w.weights.h5", model)
    assert model(np.array([[5.0]])).numpy() == 0


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_each_mismatch_is_named(tmp_path, ending):
    saved = backbone()
    path = tmp_path / f"w.{ending}"
    saved.save_weights(path) if ending == "weights.h5" else saved.save(path)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(5, 3, name="first")(inputs)
    x = layers.BatchNormalization(name="first_bn", scale=False)(x)
    model = keras.Model(inputs, layers.Conv2D(3, 3, name="new")(x))
    with open_hdf5(path) as file:
        match = complete_match(layers_with_weights(model), stored_weights(file))
    assert not match.complete
    assert match.misfits == [
        "first has kernel of shape (3, 3, 3, 5) in the model and (3, 3, 3, 3) in the file",
        "first_bn has 3 weights in the model and 4 in the file",
    ]
    assert [each.name for each in match.absent] == ["new"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.float32("nan"), "first/kernel: some of its numbers are not finite in float32"),
        (np.float64(1e300), "first/kernel: some of its numbers are not finite in float32"),
        (b"text", "first/kernel: expected numbers, found"),
    ],
)
def test_what_is_no_weight(tmp_path, value, said):
    written_by_keras_2(tmp_path / "w.h5", backbone())
    with h5py.File(tmp_path / "w.h5", "r+") as file:
        del file["first/first/kernel:0"]
        file["first/first/kernel:0"] = np.full((3, 3, 3, 3), value)
    model = backbone(seed=1)
    with pytest.raises(DataError) as error:
        taken(tmp_path / "w.h5", model)
    assert said in str(error.value)


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", "bfloat16"])
def test_other_kinds_of_numbers(tmp_path, dtype):
    model = backbone()
    if dtype == "bfloat16":
        keras.config.set_dtype_policy("bfloat16")
        saved = backbone()
        keras.config.set_dtype_policy("float32")
        saved.save_weights(tmp_path / "w.weights.h5")
        path = tmp_path / "w.weights.h5"
    else:
        saved, path = disturbed(backbone(seed=2)), tmp_path / "w.h5"
        written_by_keras_2(path, saved)
        with h5py.File(path, "r+") as file:
            kernel = saved.get_layer("first").kernel.numpy().astype(dtype)
            del file["first/first/kernel:0"]
            file["first/first/kernel:0"] = kernel
    taken(path, model)
    np.testing.assert_allclose(
        model.get_layer("first").kernel.numpy(),
        np.asarray(saved.get_layer("first").kernel.numpy(), "float32"),
        rtol=1e-2,
    )


def kept(**shapes):
    weights = [
        StoredWeight(tuple(name.split("__")), ("kernel",), KeptArray(np.ones(shape))) for name, shape in shapes.items()
    ]
    return StoredWeights(weights)


def dense(*names):
    """Return a model of dense layers without biases, 4 numbers wide, the last one inside another model."""
    *outer, last = names
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.Dense(4, use_bias=False, name=last)(inner_input), name="inner")
    inputs = x = keras.Input((4,))
    for name in outer:
        x = layers.Dense(4, use_bias=False, name=name)(x)
    return keras.Model(inputs, inner(x))


def test_what_has_an_equal_name_and_shape_is_taken_wherever_it_is():
    model = dense("a", "b", "c", "d")
    match = partial_match(layers_with_weights(model), kept(other__a=(4, 4), b=(4, 5), d=(4, 4), e=(4, 4)))
    assert set(match.taken) == {("a",), ("inner", "d")}
    assert match.misfits == ["b has kernel of shape (4, 4) in the model and (4, 5) in the file"]
    assert [each.path for each in match.absent] == [("c",)]
    put(match)
    assert (model.get_layer("a").kernel.numpy() == 1).all()
    assert not (model.get_layer("c").kernel.numpy() == 1).all()


def test_a_name_that_is_there_twice_is_taken_where_all_names_are_equal():
    model = dense("a", "d")
    match = partial_match(layers_with_weights(model), kept(x__a=(4, 4), y__a=(4, 4), inner__d=(4, 4), d=(4, 4)))
    assert set(match.taken) == {("inner", "d")}
