"""The networks that the model specs build."""

import pytest

from mltrain.errors import MisfitError
from mltrain.keras_api.components import make
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential
from tests.known_data import known_data


def info(shape=(4,), outputs=3):
    classes = tuple("abcdefgh"[:outputs])
    return known_data("multiclass", shape, outputs, classes)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_an_mlp_is_layer_after_layer():
    model = Mlp(units=(8, 5), dropout=0.5).build(info(), None)
    assert kinds(model) == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [8, 5, 3]


@pytest.mark.parametrize(("name", "kind"), [("batch", "BatchNormalization"), ("layer", "LayerNormalization")])
def test_normalization_stands_before_the_activation(name, kind):
    model = Mlp(units=(8,), normalization=name).build(info(), None)
    assert kinds(model) == ["Dense", kind, "Activation", "Dense"]
    assert model.layers[0].activation.__name__ == "linear"


def test_images_are_flattened_for_an_mlp():
    assert kinds(Mlp(units=(8,)).build(info((4, 4, 1)), None)) == ["Flatten", "Dense", "Dense"]
    assert kinds(Linear().build(info((4, 4, 1)), None)) == ["Flatten", "Dense"]


def test_a_regularizer_reaches_every_hidden_layer():
    model = Mlp(units=(8, 8), kernel_regularizer=make("regularizer", "L2", l2=0.5)).build(info(), None)
    assert [layer.kernel_regularizer is not None for layer in model.layers] == [True, True, False]


def test_a_linear_model_starts_where_it_is_told():
    kernel, bias = Linear(kernel_initializer=make("initializer", "Zeros")).build(info(), None).get_weights()
    assert not kernel.any()
    assert not bias.any()


def test_a_layer_that_does_not_fit_is_named():
    spec = Sequential(layers=(make("layer", "Dense", units=4), make("layer", "MaxPooling2D")))
    with pytest.raises(MisfitError) as error:
        spec.build(info(), None)
    assert error.value.path == ("model", "layers", 1)
    assert error.value.message.startswith(
        "MaxPooling2D does not accept outputs of shape (batch, 4) from the layer before it: "
    )


def layer(kind, /, **arguments):
    return make("layer", kind, **arguments)


@pytest.mark.parametrize(
    ("layers", "place", "message"),
    [
        (
            [layer("Flatten"), layer("RandomFlip")],
            1,
            r"RandomFlip does not accept outputs of shape \(batch, 64\) (while training )?from the layer before it: "
            r"Expected image",
        ),
        (
            [layer("RandomCrop", height=5, width=5), layer("Flatten"), layer("Dense", units=4)],
            0,
            r"RandomCrop gives outputs of shape \(batch, 5, 5, 1\) while training and \(batch, 8, 8, 1\) otherwise: "
            "add a layer after it that makes both equal, such as CenterCrop",
        ),
        ([layer("Flatten"), layer("Dense", units=2, name="x"), layer("Dense", units=2, name="x")], 2, "the name 'x'"),
        # The head is ours: the one that can be changed is to blame.
        (
            [layer("Flatten"), layer("Dense", units=2, name="head")],
            1,
            "another layer of the model has the name 'head': rename one of them",
        ),
        ([layer("Conv2D", filters=2, kernel_size=9)], 0, "Computed output size would be zero or negative"),
        ([layer("Flatten"), layer("BatchNormalization", axis=5)], 1, "BatchNormalization does not accept"),
    ],
)
def test_a_layer_that_cannot_be_called_is_named(layers, place, message):
    with pytest.raises(MisfitError, match=message) as error:
        Sequential(layers=layers).build(info((8, 8, 1)), None)
    assert error.value.path == ("model", "layers", place)


@pytest.mark.parametrize("behind", ["CenterCrop", "GlobalAveragePooling2D"])
def test_a_random_crop_is_fine_when_what_follows_takes_both_shapes(behind):
    size = {"height": 5, "width": 5}
    layers = (layer("RandomCrop", **size), layer(behind, **(size if behind == "CenterCrop" else {})), layer("Flatten"))
    assert Sequential(layers=layers).build(info((8, 8, 1)), None).output_shape == (None, 3)


def indices(smallest, largest, dtype="int32"):
    return known_data("multiclass", (6,), 3, ("a", "b", "c"), dtype=dtype, limits=(smallest, largest))


@pytest.mark.parametrize("above", [(), (layer("Reshape", target_shape=(6,)),)])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (indices(0, 5), "the largest index in the data is 5: expected at least 6, received 5"),
        (indices(-1, 4), "the smallest index in the data is -1, and indices begin at 0"),
        (indices(-0.5, 1, "float32"), "the smallest index in the data is -0.5"),
    ],
)
def test_an_index_without_a_place_in_the_table(above, data, message):
    layers = (*above, layer("Embedding", input_dim=5, output_dim=2), layer("Flatten"))
    with pytest.raises(MisfitError, match=message) as error:
        Sequential(layers=layers).build(data, None)
    assert error.value.path == ("model", "layers", len(above), "input_dim")


def test_indices_that_fit_or_are_made_by_a_layer():
    embedding = (layer("Embedding", input_dim=5, output_dim=2), layer("Flatten"))
    for data, layers in [
        (indices(0, 4), embedding),
        (known_data("multiclass", (6,), 3, ("a", "b", "c"), dtype="int32"), embedding),
        (indices(0, 900), (layer("Hashing", num_bins=5), *embedding)),
    ]:
        assert Sequential(layers=layers).build(data, None).output_shape == (None, 3)


def test_outputs_of_the_wrong_shape_are_named():
    spec = Sequential(layers=(make("layer", "Conv1D", filters=4, kernel_size=2),))
    with pytest.raises(MisfitError, match=r"it ends in shape \(batch, 4, 3\), and multiclass needs \(batch, 3\)"):
        spec.build(info((5, 2)), None)
