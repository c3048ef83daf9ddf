"""`evaluation.sample_weight: true` through the commands: every number of a run is one of weighted rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from tests.conftest import in_process

CONFIG = """\
name: weighted
data:
  source: {type: csv, path: rows.csv}
  target: y
  sample_weight: w
  split: {type: random, validation: 0.25, test: 0.25}
model: {type: mlp, units: [4]}
training: {epochs: 3, batch_size: 16}
evaluation:
  sample_weight: true
  slices: [part]
  metrics: METRICS
  threshold: {aim: f1}
  calibration: {temperature: true}
"""
OF_CLASSES = "[accuracy, f1, precision, recall, roc_auc, pr_auc, log_loss, brier, mcc, balanced_accuracy]"
OF_NUMBERS = "[mse, mae, rmse, r2, median_absolute_error, explained_variance]"


def config_for(task):
    if task == "binary":
        return CONFIG.replace("METRICS", OF_CLASSES)
    text = CONFIG.replace("METRICS", OF_NUMBERS if task == "regression" else "[accuracy, f1, roc_auc, log_loss]")
    return "\n".join(line for line in text.splitlines() if "threshold" not in line and "temperature" not in line) + "\n"


def write(folder, config, task="binary", rows=400):
    draw = np.random.default_rng(0)
    a, b, w = draw.normal(size=rows), draw.normal(size=rows), draw.gamma(1.5, size=rows).round(3)
    score = 1.5 * a - b + draw.normal(size=rows)
    y = {
        "binary": np.where(score > 0, "yes", "no"),
        "multiclass": np.array(["low", "mid", "high"])[np.digitize(score, [-1, 1])],
        "regression": score.round(4),
    }[task]
    part = np.where(a > 0.5, "right", "left")
    lines = [",".join(map(str, row)) for row in zip(a.round(4), b.round(4), part, w, y, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["a,b,part,w,y", *lines]) + "\n")
    (folder / "config.yaml").write_text(config)


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write(folder, config_for(request.param), request.param)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    return request.param, folder, done


def stored(folder, split, run="run"):
    parts = ("rows", "target", "predictions", "weights")
    return [np.load(folder / run / "predictions" / f"{split}.{part}.npy") for part in parts]


def results(folder, run="run"):
    return json.loads((folder / run / "metrics.json").read_text())


def test_the_numbers_of_a_run_are_those_of_scikit_learn_with_its_weights(trained):
    task, folder, done = trained
    rows, target, predicted, weights = stored(folder, "test")
    column = np.genfromtxt(folder / "rows.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")["w"]
    np.testing.assert_array_equal(weights, column[rows])
    found = results(folder)
    test = found["splits"]["test"]
    values = {name: each["value"] for name, each in test["metrics"].items()}
    if task == "regression":
        expected = {
            "mse": sk.mean_squared_error,
            "r2": sk.r2_score,
            "median_absolute_error": sk.median_absolute_error,
        }
        for name, function in expected.items():
            assert values[name] == pytest.approx(function(target, predicted, sample_weight=weights), rel=1e-12)
    else:
        decided = predicted > found["threshold"]["value"] if task == "binary" else predicted.argmax(axis=1)
        assert values["accuracy"] == pytest.approx(sk.accuracy_score(target, decided, sample_weight=weights), rel=1e-12)
        assert test["confusion_matrix"] == sk.confusion_matrix(target, decided).tolist(), "it counts rows"
        assert sum(each["n"] for each in test["classes"].values()) == len(target)
        recall = sk.recall_score(target, decided, average=None, sample_weight=weights)
        found_recall = [each["recall"]["value"] for each in test["classes"].values()]
        assert found_recall == pytest.approx(recall.tolist(), rel=1e-12)
        assert sum(each["n"] for each in test["calibration"]["bins"]) == len(target)
    assert test["n"] == len(target)
    assert test["weights"] == {"column": "w", "effective_rows": pytest.approx(weights.sum() ** 2 / (weights**2).sum())}
    assert all(each["low"] < each["value"] < each["high"] for name, each in test["metrics"].items() if "low" in each)
    assert "the metrics are weighted, too" in done.err
    assert "chance" not in found


def test_baselines_and_slices_are_weighted(trained):
    task, folder, _ = trained
    if task != "regression":
        pytest.skip("the mean is the baseline that can be computed by hand")
    rows, target, predicted, weights = stored(folder, "test")
    table = np.genfromtxt(folder / "rows.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    test = results(folder)["splits"]["test"]
    mean = np.full(len(target), table["y"][np.load(folder / "run" / "splits" / "train.npy")].mean())
    constant = test["baselines"]["mean"]
    assert constant["metrics"]["mae"]["value"] == pytest.approx(
        np.average(abs(mean - target), weights=weights), rel=1e-9
    )
    difference = np.average(abs(predicted - target) - abs(mean - target), weights=weights)
    assert constant["difference"]["mae"]["value"] == pytest.approx(difference, rel=1e-9)
    for each in test["slices"]:
        chosen = table["part"][rows] == each["slice"].removeprefix("part=")
        expected = sk.mean_absolute_error(target[chosen], predicted[chosen], sample_weight=weights[chosen])
        assert each["metrics"]["mae"]["value"] == pytest.approx(expected, rel=1e-12)
        assert each["n"] == chosen.sum()


def test_evaluate_gives_the_same_numbers_and_needs_the_column(trained):
    _, folder, _ = trained
    done = in_process(folder, "evaluate", "run", "--split", "test", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["splits"]["test"]["metrics"] == results(folder)["splits"]["test"]["metrics"]
    done = in_process(folder, "evaluate", "run", "--data", "rows.csv", "--json")
    assert done.code == 0, done.err
    measured = json.loads(done.out)
    assert measured["splits"]["rows.csv"]["weights"]["column"] == "w"
    assert "rows.csv: the metrics are weighted by the column 'w': the 400 rows say as much as " in done.err
    text = (folder / "rows.csv").read_text().replace("part,w,y", "part,other,y")
    (folder / "without.csv").write_text(text)
    done = in_process(folder, "evaluate", "run", "--data", "without.csv")
    assert done.code == 4
    assert "without.csv: no column 'w', by which the metrics are weighted" in done.err


def test_after_each_epoch_the_metrics_are_weighted_too(trained):
    task, folder, _ = trained
    name = "mae" if task == "regression" else "log_loss"
    history = np.genfromtxt(folder / "run" / "history.csv", delimiter=",", names=True)
    epoch = results(folder)["model"]["epoch"]
    seen = history[f"validation{name}"][epoch - 1]
    _, target, predicted, weights = stored(folder, "validation")
    if task == "regression":
        assert seen == pytest.approx(sk.mean_absolute_error(target, predicted, sample_weight=weights), rel=1e-12)
    elif task == "multiclass":
        assert seen == pytest.approx(sk.log_loss(target, predicted, sample_weight=weights), rel=1e-6)


def test_resumed_and_reproduced_runs_have_the_same_numbers(trained):
    _, folder, _ = trained
    done = in_process(folder, "reproduce", "run")
    assert done.code == 0, done.err
    assert "identical" in done.out + done.err
    assert in_process(folder, "report", "run").code == 0
    assert in_process(folder, "show", "run").code == 0


@pytest.mark.long
def test_runs_are_compared_by_weighted_rows(trained):
    task, folder, _ = trained
    other = config_for(task).replace("units: [4]", "units: [2]").replace("epochs: 3", "epochs: 1")
    (folder / "other.yaml").write_text(other)
    assert in_process(folder, "train", "other.yaml", "--run-dir", "other").code == 0
    done = in_process(folder, "compare", "run", "other", "--json")
    assert done.code == 0, done.err
    (pair,) = json.loads(done.out)["pairs"]
    assert pair["paired"] is not None, pair
    one, two = (stored(folder, "test", name) for name in ("run", "other"))
    name = pair["metric"].partition(".")[2]
    of = {"log_loss": sk.log_loss, "mae": sk.mean_absolute_error, "mse": sk.mean_squared_error}[name]
    values = [of(target, predicted, sample_weight=weights) for _, target, predicted, weights in (one, two)]
    assert pair["paired"]["difference"]["value"] == pytest.approx(values[1] - values[0], rel=1e-6)
    plain = other.replace("sample_weight: true", "sample_weight: false")
    (folder / "plain.yaml").write_text(plain)
    assert in_process(folder, "train", "plain.yaml", "--run-dir", "plain").code == 0
    assert not (folder / "plain" / "predictions" / "test.weights.npy").exists()
    done = in_process(folder, "compare", "run", "plain")
    assert "the metrics of only one of them are weighted (evaluation.sample_weight)" in done.out + done.err
    lines = (folder / "plain" / "metrics.json").read_text()
    assert '"weights": {' not in lines


@pytest.mark.parametrize(
    ("replaced", "by", "code", "message"),
    [
        (
            "  sample_weight: w\n",
            "",
            3,
            "evaluation.sample_weight: there are no weights: name a column of them",
        ),
        ("target: y", "target: [y, a]", 3, "several targets are not measured with weights"),
    ],
)
def test_what_is_not_measured_with_weights_is_refused_at_its_line(tmp_path, replaced, by, code, message):
    config = config_for("regression").replace(replaced, by)
    write(tmp_path, config, "regression")
    done = in_process(tmp_path, "train", "config.yaml")
    assert done.code == code, done.err
    assert message in done.err
    assert "config.yaml:" in done.err


def test_a_metric_of_a_plugin_is_refused_at_its_line(tmp_path):
    (tmp_path / "own.py").write_text(
        "import numpy as np\nfrom mltrain import metric\n\n\n@metric('regression', direction='min', best=0.0)\n"
        "def far(target, predictions):\n    return np.abs(target - predictions).max()\n"
    )
    config = config_for("regression").replace("[mse,", "[far, mse,")
    write(tmp_path, config, "regression")
    done = in_process(tmp_path, "train", "config.yaml", "--plugin", "own.py")
    assert done.code == 3, done.err
    assert "'far' is a metric of a plugin, which is not measured with weights" in done.err
    assert "config.yaml:12:" in done.err


def test_rows_that_all_have_the_weight_0_are_an_error(tmp_path):
    config = config_for("regression").replace("type: random, validation: 0.25, test: 0.25", "type: column, column: s")
    write(tmp_path, config, "regression")
    head, *lines = (tmp_path / "rows.csv").read_text().splitlines()
    changed = [f"{head},s"]
    for number, line in enumerate(lines):
        *first, weight, y = line.split(",")
        split = ("train", "validation", "test")[number % 3]
        changed.append(",".join([*first, "0" if split == "test" else weight, y, split]))
    (tmp_path / "rows.csv").write_text("\n".join(changed) + "\n")
    done = in_process(tmp_path, "train", "config.yaml")
    assert done.code == 4, done.err
    assert "every test row has the sample weight 0: there is nothing to measure" in done.err


@pytest.mark.long
def test_the_folds_of_a_cross_validation_are_weighted(tmp_path):
    write(tmp_path, config_for("regression"), "regression")
    done = in_process(tmp_path, "cross-validate", "config.yaml", "--folds", "3", "--run-dir", "folds")
    assert done.code == 0, done.err
    runs = sorted(each.parent.parent for each in (tmp_path / "folds").rglob("predictions/test.weights.npy"))
    assert len(runs) == 3
    kinds = ("target", "predictions", "weights")
    parts = [[np.load(run / "predictions" / f"test.{kind}.npy") for kind in kinds] for run in runs]
    target, predicted, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
    pooled = json.loads(next((tmp_path / "folds").glob("*.json")).read_text())["pooled"]
    assert pooled["metrics"]["mae"]["value"] == pytest.approx(np.average(abs(predicted - target), weights=weights))
