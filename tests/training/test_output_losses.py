"""The losses of targets of different kinds, by hand, and the loop on them beside `model.fit`."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mltrain.keras_api.components import make
from mltrain.task import DataInfo, Input, Output
from mltrain.training.compilation import compile_model, shape_targets
from mltrain.training.evaluation_loop import CompiledEvaluation, EvaluationLoop
from mltrain.training.feed import ResidentFeed
from mltrain.training.loop import CompiledSteps
from mltrain.training.output_losses import beside_each_other
from mltrain.training.progress import Chunks, epoch_order
from mltrain.training.spec import OutputTraining, TrainingSpec

ROWS, BATCH, SEED = 107, 16, 5
PARTS = (
    Output("price", "regression", 1),
    Output("sold", "binary", 1, ("no", "yes")),
    Output("kind", "multiclass", 3, ("a", "b", "c")),
)
INFO = DataInfo(
    (Input("table", (4,), "float32", ("p", "q", "r", "s")),),
    (Output("price, sold, kind", "mixed", 5, columns=("price", "sold", "kind"), parts=PARTS),),
    ROWS,
)
TRAINING = TrainingSpec(
    outputs={
        "price": OutputTraining(weight=0.25),
        "sold": OutputTraining(class_weight={"no": 1.0, "yes": 3.0}),
        "kind": OutputTraining(loss=make("loss", "CategoricalCrossentropy", label_smoothing=0.1), weight=2.0),
    }
)


@pytest.fixture
def rows():
    draw = np.random.default_rng(0)
    y = np.stack([draw.normal(size=ROWS), draw.integers(0, 2, ROWS), draw.integers(0, 3, ROWS)], axis=1)
    y[draw.random((ROWS, 3)) < 0.2] = np.nan
    return draw.normal(size=(ROWS, 4)).astype("float32"), y.astype("float32")


def network():
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((4,))
    # Names of their own: the order in which gradients of several heads are summed follows from names (TensorFlow 2.21).
    hidden = keras.layers.Dense(8, activation="relu", name="hidden")(inputs)
    heads = [
        keras.layers.Dense(1, name="price")(hidden),
        keras.layers.Dense(1, activation="sigmoid", name="sold")(hidden),
        keras.layers.Dense(3, activation="softmax", name="kind")(hidden),
    ]
    model = keras.Model(inputs, keras.layers.Concatenate()(heads))
    compile_model(model, TRAINING, INFO, scaled=True)
    return model


def by_hand(y, predictions, class_weights):
    """Return the loss of each target: the mean over the rows that have it."""
    predictions = predictions.astype(np.float64)
    price, sold, kind = (~np.isnan(column) for column in y.T)
    squares = ((predictions[price, 0] - y[price, 0]) ** 2).mean()
    true, said = y[sold, 1], predictions[sold, 1]
    weights = np.where(true == 1, class_weights[1], class_weights[0])
    crossed = (weights * -(true * np.log(said) + (1 - true) * np.log(1 - said))).mean()
    smooth = np.eye(3)[y[kind, 2].astype(int)] * 0.9 + 0.1 / 3
    return squares, crossed, -(smooth * np.log(predictions[kind, 2:])).sum(axis=1).mean()


def test_an_evaluation_measures_the_mean_over_the_rows_that_have_the_target(rows):
    x, y = rows
    model = network()
    arrays = (x, shape_targets(y, TRAINING, INFO))
    for block in (16, 32, 107, 500):  # with a partial block, and without
        logs, predictions = EvaluationLoop(CompiledEvaluation(model, block, ((6,), "float32")), arrays).run()
        price, sold, kind = by_hand(y, predictions, (1, 1))
        assert [logs[f"loss({name})"] for name in ("price", "sold", "kind")] == pytest.approx(
            [price, sold, kind], rel=1e-5
        )
        assert logs["loss"] == pytest.approx(0.25 * price + sold + 2 * kind, rel=1e-5)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "sample weights"])
def test_the_loop_is_fit_bit_for_bit_and_its_loss_is_that_by_hand(rows, weighted):
    x, y = rows
    targets = beside_each_other(y, INFO, TRAINING)
    weights = (np.random.default_rng(1).random(ROWS).astype("float32"),) if weighted else ()
    ours, theirs = network(), network()
    expected = by_hand(y, ours.predict(x, verbose=0), (1, 3))
    loop = CompiledSteps(ours, ResidentFeed((x, targets, *weights)), BATCH)
    for epoch in range(1, 4):
        order = epoch_order(ROWS, SEED, epoch)
        list(loop.epoch(order, Chunks()))
        fitted = theirs.fit(
            x[order],
            targets[order],
            sample_weight=weights[0][order] if weights else None,
            batch_size=BATCH,
            shuffle=False,
            verbose=0,
        ).history
        assert loop.metrics() == {name: values[0] for name, values in fitted.items()}
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert (mine == other).all()
    still = network()
    whole = CompiledSteps(still, ResidentFeed((x, targets)), ROWS)  # one step: its loss is that of the first weights
    list(whole.epoch(epoch_order(ROWS, SEED, 1), Chunks()))
    assert [whole.metrics()[f"loss({name})"] for name in ("price", "sold", "kind")] == pytest.approx(expected, rel=1e-5)


def test_a_row_without_a_target_has_no_gradient_through_its_head(rows):
    x, y = rows
    y[:, 1] = np.nan
    model = network()
    before = [weights.copy() for weights in model.layers[3].get_weights()]
    list(
        CompiledSteps(model, ResidentFeed((x, beside_each_other(y, INFO, TRAINING))), BATCH).epoch(
            epoch_order(ROWS, SEED, 1), Chunks()
        )
    )
    assert all((mine == other).all() for mine, other in zip(before, model.layers[3].get_weights(), strict=True))
    assert model.layers[3].name == model.layers[-1].input[1]._keras_history.operation.name


def test_the_weights_of_the_rows_have_mean_1_for_each_target(rows):
    _, y = rows
    made = beside_each_other(y, INFO)
    assert made.shape == (ROWS, 6)
    assert made[:, 3:].mean(axis=0) == pytest.approx([1, 1, 1], rel=1e-6)
    assert (made[:, 3:] == 0).tolist() == np.isnan(y).tolist()
