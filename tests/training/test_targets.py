"""Every loss and every metric of Keras against every task: it means something there, or it is refused."""

import keras
import numpy as np
import pytest

from mltrain.errors import MisfitError
from mltrain.keras_api import catalogue
from mltrain.keras_api.build import build
from mltrain.keras_api.components import make
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential
from mltrain.outputs import KINDS
from mltrain.training.compilation import compile_model, shape_targets
from mltrain.training.feed import ResidentFeed
from mltrain.training.loop import CompiledSteps
from mltrain.training.metrics import training_metrics
from mltrain.training.spec import TrainingSpec
from mltrain.training.targets import LOSSES, METRICS, loss_misfit, metric_misfit, weight_misfit
from tests.known_data import known_data

ROWS = 48
INFO = {
    "binary": known_data("binary", (2,), 1, ("no", "yes"), rows=ROWS),
    "multiclass": known_data("multiclass", (2,), 3, ("x", "y", "z"), rows=ROWS),
    "regression": known_data("regression", rows=ROWS),
    "count": known_data("count", rows=ROWS),
}
TASKS = tuple(INFO)


def rows(task):
    """Return `(x, y)` that a linear model can learn; the targets of a regression are positive."""
    draw = np.random.default_rng(1)
    classes = np.arange(ROWS) % 3
    centers = np.array([[0, 3], [3, -2], [-3, -2]])
    x = (centers[classes] + draw.normal(size=(ROWS, 2)) / 4).astype(np.float32)
    if task == "multiclass":
        return x, classes.astype(np.int32)
    if task == "binary":
        return x, (classes == 0).astype(np.float32)
    numbers = (x @ [0.2, 0.5] + 4).astype(np.float32)
    return x, np.round(numbers) if task == "count" else numbers


def compiled(task, scaled=False, model=None, **training):
    keras.utils.set_random_seed(0)
    spec = TrainingSpec(**{"optimizer": make("optimizer", "Adam", learning_rate=0.1), **training})
    model = model or Linear()
    head = model.head(INFO[task], spec.loss)
    built = model.build(INFO[task], spec.loss)
    compile_model(built, spec, INFO[task], scaled)
    return spec, built, head


def losses_of(spec, model, task, epochs):
    x, y = rows(task)
    loop = CompiledSteps(model, ResidentFeed((x, shape_targets(y, spec, INFO[task]))), ROWS)
    found = []
    for _ in range(epochs):
        model.reset_metrics()
        order = np.arange(ROWS, dtype=np.int32)
        assert list(loop.epoch(order, Chunks())) == [1]
        found.append(loop.metrics()["loss"])
    return found


class Chunks:
    def next(self, remaining):
        return remaining

    def took(self, steps, seconds):
        pass


def test_the_tables_know_every_loss_and_metric():
    assert set(LOSSES) == set(catalogue.names("loss"))
    assert set(METRICS) == set(catalogue.names("metric"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_learns_or_is_refused(name, task):
    loss = make("loss", name)
    if task not in LOSSES[name]:
        with pytest.raises(MisfitError) as error:
            compiled(task, loss=loss, metrics=())
        assert error.value.path == ("training", "loss")
        assert name in error.value.message
        return
    spec, model, _ = compiled(task, loss=loss, metrics=())
    # A logarithm of what is negative has no slope in Keras: this one waits for the bias.
    found = losses_of(spec, model, task, 400 if name == "MeanSquaredLogarithmicError" else 80)
    assert np.isfinite(found).all()
    assert found[-1] < found[0]
    x, y = rows(task)
    outputs = model(x).numpy()
    if KINDS[task].of_numbers:
        assert np.corrcoef(outputs[:, 0], y)[0, 1] > 0.9
    else:
        predicted = outputs.argmax(axis=1) if task == "multiclass" else outputs[:, 0] > 0.5
        assert (predicted == y).mean() > 0.9


def test_a_loss_that_fits_is_named():
    message = loss_misfit(make("loss", "CategoricalCrossentropy"), "binary", scaled=False)
    assert message.startswith("CategoricalCrossentropy is a loss for multiclass, the task is binary (expected: BinaryC")
    assert loss_misfit(make("loss", "CategoricalCrossentropy"), "auto", scaled=False) is None
    assert "fits no task" in loss_misfit(make("loss", "CTC"), "auto", scaled=False)


@pytest.mark.parametrize("name", ["MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"])
def test_a_scaled_target_has_no_percentages(name):
    with pytest.raises(
        MisfitError, match=r"needs the target in its own units: set data\.target\.scale to none or auto"
    ):
        compiled("regression", scaled=True, loss=make("loss", name))
    with pytest.raises(MisfitError, match=r"needs the target in its own units") as error:
        compiled("regression", scaled=True, metrics=(make("metric", "mse"), make("metric", name)))
    assert error.value.path == ("training", "metrics", 1)


# Where the first of several forms needs other arguments than Keras' defaults.
ARGUMENTS = {
    "F1Score": {"average": "macro", "threshold": 0.5},
    "FBetaScore": {"average": "macro", "threshold": 0.5},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 1], "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 3, "sparse_y_pred": False},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 1], "sparse_y_pred": False},
    "OneHotMeanIoU": {"num_classes": 3, "sparse_y_pred": False},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "TopKCategoricalAccuracy": {"k": 1},
    "SparseTopKCategoricalAccuracy": {"k": 1},
}
FORMS = {
    "zero or one": ("binary", "BinaryCrossentropy"),
    "one-hot": ("multiclass", "CategoricalCrossentropy"),
    "class numbers": ("multiclass", "SparseCategoricalCrossentropy"),
    "numbers": ("regression", "MeanSquaredError"),
    "counts": ("count", "Poisson"),
}


def metric_of(name, form):
    arguments = dict(ARGUMENTS.get(name, {}))
    if name in ("IoU", "MeanIoU"):
        arguments["sparse_y_true"] = form == "class numbers"
    if name in ("ConcordanceCorrelation", "PearsonCorrelation") and form != "one-hot":
        arguments["axis"] = 0
    return make("metric", name, **arguments)


def guesses(form):
    """Return targets, predictions that are nearly right, and predictions that are mostly wrong."""
    y = rows(FORMS[form][0])[1]
    if form in ("numbers", "counts"):
        return y[:, None], y[:, None] + np.linspace(-0.1, 0.1, ROWS)[:, None], y[::-1, None] * 1.5
    if form == "zero or one":
        return y[:, None], 0.1 + 0.8 * y[:, None], 0.9 - 0.8 * y[:, None]
    one_hot = np.eye(3, dtype=np.float32)[y]
    right = 0.05 + 0.85 * one_hot
    return (one_hot if form == "one-hot" else y), right, np.roll(right, 1, axis=1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_tells_right_from_wrong_or_is_refused(name, form):
    task, loss = FORMS[form]
    metric = metric_of(name, form)
    if form not in METRICS[name]:
        with pytest.raises(MisfitError) as error:
            compiled(task, loss=make("loss", loss), metrics=(make("metric", "MeanAbsoluteError", name="first"), metric))
        assert error.value.path[:2] == ("training", "metrics")
        return
    spec, model, _ = compiled(task, loss=make("loss", loss), metrics=(metric,))
    (measured,) = training_metrics(spec, task, False)
    y, right, wrong = guesses(form)
    values = []
    for predictions in (right, wrong):
        model.reset_metrics()
        model.compute_metrics(None, keras.ops.cast(y, y.dtype), keras.ops.convert_to_tensor(predictions, "float32"))
        values.append(float(model.get_metrics_result()[measured.name]))
    assert np.isfinite(values).all()
    assert values[0] < values[1] if measured.direction == "min" else values[0] > values[1]


@pytest.mark.parametrize(
    ("task", "loss", "metric", "message"),
    [
        ("binary", None, {"type": "F1Score", "average": "micro"}, "F1Score of one output needs a threshold"),
        ("regression", None, {"type": "PearsonCorrelation"}, "PearsonCorrelation of one output needs axis: 0"),
        ("multiclass", None, {"type": "MeanIoU", "num_classes": 3}, "MeanIoU needs sparse_y_pred: false"),
        (
            "multiclass",
            "CategoricalCrossentropy",
            {"type": "MeanIoU", "num_classes": 3, "sparse_y_pred": False},
            "MeanIoU needs sparse_y_true: false",
        ),
        ("binary", None, {"type": "Precision", "class_id": 1}, "class_id: expected at most 0, as there are 1 outputs"),
        ("multiclass", None, {"type": "SparseTopKCategoricalAccuracy"}, "k: expected at most 3"),
        (
            "multiclass",
            "CategoricalCrossentropy",
            {"type": "OneHotMeanIoU", "num_classes": 2, "sparse_y_pred": False},
            "num_classes: expected 3, the number of outputs, received 2",
        ),
        ("binary", None, {"type": "AUC", "from_logits": True}, "AUC expects logits, and the model ends in prob"),
        ("multiclass", None, {"type": "AUC"}, r"compares with one-hot classes, .* training\.loss: CategoricalC"),
        ("regression", None, {"type": "accuracy"}, "accuracy is a metric for binary and multiclass, the task is reg"),
    ],
)
def test_an_argument_that_does_not_fit(task, loss, metric, message):
    spec = TrainingSpec(loss=loss, metrics=[metric])
    with pytest.raises(MisfitError, match=message) as error:
        compiled(task, loss=spec.loss, metrics=spec.metrics)
    assert error.value.path == ("training", "metrics", 0)


def logits(task, **loss):
    return Sequential(layers=(make("layer", "Dense", units=INFO[task].output.units),)), {
        "loss": make("loss", FORMS[{"binary": "zero or one"}.get(task, "class numbers")][1], from_logits=True, **loss)
    }


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_accuracy_of_logits_is_that_of_their_probabilities(task):
    model, training = logits(task)
    spec, model, head = compiled(task, model=model, **training)
    assert head.logits
    losses_of(spec, model, task, 3)
    x, y = rows(task)
    model.reset_metrics()
    outputs = model(x)
    model.compute_metrics(None, shape_targets(y, spec, INFO[task]), outputs)
    predicted = outputs.numpy().argmax(axis=1) if task == "multiclass" else outputs.numpy()[:, 0] > 0
    assert float(model.get_metrics_result()["accuracy"]) == pytest.approx((predicted == y).mean())


def test_a_metric_of_probabilities_does_not_take_logits():
    model, training = logits("binary")
    for metric, fits in [
        (make("metric", "Precision"), False),
        (make("metric", "AUC"), False),
        (make("metric", "AUC", from_logits=True), True),
        (make("metric", "BinaryAccuracy"), False),
        (make("metric", "BinaryAccuracy", threshold=0.0), True),
    ]:
        assert (metric_misfit(metric, "binary", training["loss"], False) is None) == fits
        if not fits:
            with pytest.raises(MisfitError) as error:
                compiled("binary", model=model, metrics=(metric,), **training)
            assert error.value.path == ("training", "metrics", 0)


@pytest.mark.parametrize(
    "model",
    [Linear(), Mlp(), Sequential(layers=(make("layer", "Dense", units=3, activation="softmax"),))],
    ids=["linear", "mlp", "softmax"],
)
def test_logits_are_not_activated_twice(model):
    with pytest.raises(MisfitError, match="ends in softmax, which the loss would apply again") as error:
        compiled("multiclass", model=model, **logits("multiclass")[1])
    assert error.value.path == ("training", "loss", "from_logits")


def test_what_keras_refuses_is_found():
    """Neither the loss nor the second metric is in a table for this: only Keras knows."""
    metrics = (make("metric", "accuracy"), make("metric", "AUC", multi_label=True, num_labels=7))
    with pytest.raises(MisfitError) as error:
        compiled("multiclass", loss=make("loss", "CategoricalCrossentropy"), metrics=metrics)
    assert error.value.path == ("training", "metrics", 1)
    with pytest.raises(MisfitError) as error:
        compiled("multiclass", loss=make("loss", "SparseCategoricalCrossentropy", axis=5), metrics=())
    assert error.value.path == ("training", "loss")


def test_a_metric_with_other_arguments_has_a_name_of_its_own():
    metrics = [make("metric", "BinaryAccuracy"), make("metric", "BinaryAccuracy", threshold=0.3)]
    named = training_metrics(TrainingSpec(metrics=metrics), "binary", False)
    assert [metric.name for metric in named] == ["accuracy", "binary_accuracy"]
    assert type(build(metrics[0])) is keras.metrics.BinaryAccuracy


@pytest.mark.parametrize("kind", ["Dice", "Tversky"])
def test_only_a_loss_of_single_rows_weighs_classes(kind):
    truth, predicted = np.float32([[0], [1], [1]]), np.float32([[0.2], [0.9], [0.3]])
    weights = np.float32([1, 1, 3])
    whole, rows = make("loss", kind), make("loss", kind, axis=-1)
    for loss, weighs in ((whole, False), (rows, True)):
        weighted = float(build(loss)(truth, predicted, sample_weight=weights))
        plain = float(build(loss)(truth, predicted))
        assert (weighted != pytest.approx(plain * weights.mean())) == weighs
        assert (weight_misfit(loss, "classes", "class_weight") is None) == weighs
