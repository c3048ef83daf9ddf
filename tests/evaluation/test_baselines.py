"""What the baselines are fitted on, and when one is left out."""

import numpy as np
import pytest

from mltrain.evaluation.baselines import MOST_ROWS, constant_baseline, linear_baseline
from mltrain.task import DataInfo, Input
from tests.known_data import known_data


def info(task="binary", shape=(3,), dtype="float32", classes=2):
    outputs = classes if task == "multiclass" else 1
    names = () if task in ("regression", "count") else tuple(f"class {number}" for number in range(classes))
    return known_data(task, shape, outputs, names, dtype=dtype, rows=100)


def test_the_constant_says_the_shares_of_training():
    inputs = {"x": np.zeros((4, 3))}
    two = constant_baseline(info(), np.array([1, 1, 1, 0]))
    assert (two.name, two.words, two.rows) == ("majority", "always predicting 'class 1'", 4)
    assert two.predict(inputs).tolist() == [0.75] * 4
    three = constant_baseline(info("multiclass", classes=3), np.array([2, 2, 0, 1]))
    assert three.predict(inputs).tolist() == [[0.25, 0.25, 0.5]] * 4
    for task in ("regression", "count"):
        mean = constant_baseline(info(task), np.array([1.0, 2.0, 6.0]))
        assert (mean.name, mean.predict(inputs).tolist()) == ("mean", [3.0] * 4)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_line_is_found(task):
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(300, 2, 2)).astype(np.float32)  # as of a small picture
    score = inputs.reshape(300, 4) @ [1.0, -2.0, 0.5, 0.0]
    truth = score if task == "regression" else np.digitize(score, [0.0] if task == "binary" else [-1.0, 1.0])
    fitted = linear_baseline(info(task, (2, 2), classes=2 if task == "binary" else 3), {"x": inputs}, truth, 0)
    found = fitted.predict({"x": inputs})
    if task == "regression":
        assert (fitted.name, fitted.rows) == ("ridge", 300)
        assert found == pytest.approx(truth, abs=0.1)
    else:
        assert fitted.name == "logistic"
        decided = found > 0.5 if task == "binary" else found.argmax(axis=1)
        assert np.mean(decided == truth) > 0.9


def test_of_many_rows_a_sample_is_taken_that_the_seed_says():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(MOST_ROWS + 5, 3)).astype(np.float32)
    truth = inputs @ [1.0, 2.0, 3.0] + draw.normal(size=len(inputs))
    fits = [linear_baseline(info("regression"), {"x": inputs}, truth, seed) for seed in (1, 1, 2)]
    assert [fit.rows for fit in fits] == [MOST_ROWS] * 3
    one, same, other = (fit.predict({"x": inputs[:5]}) for fit in fits)
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (info(shape=(32, 32, 3)), "an example has 3,072 inputs, and the quick fit takes at most 1,000"),
        (info(dtype="int32"), "index numbers"),
        (info("multiclass", (1000,), classes=500), "500 classes and 1,000 inputs per example are too many"),
    ],
    ids=["image", "indices", "classes"],
)
def test_what_takes_long_or_means_nothing_is_left_out_with_the_reason(known, said):
    inputs = np.zeros((6000, *known.input.shape), known.input.dtype)
    assert said in linear_baseline(known, {"x": inputs}, np.zeros(6000, np.int64), 0)


def test_of_several_inputs_the_table_is_taken_and_the_name_says_so():
    table, photo = Input("table", (2,), "float32", ("a", "b")), Input("photo", (4, 4, 1), "float32")
    draw = np.random.default_rng(0)
    inputs = {"photo": draw.normal(size=(80, 4, 4, 1)).astype(np.float32), "table": draw.normal(size=(80, 2))}
    truth = inputs["table"] @ [1.0, 2.0]
    of_both = linear_baseline(DataInfo((photo, table), info("regression").outputs, 80), inputs, truth, 0)
    assert of_both.words == "ridge regression on the columns of the table alone"
    assert of_both.predict(inputs) == pytest.approx(truth, abs=0.2)
    none = linear_baseline(DataInfo((photo, photo), info("regression").outputs, 80), inputs, truth, 0)
    assert none == "no input is a table"
