"""Every shipped config, trained as shipped: it reaches the score that its own header states, and its resolved form
trains to the same numbers."""

import json
import re

import numpy as np
import pytest

from tests.conftest import CONFIGS

pytestmark = pytest.mark.long

SHIPPED = sorted(CONFIGS.rglob("*.yaml"))

# What "Expect …" says in a header, and where the number stands in metrics.json.
PHRASES = {
    "test accuracy": ("test", "accuracy", "least"),
    "training accuracy": ("train", "accuracy", "least"),
    "ROC AUC": ("test", "roc_auc", "least"),
    "test R²": ("test", "r2", "least"),
    "test MSE": ("test", "mse", "below"),
    "test MASE": ("test", "mase", "below"),
}


def header(path):
    lines = [line.lstrip("# ") for line in path.read_text().splitlines() if line.startswith("#")]
    return " ".join(lines)


def stated_scores(path):
    """Yield (split, metric, "least" or "below", number) for each score in the header's sentence that begins with
    Expect."""
    expected = header(path).partition("xpect ")[2]
    for phrase, (split, metric, direction) in PHRASES.items():
        words = {"least": "of at least", "below": "below"}[direction]
        for number in re.findall(rf"{phrase} {words} (\d+\.\d+)", expected):
            yield split, metric, direction, float(number)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train each config once for all tests of this file."""
    runs = {}

    def run(path, mltrain):
        if path.name not in runs:
            directory = tmp_path_factory.mktemp(path.stem) / "run"
            done = mltrain("train", path, "--run-dir", directory)
            assert done.code == 0, done.err
            runs[path.name] = (directory, json.loads((directory / "metrics.json").read_text()), done.err)
        return runs[path.name]

    return run


def test_all_of_them_are_here():
    assert len(SHIPPED) == 13


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_reaches_the_score_of_its_header(path, trained, mltrain):
    _, metrics, _ = trained(path, mltrain)
    assert re.search(r"mltrain train configs/" + path.name, header(path))
    assert re.search(r"Takes about \d+ seconds", header(path))
    stated = list(stated_scores(path))
    assert stated or path.stem == "mlp_784", "the header states no score"
    for split, metric, direction, number in stated:
        value = metrics["splits"][split]["metrics"][metric]["value"]
        assert value >= number if direction == "least" else value < number, f"{split}.{metric} = {value}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_resolved_config_trains_to_the_same_numbers(path, trained, mltrain, tmp_path):
    first, _, _ = trained(path, mltrain)
    done = mltrain("train", first / "config.resolved.yaml", "--run-dir", tmp_path / "again", "--quiet")
    assert done.code == 0, done.err
    again = tmp_path / "again"
    assert (again / "metrics.json").read_bytes() == (first / "metrics.json").read_bytes()
    assert without_seconds(again) == without_seconds(first)
    for kind in ("best", "last"):
        mine = [path.read_bytes() for path in sorted(again.glob(f"checkpoints/{kind}-*/arrays.npz"))]
        assert mine == [path.read_bytes() for path in sorted(first.glob(f"checkpoints/{kind}-*/arrays.npz"))]
        # Each of the two states that are kept refers to the best epoch of its time.
        assert len(mine) in ((1, 2) if kind == "best" else (1,))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_evaluate_gives_the_same_numbers_to_the_last_bit(path, trained, mltrain):
    directory, metrics, _ = trained(path, mltrain)
    for split, recorded in metrics["splits"].items():
        done = mltrain("evaluate", directory, "--split", split, "--json")
        assert done.code == 0, done.err
        baselines = recorded.get("baselines", {})  # which are fitted by a training only
        again = json.loads(done.out)["splits"]
        assert again[split] | ({"baselines": baselines} if baselines else {}) == recorded
        assert list(again) == [split]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_model_keras_gives_the_same_on_raw_rows(path, trained, mltrain):
    """Opened with plain Keras and called, as the documentation says: also where layers change images at random."""
    directory, _, _ = trained(path, mltrain)
    import keras
    import tensorflow as tf

    from mltrain.data.examples import encode_examples
    from mltrain.data.preparation import data_info
    from mltrain.data.reading import read_rows
    from mltrain.procedures.network import build_network
    from mltrain.procedures.stored_model import read_model
    from mltrain.run.rundir import RunDirectory
    from mltrain.training.weights import put_weights

    stored = read_model(RunDirectory(directory))
    spec, preprocessing = stored.spec, stored.preprocessing
    rows = read_rows(spec.data, spec.seed, spec.task).take(list(stored.splits.values())[-1])
    network = build_network(
        spec, data_info(preprocessing, len(stored.splits["train"])), preprocessing.target, stored.precision
    )
    put_weights(network.model, stored.weights, "the run")
    _, outputs = network.evaluation(encode_examples(preprocessing, rows)).run()
    expected = network.predictions(outputs).reshape(len(rows), -1)

    model = keras.saving.load_model(directory / "model.keras")
    raw = {name: tf.constant(values) for name, values in preprocessing.raw(rows).items()}
    found = model(raw if isinstance(model.input, dict) else next(iter(raw.values()))).numpy()
    tolerance = 1e-6 if stored.precision == "float32" else 2**-7
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1.0, float(abs(expected).max())))


def test_dummy_labels_are_said_to_be_no_better_than_chance(trained, mltrain):
    _, metrics, said = trained(CONFIGS / "mlp_784.yaml", mltrain)
    assert not metrics["chance"]["better"]
    assert "is not better than chance" in metrics["chance"]["sentence"]
    assert "no significant difference from always predicting" in said


# What the diagnosis says of each, and all of it is so: curves and pass_fail end while they learn. Of the others it
# says nothing.
DIAGNOSES = {
    "curves": {"still_falling"},
    "mlp_784": {"memorising"},
    "pass_fail": {"too_few_rows", "low_learning_rate"},
    "transfer_digits": {"small_validation"},
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_diagnosis_says_what_is_so_and_nothing_else(path, trained, mltrain):
    _, metrics, said = trained(path, mltrain)
    assert {each["finding"] for each in metrics["diagnosis"]} == DIAGNOSES.get(path.stem, set())
    for each in metrics["diagnosis"]:
        assert f"{each['sentence']} [{each['key']}]" in said
    assert "warning" not in said


def test_real_labels_are_not_said_to_be_chance(mltrain, tmp_path):
    """The same net on data that has something in it."""
    real = ["--set", "data.source={type: sklearn, name: digits}", "--set", "name=real"]
    done = mltrain("train", CONFIGS / "mlp_784.yaml", "--run-dir", tmp_path / "run", *real)
    assert done.code == 0, done.err
    assert "accuracy: better than always predicting" in done.err
    assert "no significant difference from always predicting" not in done.err
    assert "memorising" not in done.err


def test_the_line_of_the_first_lesson(trained, mltrain):
    directory, metrics, said = trained(CONFIGS / "linear_regression.yaml", mltrain)
    assert metrics["coefficients"]["slope"] == pytest.approx(1.8870, abs=5e-5)
    assert metrics["coefficients"]["intercept"] == pytest.approx(1.0509, abs=5e-5)
    assert "slope = 1.8870, intercept = 1.0509" in said
    # One in 20 epochs, but in a pipe at most one line per second.
    epochs = [line for line in said.splitlines() if line.startswith("epoch")]
    assert 2 <= len(epochs) <= 200 // 20
    assert epochs[-1].startswith("epoch 200/200")
    assert (directory / "plots" / "learned.png").stat().st_size > 5_000


def without_seconds(run):
    """Return history.csv without its last column, the wall time."""
    lines = (run / "history.csv").read_text().splitlines()
    assert lines[0].endswith(",seconds")
    return [line.rpartition(",")[0] for line in lines]
