"""The compiled loop against plain `model.compile` + `model.fit(shuffle=False)` on the same rows, order and first
weights."""

import keras
import numpy as np
import pytest

from mltrain.training.acceleration import UNACCELERATED
from mltrain.training.evaluation_loop import CompiledEvaluation, EvaluationLoop
from mltrain.training.feed import ResidentFeed
from mltrain.training.loop import CompiledSteps
from mltrain.training.progress import Chunks, epoch_order

ROWS, VALIDATION_ROWS, BATCH, CLASSES, EPOCHS, SEED = 107, 43, 16, 3, 3, 5


class FewSteps(Chunks):
    """Chunks of 1, 2, 3, 1, 2, 3 … steps: a result must not depend on them."""

    def next(self, remaining):
        self._steps = self._steps % 3 + 1
        return min(self._steps, remaining)

    def took(self, steps, seconds):
        pass


def data(shape, rows, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, *shape)).astype("float32")
    return x, draw.integers(0, CLASSES, rows).astype("int32")


def compiled(network, shape, optimizer):
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(network(inputs)))
    model.compile(optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    target = keras.KerasTensor((2,), dtype="int32")
    model._symbolic_build(data_batch=(keras.KerasTensor((2, *shape)), target))
    return model


def evaluation_loop(model, arrays, block):
    return EvaluationLoop(CompiledEvaluation(model, block, ((), "int32")), arrays)


def by_our_loop(model, train, validation, chunks, acceleration=UNACCELERATED):
    loop, evaluation, history = (
        CompiledSteps(model, ResidentFeed(train), BATCH, acceleration),
        evaluation_loop(model, validation, BATCH),
        [],
    )
    loop.trace()
    for epoch in range(1, EPOCHS + 1):
        steps = list(loop.epoch(epoch_order(ROWS, SEED, epoch), chunks))
        assert steps[-1] == loop.steps
        logs = loop.metrics()
        validated, _ = evaluation.run()
        history.append(logs | {f"val_{name}": value for name, value in validated.items()})
    return history


def by_keras(model, train, validation):
    history = []
    for epoch in range(1, EPOCHS + 1):
        order = epoch_order(ROWS, SEED, epoch)
        x, y, *weights = (array[order] for array in train)
        result = model.fit(
            x,
            y,
            sample_weight=weights[0] if weights else None,
            batch_size=BATCH,
            shuffle=False,
            verbose=0,
            validation_data=validation,
        )
        history.append({name: values[0] for name, values in result.history.items()})
    return history


def dense(inputs):
    hidden = keras.layers.Dense(24, activation="relu", kernel_regularizer="l2")(inputs)
    return keras.layers.Dense(12, activation="tanh")(keras.layers.Dropout(0.3)(hidden))


def convolution(inputs):
    moved = keras.layers.RandomTranslation(0.1, 0.1)(inputs)
    hidden = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, padding="same")(moved))
    return keras.layers.GlobalAveragePooling2D()(keras.layers.Activation("relu")(hidden))


def recurrence(inputs):
    return keras.layers.LSTM(8, dropout=0.2)(inputs)


def attention(inputs):
    hidden = keras.layers.Dense(8)(inputs)
    hidden = keras.layers.LayerNormalization()(hidden + keras.layers.MultiHeadAttention(2, 4)(hidden, hidden))
    return keras.layers.GlobalAveragePooling1D()(hidden)


def adam():
    return keras.optimizers.Adam(1e-2)


def momentum():
    return keras.optimizers.SGD(1e-2, momentum=0.9, nesterov=True)


def scheduled():
    return keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-2, 15))


@pytest.mark.parametrize("optimizer", [adam, momentum])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "class weights"])
def test_dense_nets_are_equal_to_fit_bit_for_bit(optimizer, weighted):
    x, y = data((7,), ROWS, 1)
    train = (x, y, np.array([1, 2, 0.5], "float32")[y]) if weighted else (x, y)
    validation = data((7,), VALIDATION_ROWS, 2)
    ours, theirs = compiled(dense, (7,), optimizer), compiled(dense, (7,), optimizer)
    history, expected = by_our_loop(ours, train, validation, Chunks()), by_keras(theirs, train, validation)
    for mine, other in zip(history, expected, strict=True):
        assert mine == pytest.approx(other, rel=1e-6)
        # `fit` computes the last rows of a partial block by other instructions, on some processors with another last
        # digit. Validation here gives equal rows equal scores wherever they are; training is `fit` bit for bit.
        assert {name: mine[name] for name in ("loss", "accuracy")} == {
            name: other[name] for name in ("loss", "accuracy")
        }
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert (mine == other).all()
    for mine, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        assert (mine.numpy() == other.numpy()).all(), mine.path


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "class weights"])
def test_a_dense_net_of_two_inputs_is_equal_to_fit_bit_for_bit(weighted):
    def of_two_inputs():
        keras.utils.set_random_seed(SEED)
        inputs = [keras.Input((7,)), keras.Input((3,))]
        hidden = keras.layers.Concatenate()([dense(inputs[0]), keras.layers.Dense(4, activation="relu")(inputs[1])])
        model = keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(hidden))
        model.compile(adam(), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
        batch = [keras.KerasTensor((2, 7)), keras.KerasTensor((2, 3))]
        model._symbolic_build(data_batch=(batch, keras.KerasTensor((2,), dtype="int32")))
        return model

    (x, y), (other, _) = data((7,), ROWS, 1), data((3,), ROWS, 3)
    weights = (np.array([1, 2, 0.5], "float32")[y],) if weighted else ()
    ours, theirs = of_two_inputs(), of_two_inputs()
    loop = CompiledSteps(ours, ResidentFeed(([x, other], y, *weights)), BATCH)
    for epoch in range(1, EPOCHS + 1):
        order = epoch_order(ROWS, SEED, epoch)
        list(loop.epoch(order, FewSteps()))
        fitted = theirs.fit(
            [x[order], other[order]],
            y[order],
            sample_weight=weights[0][order] if weights else None,
            batch_size=BATCH,
            shuffle=False,
            verbose=0,
        ).history
        assert loop.metrics() == {name: values[0] for name, values in fitted.items()}
    for mine, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert (mine == their).all()
    _, predictions = evaluation_loop(ours, ([x, other], y), BATCH).run()
    np.testing.assert_allclose(predictions, theirs.predict([x, other], verbose=0), atol=1e-6)


# Not Adam: a bias before a normalization and the bias of attention's keys have no gradient but rounding noise, and
# Adam makes a full step of the noise.
@pytest.mark.parametrize(
    ("network", "shape", "optimizer"),
    [
        (convolution, (8, 8, 1), momentum),
        (recurrence, (6, 3), adam),
        (attention, (6, 3), momentum),
        (dense, (7,), scheduled),
    ],
    ids=["convolution", "recurrence", "attention", "schedule"],
)
def test_the_rest_is_equal_to_fit_within_1e_6(network, shape, optimizer):
    train, validation = data(shape, ROWS, 1), data(shape, VALIDATION_ROWS, 2)
    ours, theirs = compiled(network, shape, optimizer), compiled(network, shape, optimizer)
    history, expected = by_our_loop(ours, train, validation, Chunks()), by_keras(theirs, train, validation)
    for mine, other in zip(history, expected, strict=True):
        assert mine == pytest.approx(other, abs=1e-6)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6, rtol=0)


def test_the_size_of_the_chunks_changes_no_bit():
    train, validation = data((7,), ROWS, 1), data((7,), VALIDATION_ROWS, 2)
    one, other = compiled(dense, (7,), adam), compiled(dense, (7,), adam)
    assert by_our_loop(one, train, validation, Chunks()) == by_our_loop(other, train, validation, FewSteps())
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        assert (mine == theirs).all()


@pytest.mark.parametrize("rows", [5, 16, 32, 33])
def test_every_row_is_trained_on_once(rows):
    """A row's gradient is its input here, so the weights tell which rows were seen."""
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((rows,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: keras.ops.sum(p), jit_compile=False)
    x, y = np.eye(rows, dtype="float32"), np.zeros((rows, 1), "float32")
    model._symbolic_build(data_batch=(keras.KerasTensor((2, rows)), keras.KerasTensor((2, 1))))
    loop = CompiledSteps(model, ResidentFeed((x, y)), BATCH)
    for _ in loop.epoch(epoch_order(rows, SEED, 1), Chunks()):
        pass
    assert (model.get_weights()[0] != 0).all()
    assert int(model.optimizer.iterations.numpy()) == loop.steps == -(-rows // BATCH)


def test_predictions_come_in_the_order_of_the_rows():
    train, validation = data((7,), ROWS, 1), data((7,), VALIDATION_ROWS, 2)
    model = compiled(dense, (7,), adam)
    _, predictions = evaluation_loop(model, validation, BATCH).run()
    assert predictions.shape == (VALIDATION_ROWS, CLASSES)
    np.testing.assert_allclose(predictions, model.predict(validation[0], verbose=0), atol=1e-6)
    assert len(evaluation_loop(model, train, 1000).run()[1]) == ROWS
