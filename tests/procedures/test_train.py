"""`mltrain train` from a YAML file to a run directory: what it leaves, and what each setting of training does."""

import csv
import json

import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest, read_checkpoint

FILES = {
    "config.yaml",
    "config.resolved.yaml",
    "record.json",
    "status.json",
    "splits/train.npy",
    "splits/validation.npy",
    "splits/test.npy",
    "preprocessing.json",
    "reference.json",
    "audit.json",
    "history.csv",
    "metrics.json",
    *(
        f"predictions/{name}.{part}.npy"
        for name in ("validation", "test")
        for part in ("rows", "target", "predictions")
    ),
    "test_looks.jsonl",
    *(f"plots/{name}.png" for name in ("loss", "metrics", "confusion")),
    *(f"plots/{name}.svg" for name in ("confusion", "roc", "precision-recall", "calibration")),
    *(f"plots/curve-{name}.svg" for name in ("loss", "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss")),
    "model.json",
    "examples.json",
    "report.html",
    "report.md",
    "model.keras",
    "log.txt",
}


@pytest.fixture
def trained(mltrain, config, tmp_path):
    """Train the small experiment with some lines replaced and some values overridden."""

    def run(*overrides, code=0, name="run", **replaced):
        arguments = [part for override in overrides for part in ("--set", override)]
        done = mltrain("train", config(**replaced), "--run-dir", tmp_path / name, *arguments)
        assert done.code == code, done.err
        return tmp_path / name, done

    return run


def history(run):
    with (run / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def metrics(run):
    return json.loads((run / "metrics.json").read_text())


def last_weights(run, kind="last"):
    arrays, _ = read_checkpoint(newest(run / "checkpoints", kind))
    return arrays


def test_the_run_directory_is_complete(small_trained):
    run, done = small_trained.run, small_trained
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert {path for path in found if not path.startswith(("checkpoints/", "."))} == FILES
    assert done.out == f"{run}\n"
    assert (run / "config.yaml").read_bytes() == (run.parent / "config.yaml").read_bytes()
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["epoch"], status["exit_code"]) == ("finished", 2, 0)


def test_the_history_has_one_row_an_epoch(small_trained):
    run = small_trained.run
    rows = history(run)
    columns = list(rows[0])
    assert columns[0] == "epoch"
    assert columns[-2:] == ["learning_rate", "seconds"]
    assert [row["epoch"] for row in rows] == [1, 2]
    names = {"train.loss", "train.accuracy", "validation.loss", "validation.accuracy", "validation.roc_auc"}
    assert names <= set(columns)


def test_the_record_says_how_the_run_came_about(small_trained):
    run = small_trained.run
    record = json.loads((run / "record.json").read_text())
    assert record["versions"].keys() >= {"python", "mltrain", "tensorflow", "keras", "numpy"}
    assert record["device"]["value"] == "cpu"
    assert record["seeds"] == {"experiment": 42, "split": 42}
    assert {name: split["rows"] for name, split in record["splits"].items()} == {
        "train": 36,
        "validation": 12,
        "test": 12,
    }
    assert len(record["data"]["sha256"]) == 64
    decided = {decision["what"]: decision for decision in record["decisions"]}
    assert decided["task"]["value"] == "multiclass"
    assert all(decision["reason"] for decision in record["decisions"])


def test_the_splits_are_disjoint_and_cover_all_rows(small_trained):
    run = small_trained.run
    rows = np.concatenate([np.load(path) for path in sorted((run / "splits").glob("*.npy"))])
    assert sorted(rows) == list(range(60))


def test_validation_in_the_log_is_validation_in_the_results(trained):
    run, _ = trained("training.epochs=5", "training.final=last")
    results = metrics(run)["splits"]["validation"]["metrics"]
    for name, measured in results.items():
        assert history(run)[-1][f"validation.{name}"] == measured["value"], name


def test_the_best_epoch_is_the_model_of_the_run(trained):
    run, _ = trained("training.epochs=12", "training.optimizer.learning_rate=0.5")
    losses = [row["validation.loss"] for row in history(run)]
    assert metrics(run)["model"]["epoch"] == int(np.argmin(losses)) + 1
    assert metrics(run)["splits"]["validation"]["metrics"]["loss"]["value"] == min(losses)


def test_moving_averages_are_what_is_validated_and_kept(trained):
    ema = "training.optimizer={type: Adam, learning_rate: 0.05, use_ema: true, ema_momentum: 0.9}"
    averaged, _ = trained(ema, "training.epochs=6", "training.final=last", name="averaged")
    plain, _ = trained(
        "training.optimizer={type: Adam, learning_rate: 0.05}",
        "training.epochs=6",
        "training.final=last",
        name="plain",
    )
    # The averages only watch: the weights behind them walk the same path as without.
    mine, other = history(averaged), history(plain)
    assert [row["train.loss"] for row in mine] == [row["train.loss"] for row in other]
    assert all(row["validation.loss"] != without["validation.loss"] for row, without in zip(mine, other, strict=True))
    final = metrics(averaged)["splits"]["validation"]["metrics"]["loss"]["value"]
    assert final == mine[-1]["validation.loss"]
    for name, array in last_weights(averaged).items():
        assert (array != last_weights(plain)[name]).any()


def test_stop_when(trained):
    run, _ = trained("training.epochs=50", "training.stop_when=train.loss < 100")
    assert len(history(run)) == 1
    assert "train.loss < 100 holds" in metrics(run)["model"]["stopped"]


def test_early_stopping(trained):
    stopping = "training.callbacks=[{type: EarlyStopping, patience: 2, min_delta: 10}]"
    run, _ = trained("training.epochs=50", stopping)
    assert len(history(run)) == 3
    assert metrics(run)["model"]["stopped"].startswith("early stopping: validation.loss")


def test_the_learning_rate_is_reduced_on_a_plateau(trained):
    plateau = "training.callbacks=[{type: ReduceLROnPlateau, patience: 1, min_delta: 10, factor: 0.5}]"
    run, done = trained("training.epochs=4", plateau)
    assert [row["learning_rate"] for row in history(run)] == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    assert "learning rate 0.01 → 0.005" in done.err


def test_a_schedule_drives_the_learning_rate(trained):
    schedule = "{type: ExponentialDecay, initial_learning_rate: 0.1, decay_steps: 5, decay_rate: 0.5, staircase: true}"
    run, _ = trained(f"training.optimizer={{type: SGD, learning_rate: {schedule}}}", "training.epochs=3")
    assert [row["learning_rate"] for row in history(run)] == pytest.approx([0.05, 0.025, 0.0125])


def test_a_callback_of_keras_is_driven(trained):
    run, _ = trained("training.callbacks=[TerminateOnNaN]")
    assert len(history(run)) == 2


def test_divergence_is_exit_8_and_keeps_what_was_good(trained):
    run, done = trained("training.optimizer={type: SGD, learning_rate: 1e30}", "training.epochs=20", code=8)
    assert "diverged" in done.err.splitlines()[-1]
    assert "learning rate 1e+30" in done.err
    assert "Traceback" not in done.err
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("failed", 8)


def test_checkpoints_are_kept_as_many_as_asked(trained):
    run, _ = trained("training.checkpoint={every: 1 epoch, keep: 3}", "training.epochs=6")
    kept = sorted((run / "checkpoints").glob("state-*"))
    # One before the first step, one after each epoch, one at the end.
    assert [path.name for path in kept] == ["state-000006", "state-000007", "state-000008"]
    assert [read_checkpoint(path)[1]["step"] for path in kept] == [25, 30, 30]


def test_checkpoints_by_steps_stand_at_multiples(trained):
    run, _ = trained("training.checkpoint={every: 4 steps, keep: 20}", "training.epochs=3")
    steps = [read_checkpoint(path)[1]["step"] for path in sorted((run / "checkpoints").glob("state-*"))]
    assert steps == [0, 4, 8, 12, 15]


@pytest.mark.parametrize("batch_size", ["full", 1000, 36, 7])
def test_any_batch_size(trained, batch_size):
    run, _ = trained(f"training.batch_size={batch_size}")
    steps = {"full": 1, 1000: 1, 36: 1, 7: 6}[batch_size]
    assert json.loads((run / "status.json").read_text())["step"] == 2 * steps


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "categorical_crossentropy", "mse", "kl_divergence", "CategoricalFocal"]
)
def test_classes_are_given_to_the_loss_in_the_form_it_wants(trained, loss):
    loss = "CategoricalFocalCrossentropy" if loss == "CategoricalFocal" else loss
    run, _ = trained(f"training.loss={loss}", "training.epochs=30", "training.optimizer.learning_rate=0.05")
    assert metrics(run)["splits"]["train"]["metrics"]["accuracy"]["value"] > 0.8


def test_logits_become_probabilities(trained):
    layers = "model={type: sequential, layers: [{type: Dense, units: 3}]}"
    logits = "training.loss={type: SparseCategoricalCrossentropy, from_logits: true}"
    run, done = trained(layers, logits, "training.epochs=30", "training.optimizer.learning_rate=0.05")
    assert "3 units of logits" in done.err
    results = metrics(run)["splits"]["test"]["metrics"]
    assert results["log_loss"]["value"] == pytest.approx(results["loss"]["value"], abs=1e-5)


def test_class_weights_change_the_training(trained, small_trained):
    plain = small_trained.run
    balanced, _ = trained("training.class_weight={0: 1, 1: 5, 2: 1}")
    assert history(plain)[-1]["train.loss"] != history(balanced)[-1]["train.loss"]


@pytest.mark.parametrize(
    ("override", "place", "said"),
    [
        ("training.class_weight={7: 1}", "--set #1", "no such class (the classes are: 0, 1, 2)"),
        (
            "evaluation.metrics=[r2]",
            "--set #1",
            "'r2' is a metric for regression, count and multiregression, the task is multiclass",
        ),
        ("objective=validation.mae", "--set #1", "'validation.mae' will not be measured"),
        (
            "model={type: sequential, layers: [{type: Conv2D, filters: 3, kernel_size: 3}]}",
            "--set #1",
            "model.layers[0]: Conv2D does not accept outputs of shape (batch, 2)",
        ),
    ],
)
def test_what_turns_out_wrong_with_the_data_is_said_at_its_place(trained, override, place, said):
    run, done = trained(override, code=3)
    assert said in done.err.splitlines()[-1] or said in done.err
    assert place in done.err
    assert json.loads((run / "status.json").read_text())["exit_code"] == 3


def test_what_is_printed_for_programs(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--json", "--quiet")
    found = json.loads(done.out)
    assert found["run"] == str(tmp_path / "run")
    assert found["metrics"] == metrics(tmp_path / "run")
    assert done.err == ""


def test_errors_are_printed_for_programs_too(mltrain, config):
    done = mltrain("train", config(epochs="  epoch: 3"), "--json")
    error = json.loads(done.out)["error"]
    assert error["exit_code"] == done.code == 3
    assert error["problems"][0]["path"] == "training.epoch"
    assert (error["problems"][0]["line"], error["problems"][0]["column"]) == (9, 3)


def test_the_number_of_threads_is_what_is_asked_for(shell, config, tmp_path):
    done = shell(f"mltrain train {config()} --run-dir run --set threads=1 --set training.epochs=1")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run" / "record.json").read_text())["threads"]["intra_op"] == 1


def test_status_says_the_epoch_and_the_step_while_it_trains(mltrain, config, tmp_path, monkeypatch):
    from mltrain.procedures.listeners import ProgressInStatus
    from mltrain.training.training import Training

    monkeypatch.setattr(ProgressInStatus, "_BETWEEN", 0)
    seen, validate = [], Training._validate

    def look(self, epoch):
        status = json.loads((tmp_path / "run" / "status.json").read_text())
        seen.append((status["state"], status["reason"], status["epoch"], status["step"]))
        return validate(self, epoch)

    monkeypatch.setattr(Training, "_validate", look)
    assert mltrain("train", config(epochs="  epochs: 4"), "--run-dir", "run").code == 0
    # 36 training rows in batches of 8 are 5 steps per epoch.
    assert seen == [("running", "training", epoch, 5 * (epoch + 1)) for epoch in range(4)]


def test_stop_when_keeps_every_digit_of_its_number(trained):
    run, _ = trained("training.epochs=1", "training.stop_when=train.loss < 0.123456789")
    assert 'stop_when: "train.loss < 0.123456789"' in (run / "config.resolved.yaml").read_text()
