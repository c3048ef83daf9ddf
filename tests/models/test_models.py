"""The networks that the model specs build."""

import pytest

from mltrain.errors import MisfitError
from mltrain.keras_api.components import make
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential
from mltrain.task import DataInfo


def info(shape=(4,), outputs=3):
    classes = tuple("abcdefgh"[:outputs])
    return DataInfo("multiclass", shape, "float32", outputs, classes, (), 10)


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
    assert error.value.message.startswith("MaxPooling2D does not fit on outputs of shape (batch, 4) below it: ")


def test_outputs_of_the_wrong_shape_are_named():
    spec = Sequential(layers=(make("layer", "Conv1D", filters=4, kernel_size=2),))
    with pytest.raises(MisfitError, match=r"it ends in shape \(batch, 4, 3\), and multiclass needs \(batch, 3\)"):
        spec.build(info((5, 2)), None)
