"""Fused LSTM and GRU layers against Keras' own in float64: outputs, states and every gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.training import fused_recurrences
from mltrain.training.fused_recurrences import fused, fusible

pytestmark = pytest.mark.long

STEPS, FEATURES, UNITS = 5, 3, 4
# One batch is computed whole, the other in halves of different sizes.
ROWS = (5, 65)
STATES = {"LSTM": 2, "GRU": 1}
OPTIONS = {
    "last output": {},
    "all outputs": {"return_sequences": True},
    "last output and states": {"return_state": True},
    "all outputs and states": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_sequences": True},
    "backwards, last output": {"go_backwards": True},
}
WAYS = {"LSTM": ("kernel", "loops"), "GRU": ("loops",)}
EVERY_WAY = [(kind, way, rows) for kind, ways in WAYS.items() for way in ways for rows in ROWS]


@pytest.fixture
def use(monkeypatch):
    """Choose between both ways of an LSTM, which its size would decide."""

    def choose(way):
        monkeypatch.setattr(fused_recurrences, "_LARGEST_IN_KERNEL", 0 if way == "loops" else 10**12)

    return choose


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def computed(network, arrays, asked, dtype="float32"):
    """Return outputs, and the gradients of inputs, first states and weights.

    Args:
        network: of tensors, with `trainable_weights`.
        arrays: inputs, and first states if there are any.
        asked: whether layers are fused.
        dtype: of the arrays.
    """

    def loss_of(number, output):
        # Other factors for each number, so that no two gradients are the same.
        return tf.reduce_sum(output * tf.constant(random(*output.shape, seed=number), output.dtype))

    @tf.function(autograph=False)
    def run(*tensors):
        with tf.GradientTape() as tape, fused(asked):
            tape.watch(tensors)
            states = {"initial_state": list(tensors[1:])} if len(tensors) > 1 else {}
            outputs = tf.nest.flatten(network(tensors[0], **states))
            loss = tf.add_n([loss_of(*each) for each in enumerate(outputs)])
        weights = [weight.value for weight in network.trainable_weights]
        return outputs, tape.gradient(loss, [*tensors, *weights])

    found = run(*(tf.constant(each, dtype) for each in arrays))
    return [each.numpy() for each in tf.nest.flatten(found)]


def compared(make, arrays):
    """Compare a network, which `make(dtype)` makes, fused in float32 with Keras' own in float64."""
    exact, fast = make("float64"), make("float32")
    for each in (exact, fast):
        each.build(arrays[0].shape)
    fast.set_weights([random(*each.shape, seed=number) / 2 for number, each in enumerate(fast.weights)])
    exact.set_weights(fast.get_weights())
    arrays = [each.astype(np.float32) for each in arrays]
    for mine, other in zip(computed(fast, arrays, True), computed(exact, arrays, False, "float64"), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5 * max(1, np.abs(other).max()))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(("kind", "way", "rows"), EVERY_WAY)
def test_outputs_and_gradients_are_those_of_keras(use, kind, way, rows, options):
    use(way)
    compared(
        lambda dtype: getattr(keras.layers, kind)(UNITS, dtype=dtype, **options),
        [random(rows, STEPS, FEATURES, seed=9)],
    )


@pytest.mark.parametrize(("kind", "way", "rows"), EVERY_WAY)
def test_first_states_and_their_gradients(use, kind, way, rows):
    use(way)
    states = [random(rows, UNITS, seed=10 + number) for number in range(STATES[kind])]
    compared(
        lambda dtype: getattr(keras.layers, kind)(UNITS, dtype=dtype, return_state=True),
        [random(rows, STEPS, FEATURES, seed=9), *states],
    )


@pytest.mark.parametrize(("kind", "way"), [(kind, way) for kind, ways in WAYS.items() for way in ways])
def test_layers_on_top_of_each_other_and_both_ways(use, kind, way):
    use(way)
    layer = getattr(keras.layers, kind)

    def make(dtype):
        return keras.Sequential(
            [
                keras.layers.Bidirectional(layer(UNITS, return_sequences=True, dtype=dtype), dtype=dtype),
                layer(UNITS, return_sequences=True, dtype=dtype),
                layer(2, dtype=dtype),
            ]
        )

    compared(make, [random(65, STEPS, FEATURES, seed=9)])


@pytest.mark.parametrize(("kind", "way"), [(kind, way) for kind, ways in WAYS.items() for way in ways])
def test_the_same_dropout_is_drawn(use, kind, way):
    use(way)
    inputs = [random(65, STEPS, FEATURES, seed=9)]
    found = []
    for asked in (True, False):
        layer = getattr(keras.layers, kind)(UNITS, dropout=0.5, seed=3, kernel_initializer="ones")
        network = keras.Sequential([layer])
        network.build(inputs[0].shape)
        layer.cell.recurrent_kernel.assign(random(*layer.cell.recurrent_kernel.shape) / 2)
        traced = lambda x, layer=layer, **_: layer(x, training=True)  # noqa: E731
        traced.trainable_weights = layer.trainable_weights
        found.append(computed(traced, inputs, asked))
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5 * max(1, np.abs(other).max()))
    assert not np.array_equal(found[0][1], np.zeros_like(found[0][1]))


def operations(layer, shape, mask=None):
    """Return the kinds of operations that a layer is traced into, and the functions that it calls."""
    layer.build(shape)
    with fused(True):
        specs = [tf.TensorSpec(shape), *([tf.TensorSpec(shape[:2], "bool")] if mask else [])]
        traced = tf.function(lambda x, mask=None: layer(x, mask=mask)).get_concrete_function(*specs)
    found = traced.graph.get_operations()
    return [each.type for each in found] + [
        each.get_attr("f").name for each in found if each.type.endswith("PartitionedCall")
    ]


def test_what_is_traced_follows_from_the_size():
    small, large = operations(keras.layers.LSTM(4), (2, 6, 3)), operations(keras.layers.LSTM(128), (64, 6, 3))
    gru = operations(keras.layers.GRU(4), (66, 6, 3))
    assert small.count("BlockLSTM") == 1
    assert "BlockLSTM" not in large
    assert all(sum("forward" in each for each in found) == 2 for found in (large, gru))
    assert operations(keras.layers.LSTM(4), (66, 6, 3)).count("BlockLSTM") == 2
    assert not any("While" in each for each in small + large + gru)


REFUSED = [
    keras.layers.LSTM(4, activation="relu"),
    keras.layers.LSTM(4, recurrent_activation="hard_sigmoid"),
    keras.layers.LSTM(4, use_bias=False),
    keras.layers.LSTM(4, recurrent_dropout=0.2),
    keras.layers.LSTM(4, dtype="mixed_bfloat16"),
    keras.layers.GRU(4, reset_after=False),
    keras.layers.GRU(4, activation="relu"),
    keras.layers.GRU(4, use_bias=False),
    keras.layers.GRU(4, recurrent_dropout=0.2),
    keras.layers.GRU(4, dtype="mixed_bfloat16"),
    keras.layers.SimpleRNN(4),
]


@pytest.mark.parametrize(
    "layer", REFUSED, ids=[f"{layer.__class__.__name__} {number}" for number, layer in enumerate(REFUSED)]
)
def test_what_cannot_be_fused_is_left_to_keras(layer):
    found = operations(type(layer).from_config(layer.get_config()), (66, 6, 3))
    assert not fusible(layer)
    assert any("While" in each for each in found)
    assert "BlockLSTM" not in found


@pytest.mark.parametrize("kind", STATES)
def test_masks_and_unknown_lengths(kind):
    layer = getattr(keras.layers, kind)(4)
    assert fusible(layer)
    assert any("While" in each for each in operations(layer, (66, 6, 3), mask=True))
    unknown = operations(getattr(keras.layers, kind)(4), (66, None, 3))
    assert any("While" in each for each in unknown) == (kind == "GRU")  # XLA compiles for one length


def test_only_what_is_traced_inside_is_fused():
    lstm, gru = fused_recurrences.keras_lstm.backend.lstm, fused_recurrences.keras_gru.backend.gru
    with pytest.raises(ZeroDivisionError), fused(True):
        assert fused_recurrences.keras_gru.backend.gru is not gru
        raise ZeroDivisionError
    assert fused_recurrences.keras_lstm.backend.lstm is lstm
    assert fused_recurrences.keras_gru.backend.gru is gru
    with fused(False):
        assert fused_recurrences.keras_gru.backend.gru is gru
