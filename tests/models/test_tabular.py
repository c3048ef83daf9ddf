"""The parts of `tabular` beside the formulas of their papers, on small numbers."""

import math
from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np
import pytest

from mltrain.models.members import MEMBERS
from mltrain.models.tabular import Tabular
from mltrain.models.tabular_layers import pieces, robust_scaling, squeezed
from mltrain.task import DataInfo, Input, Output
from tests.known_data import known_data

ROWS = np.array([[1.0, 5.0, 0.0], [2.0, 5.0, 0.0], [3.0, 5.0, 0.0], [4.0, 5.0, 8.0], [100.0, 5.0, 0.0]])


def table(columns, numbers, task="regression", units=1, classes=()):
    given = Input("table", (len(columns),), "float32", columns, numbers=numbers)
    return DataInfo((given,), (Output("y", task, units, classes),), 100)


def built(spec, info, rows):
    keras.utils.set_random_seed(1)
    model = spec.build(info, None)
    spec.initialise(model, info, {"table": rows.astype(np.float32)}, {})
    return model


def test_numbers_are_centered_on_the_median_and_divided_by_the_quartile_range():
    center, factor = robust_scaling(ROWS)
    np.testing.assert_array_equal(center, [3, 5, 0])
    # Quartiles 2 and 4; a constant column; half of the rows are 0, so 2 / (8 - 0).
    np.testing.assert_array_equal(factor, [1 / 2, 0, 2 / 8])


def test_numbers_are_squeezed_between_minus_and_plus_three():
    for x in (-50.0, -1.0, 0.0, 0.5, 3.0, 1e6):
        assert squeezed(x) == pytest.approx(x / math.sqrt(1 + (x / 3) ** 2))
    assert abs(squeezed(1e9)) <= 3
    assert squeezed(3.0) == pytest.approx(3 / math.sqrt(2))


def test_a_number_is_cut_into_pieces_between_quantiles():
    slopes, offsets = pieces(np.array([[0.0], [1.0], [2.0], [4.0], [8.0]]), 4)
    borders = [0.0, 1.0, 2.0, 4.0, 8.0]
    for value in (-1.0, 0.0, 0.25, 1.5, 3.0, 7.0, 9.0):
        # Gorishniy et al., 2022, equation 1, with 0 before the first border and 1 behind the last one.
        expected = [min(max((value - low) / (high - low), 0), 1) for low, high in pairwise(borders)]
        np.testing.assert_allclose(np.clip(value * slopes[0] + offsets[0], 0, 1), expected, atol=1e-12)


def test_equal_quantiles_are_one_border_and_a_constant_column_has_no_pieces():
    slopes, offsets = pieces(ROWS[:, 1:], 4)
    assert not slopes[0].any()
    assert not offsets[0].any()
    assert np.count_nonzero(slopes[1]) == 1  # 0 for most rows, and 8
    np.testing.assert_allclose(np.clip(8 * slopes[1] + offsets[1], 0, 1), [1, 0, 0, 0], atol=1e-6)


def test_the_layers_compute_the_formulas():
    spec = Tabular(units=(4,), members=2, pieces=4, width=3, dropout=0.0)
    model = built(spec, table(("a", "b", "c"), (0, 2)), ROWS)
    center, factor = robust_scaling(ROWS[:, [0, 2]])
    z = squeezed((ROWS[:, [0, 2]] - center) * factor)
    slopes, offsets = pieces(z, 4)
    shares = np.clip(z[:, :, None] * slopes + offsets, 0, 1)
    of_pieces, straight = (
        layer for layer in model.layers if getattr(layer, "equation", "") in ("bft,ftw->bfw", "bf,fw->bfw")
    )
    if of_pieces.equation == "bf,fw->bfw":
        of_pieces, straight = straight, of_pieces
    formed = np.einsum("bft,ftw->bfw", shares, of_pieces.kernel) + of_pieces.bias.numpy()
    formed = np.maximum(formed + z[:, :, None] * straight.kernel.numpy(), 0).reshape(5, 6)
    entering = np.concatenate([formed, ROWS[:, 1:2]], axis=1)
    factors = model.get_layer("factors_of_members").kernel.numpy()
    assert set(np.unique(factors)) == {-1.0, 1.0}
    (dense,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    hidden = np.maximum((entering[:, None] * factors) @ dense.kernel.numpy() + dense.bias.numpy(), 0)
    last = model.get_layer(MEMBERS)
    scores = np.einsum("bmf,mfu->bmu", hidden, last.kernel) + last.bias.numpy()
    np.testing.assert_allclose(model(ROWS.astype(np.float32)).numpy(), scores.mean(axis=1), rtol=1e-4, atol=1e-5)


def test_waves_are_cosines_with_a_learned_frequency_beside_the_number():
    spec = Tabular(units=(4,), members=1, numbers="waves", pieces=5, width=2, dropout=0.0, scaling="none")
    model = built(spec, table(("a",), (0,)), ROWS[:, :1])
    waves, mixed = (layer for layer in model.layers if getattr(layer, "equation", "") in ("bf,ft->bft", "bft,ftw->bfw"))
    x = ROWS[:, :1]
    cosines = np.cos(x[:, :, None] * waves.kernel.numpy() + waves.bias.numpy())
    formed = np.maximum(np.einsum("bft,ftw->bfw", cosines, mixed.kernel) + mixed.bias.numpy(), 0)
    entering = np.concatenate([formed, x[:, :, None]], axis=-1).reshape(5, 3)
    inside = keras.Model(model.input, next(each for each in model.layers if isinstance(each, keras.layers.Dense)).input)
    np.testing.assert_allclose(inside(x.astype(np.float32)).numpy()[:, 0], entering, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(("task", "units", "classes"), [("binary", 1, ("a", "b")), ("multiclass", 3, ("a", "b", "c"))])
def test_the_mean_of_the_scores_passes_the_activation_of_the_task(task, units, classes):
    info = table(("a", "b", "c"), (0, 1, 2), task, units, classes)
    model = built(Tabular(units=(4,), members=3), info, ROWS)
    scores = keras.Model(model.input, model.get_layer(MEMBERS).output)(ROWS.astype(np.float32)).numpy()
    assert scores.shape == (5, 3, units)
    mean = scores.mean(axis=1)
    expected = 1 / (1 + np.exp(-mean)) if units == 1 else np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(ROWS.astype(np.float32)).numpy(), expected, rtol=1e-5)
    assert model.output._keras_history.operation.name == "head"


def test_what_is_fitted_is_not_trained_and_needs_no_rows_to_be_built():
    info = table(("a", "b", "c"), (0, 1, 2))
    model = built(Tabular(units=(4,)), info, ROWS)
    fitted = {"robust_scaling", "borders_of_pieces"}
    assert {layer.name for layer in model.layers if layer.weights and not layer.trainable_weights} == fitted
    again = Tabular(units=(4,)).build(info, None)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(ROWS.astype(np.float32)), model(ROWS.astype(np.float32)))


def test_arrays_of_features_are_numbers_too():
    info = known_data("regression", shape=(3,))
    model = Tabular(units=(4,)).build(info, None)
    assert model.get_layer("robust_scaling").kernel.shape == (3,)


def test_windows_of_a_series_are_numbers_too():
    info = known_data("regression", shape=(4, 2))
    spec = Tabular(units=(4,), numbers="none", members=1, dropout=0.0)
    model = spec.build(info, None)
    windows = np.arange(40, dtype="float32").reshape(5, 4, 2)
    spec.initialise(model, info, {"x": windows}, {})
    center, factor = robust_scaling(windows.reshape(5, 8).astype(float))
    np.testing.assert_allclose(model.get_layer("robust_scaling").bias, -center * factor)
    assert model(windows).shape == (5, 1)


def test_a_table_of_categories_alone_has_no_pieces():
    model = Tabular(units=(4,)).build(table(("a=x", "a=y"), ()), None)
    assert not any(layer.name in ("robust_scaling", "borders_of_pieces") for layer in model.layers)


def test_images_are_refused_in_words():
    images = Input("photo", (8, 8, 3), "float32")
    assert "not photo: use `type: fusion`" in Tabular().inputs_problem((images,))


@pytest.mark.parametrize(("rows", "form"), [(24, "none"), (25, "pieces")])
def test_few_rows_for_many_numbers_have_no_pieces(rows, form):
    columns = tuple("abcde")
    info = replace(table(columns, tuple(range(5))), train_rows=rows)
    spec = Tabular(units=(4,), members=2)
    model = spec.build(info, None)
    assert ("borders_of_pieces" in [layer.name for layer in model.layers]) is (form == "pieces")
    (said,) = spec.choices(info)
    assert (said.what, said.value) == ("model.numbers", form)
    assert said.reason == f"{rows} training rows for 5 columns of numbers"
    assert not Tabular(numbers="waves").choices(info)
