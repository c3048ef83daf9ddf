"""What is wrong with a learning rate, its schedule and the optimizer is said at its line."""

import pytest

CONFIG = """\
data:
  source: {type: synthetic, kind: blobs, rows: 60}
  split: {type: random, validation: 0.25}
model: {type: mlp, units: [4]}
training: {epochs: 4}
"""


@pytest.fixture
def refused(mltrain, tmp_path):
    """Return what `validate` says of a config with some settings."""
    (tmp_path / "config.yaml").write_text(CONFIG)

    def run(*settings, code=3, command="validate"):
        options = [part for each in settings for part in ("--set", each)]
        done = mltrain(command, "config.yaml", *options)
        assert done.code == code, done.err
        return done.err

    return run


@pytest.mark.parametrize(
    ("schedule", "key", "message"),
    [
        ("{type: cosine, warm_up: 4 epochs}", "warm_up", "4 epochs is not less than the whole training"),
        ("{type: cosine, warm_up: 1}", "warm_up", "expected less than the whole training"),
        ("{type: cosine, warm_up: 3}", "warm_up", "expected a share of the training from 0 to 1 (0.1), a number"),
        ("{type: cosine, warm_up: 2.5 steps}", "warm_up", "expected a share of the training from 0 to 1 (0.1)"),
        ("{type: linear, length: 5 epochs}", "length", "5 epochs is more than the whole training, which is 4 epochs"),
        ("{type: linear, growth: 2}", "growth", "linear has no 'growth' (it has: warm_up, length, end)"),
        ("cosine_restarts", "length", "cosine_restarts needs 'length'"),
        ("{type: cosine_restarts, length: 0.1, growth: 1.001}", "growth", "expected 1, or at least 1.01"),
        ("{type: one_cycle, rise: 1}", "rise", "expected more than 0 and less than 1"),
        ("piecewise", "boundaries", "piecewise needs 'boundaries'"),
        ("{type: piecewise, boundaries: [0.5, 0.5]}", "boundaries[1]", "0.5 of the training is not later than"),
        ("{type: piecewise, boundaries: [3 epochs, 0.5]}", "boundaries[1]", "0.5 of the training is not later than"),
        ("{type: piecewise, boundaries: [9 steps, 8 steps]}", "boundaries[1]", "8 steps is not later than"),
        ("{type: piecewise, boundaries: [4 epochs]}", "boundaries[0]", "4 epochs is not before the end of the"),
        ("{type: piecewise, boundaries: [0.5], factors: [1]}", "factors", "expected 2 factors for 1 boundary"),
    ],
)
def test_a_schedule_that_does_not_fit(refused, schedule, key, message):
    said = refused(f"training.schedule={schedule}")
    assert f"training.schedule.{key}: " in said
    assert message in said


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("{type: cosine, warm_up: 8 steps}", "warm_up: 8 steps is not less than the whole training, which is 4 epochs"),
        ("{type: piecewise, boundaries: [3 epochs, 5 steps]}", "boundaries[1]: 5 steps is not later than the one"),
    ],
)
def test_steps_are_compared_once_the_rows_are_known(refused, schedule, message):
    # 45 training rows are two steps of 32.
    assert message in refused(f"training.schedule={schedule}", command="train")


@pytest.mark.parametrize("rate", ["0.001", "0.3"])  # 0.001 is Keras' own
def test_a_learning_rate_is_stated_once(refused, rate):
    optimizer = f"training.optimizer={{type: Adam, learning_rate: {rate}}}"
    said = refused("training.learning_rate=0.01", optimizer)
    assert (
        "training.optimizer.learning_rate: `learning_rate` beside the optimizer already says it: remove one of the two"
        in said
    )


def test_a_learning_rate_that_is_none(refused):
    assert "training.learning_rate: expected a number greater than 0, a schedule" in refused("training.learning_rate=0")
    assert "did you mean 'CosineDecay'?" in refused("training.learning_rate={type: cosinedecai}")


def test_a_schedule_of_keras_as_the_learning_rate_is_one_hand_on_it(refused):
    rate = "training.learning_rate={type: CosineDecay, initial_learning_rate: 0.1, decay_steps: 9}"
    assert "training.schedule: the learning rate of the optimizer already follows a schedule" in refused(
        rate, "training.schedule=cosine"
    )


@pytest.mark.long
def test_the_short_form_trains_as_the_long_one_and_is_kept_as_it_was_written(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    short = mltrain("train", "config.yaml", "--run-dir", "short", "--set", "training.learning_rate=0.02")
    long = mltrain("train", "config.yaml", "--run-dir", "long", "--set", "training.optimizer.learning_rate=0.02")
    assert (short.code, long.code) == (0, 0), short.err + long.err
    assert (short.run / "metrics.json").read_bytes() == (long.run / "metrics.json").read_bytes()
    resolved = (short.run / "config.resolved.yaml").read_text()
    assert resolved.count("learning_rate: ") == 1
    # A resumption may change it, as it may change that of the optimizer.
    changed = mltrain("resume", "short", "--epochs", 5, "--set", "training.learning_rate=0.5", "--allow-inexact")
    assert changed.code == 0, changed.err
    header, *rows = (line.split(",") for line in (short.run / "history.csv").read_text().splitlines())
    rates = [float(row[header.index("learning_rate")]) for row in rows]
    assert rates == pytest.approx([0.02, 0.02, 0.02, 0.02, 0.5])


def test_a_schedule_in_epochs_drives_the_training(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    settings = ["training.schedule={type: piecewise, boundaries: [1 epoch, 6 steps]}", "training.optimizer=sgd"]
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--set", settings[0], "--set", settings[1])
    assert done.code == 0, done.err
    header, *rows = (line.split(",") for line in (done.run / "history.csv").read_text().splitlines())
    rates = [float(row[header.index("learning_rate")]) for row in rows]
    # After each of four epochs of two steps, the rate of the step that follows.
    assert rates == pytest.approx([0.001, 0.001, 0.0001, 0.0001])
