"""Rules for speed: where they apply, and that what they choose changes the last digits only."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from mltrain.models.sequential import Sequential
from mltrain.training.acceleration import (
    UNACCELERATED,
    accelerate,
    choose_precision,
    evaluation_block,
    recurrences,
)
from mltrain.training.devices import DeviceChoice
from mltrain.training.progress import Chunks
from mltrain.training.spec import TrainingSpec
from tests.training.test_loop import (
    ROWS,
    VALIDATION_ROWS,
    FewSteps,
    adam,
    by_our_loop,
    compiled,
    convolution,
    data,
    recurrence,
)

pytestmark = pytest.mark.long

CPU = DeviceChoice("cpu", "a processor", "no GPU", 0, 0, computes_bfloat16=True, place="cpu")
GPU = replace(CPU, kind="gpu", name="a GPU")
MANY, FEW = 1_000_000, 100
AUTO = TrainingSpec()


def model(*layers, shape=(8,)):
    return keras.Sequential([keras.Input(shape), *layers])


def dense_model():
    return model(
        keras.layers.Dense(4, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    )


def test_xla_is_for_dense_nets_that_train_for_long():
    assert accelerate(dense_model(), MANY, CPU, AUTO, {}).xla
    assert not accelerate(dense_model(), FEW, CPU, AUTO, {}).xla
    assert not accelerate(dense_model(), MANY, GPU, AUTO, {}).xla


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (keras.layers.Conv2D(4, 3), (8, 8, 1)),
        (keras.layers.DepthwiseConv2D(3), (8, 8, 1)),
        (keras.layers.Conv1D(4, 3), (8, 1)),
        (keras.layers.LSTM(4), (8, 1)),
        (keras.layers.Bidirectional(keras.layers.GRU(4)), (8, 1)),
        (keras.layers.TimeDistributed(keras.layers.Conv1D(4, 3)), (8, 8, 1)),
        (keras.layers.RandomRotation(0.1), (8, 8, 1)),
        (keras.layers.Dropout(0.1), (8,)),
    ],
    ids=lambda value: value.name if isinstance(value, keras.layers.Layer) else "",
)
def test_xla_stays_out_of_what_it_makes_slower_cannot_compile_or_draws_otherwise(layer, shape):
    """A convolution takes 10 to 40 times as long with XLA on a CPU."""
    chosen = accelerate(model(layer, keras.layers.Flatten(), shape=shape), MANY, CPU, AUTO, {})
    assert not chosen.xla
    assert chosen.decisions[0].value == "off"


def test_what_is_stated_holds():
    assert not accelerate(dense_model(), MANY, CPU, TrainingSpec(xla=False), {}).xla
    assert accelerate(dense_model(), FEW, CPU, TrainingSpec(xla=True), {}).xla


def test_a_run_that_goes_on_is_computed_as_it_began():
    network = model(keras.layers.LSTM(4), shape=(8, 1))
    before = {"xla": True, "unrolled": False}
    assert accelerate(dense_model(), FEW, CPU, AUTO, before).xla
    assert not accelerate(network, MANY, CPU, AUTO, before).unroll
    assert not accelerate(network, FEW, CPU, AUTO, {"xla": False, "unrolled": False}).unroll
    assert accelerate(network, FEW, CPU, AUTO, {"xla": False, "unrolled": True}).unroll
    assert not accelerate(network, MANY, CPU, TrainingSpec(unroll=False), {}).unroll
    # What was stated since is a difference that is asked about elsewhere.
    assert not accelerate(dense_model(), FEW, CPU, TrainingSpec(xla=False), before).xla


@pytest.mark.parametrize(
    ("steps", "updates", "device", "unrolled"),
    [
        (50, MANY, CPU, True),
        (50, FEW, CPU, False),
        (65, MANY, CPU, False),
        (None, MANY, CPU, False),
        (50, MANY, GPU, False),
    ],
)
def test_short_recurrences_are_unrolled(steps, updates, device, unrolled):
    network = model(keras.layers.Bidirectional(keras.layers.SimpleRNN(4)), shape=(steps, 2))
    assert accelerate(network, updates, device, AUTO, {}).unroll == unrolled


@pytest.mark.parametrize(
    ("layers", "updates", "device", "fused"),
    [
        ([keras.layers.LSTM(4, dropout=0.2)], MANY, CPU, True),
        ([keras.layers.Bidirectional(keras.layers.LSTM(4))], MANY, CPU, True),
        ([keras.layers.LSTM(4)], FEW, CPU, False),
        ([keras.layers.LSTM(4)], MANY, GPU, False),
        ([keras.layers.LSTM(4, activation="relu")], MANY, CPU, False),
        ([keras.layers.LSTM(4, use_bias=False)], MANY, CPU, False),
        ([keras.layers.LSTM(4, recurrent_dropout=0.2)], MANY, CPU, False),
        ([keras.layers.LSTM(4, return_sequences=True), keras.layers.GRU(4)], MANY, CPU, True),
        ([keras.layers.GRU(4, dropout=0.2)], MANY, CPU, True),
        ([keras.layers.GRU(4, reset_after=False)], MANY, CPU, False),
        ([keras.layers.LSTM(4, return_sequences=True), keras.layers.SimpleRNN(4)], MANY, CPU, False),
        ([keras.layers.Masking(), keras.layers.LSTM(4)], MANY, CPU, False),
        ([keras.layers.LSTM(4, dtype="mixed_bfloat16")], MANY, CPU, False),
    ],
)
def test_layers_are_fused_where_the_operations_compute_them(layers, updates, device, fused):
    chosen = accelerate(model(*layers, shape=(50, 2)), updates, device, AUTO, {})
    assert chosen.fuse == fused
    assert not (fused and chosen.unroll)


def test_layers_over_any_number_of_steps_are_not_fused():
    assert not accelerate(model(keras.layers.GRU(4), shape=(None, 2)), MANY, CPU, AUTO, {}).fuse


@pytest.mark.parametrize(
    ("asked", "layers", "device", "chosen"),
    [
        ("float32", ["Conv2D"], CPU, "float32"),
        ("mixed_bfloat16", ["Dense"], CPU, "mixed_bfloat16"),
        ("auto", ["Conv2D"], CPU, "mixed_bfloat16"),
        ("auto", ["Conv2D"], replace(CPU, computes_bfloat16=False), "float32"),
        ("auto", ["Dense"], CPU, "float32"),
    ],
)
def test_precision(asked, layers, device, chosen):
    arguments = {"Conv2D": {"filters": 2, "kernel_size": 3}, "Dense": {"units": 2}}
    spec = Sequential.model_validate({"layers": [{"type": name, **arguments[name]} for name in layers]})
    assert choose_precision(asked, spec.written_layers, device)[0] == chosen
    assert choose_precision("auto", (), device)[0] == "float32"


def test_blocks_are_smaller_where_a_layer_gives_more():
    for network, block in (
        (dense_model(), 8192),
        (model(keras.layers.Conv2D(32, 3, padding="same"), shape=(28, 28, 1)), 512),
        (model(keras.layers.Conv2D(512, 3, padding="same"), shape=(128, 128, 3)), 32),
    ):
        assert evaluation_block(network, "auto")[0] == block
        assert evaluation_block(network, 100)[0] == 100


def both_ways(network, shape, **acceleration):
    train, validation = data(shape, ROWS, 1), data(shape, VALIDATION_ROWS, 2)
    plain, fast = compiled(network, shape, adam), compiled(network, shape, adam)
    expected = by_our_loop(plain, train, validation, Chunks())
    found = by_our_loop(fast, train, validation, FewSteps(), replace(UNACCELERATED, **acceleration))
    return expected, found, plain, fast


def hidden(inputs):
    normalized = keras.layers.LayerNormalization()(keras.layers.Dense(24, kernel_regularizer="l2")(inputs))
    return keras.layers.BatchNormalization()(keras.layers.ReLU()(normalized))


def test_xla_gives_the_same_history_with_a_last_batch_that_is_smaller():
    expected, found, plain, fast = both_ways(hidden, (7,), xla=True)
    assert ROWS % 16
    for mine, other in zip(found, expected, strict=True):
        assert mine == pytest.approx(other, abs=1e-5)
    for mine, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4, rtol=0)


def test_unrolling_gives_the_same_history_and_leaves_the_layer_as_it_was():
    expected, found, plain, fast = both_ways(recurrence, (6, 3), unroll=True)
    for mine, other in zip(found, expected, strict=True):
        assert mine == pytest.approx(other, abs=1e-6)
    for mine, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6, rtol=0)
    assert [layer.unroll for layer in recurrences(fast)] == [False]


RECURRENCES = {
    "last output": [keras.layers.LSTM(5)],
    "stacked": [keras.layers.LSTM(5, return_sequences=True), keras.layers.LSTM(4)],
    "backwards": [keras.layers.LSTM(5, go_backwards=True, return_sequences=True), keras.layers.Flatten()],
    "both ways": [
        keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True)),
        keras.layers.Bidirectional(keras.layers.LSTM(3)),
    ],
    "dropout": [keras.layers.LSTM(5, dropout=0.3)],
    "what it cannot": [keras.layers.LSTM(5, activation="relu", return_sequences=True), keras.layers.LSTM(4)],
    "GRU": [keras.layers.GRU(5, dropout=0.3)],
    "both kinds": [keras.layers.LSTM(5, return_sequences=True), keras.layers.Bidirectional(keras.layers.GRU(4))],
    "masked": [keras.layers.Masking(), keras.layers.LSTM(5)],
}


@pytest.mark.parametrize("layers", RECURRENCES.values(), ids=RECURRENCES)
def test_fused_layers_give_the_same_history(layers):
    def network(inputs):
        return keras.Sequential([type(each).from_config(each.get_config()) for each in layers])(inputs)

    expected, found, plain, fast = both_ways(network, (6, 3), fuse=True)
    for mine, other in zip(found, expected, strict=True):
        assert mine == pytest.approx(other, abs=1e-5)
    for mine, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5, rtol=0)


def test_convolutions_know_nothing_of_it():
    expected, found, _, _ = both_ways(convolution, (8, 8, 1), unroll=True)
    assert found == expected
