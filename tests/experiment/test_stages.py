"""What is wrong with the stages of a training is said at its line, without TensorFlow."""

import pytest

CONFIG = """\
data:
  source: {type: synthetic, kind: blobs, rows: 60}
  split: {type: random, validation: 0.25}
model: {type: mlp, units: [4]}
training:
  stages:
    - {train: all, epochs: 2}
    - {train: head, epochs: 3, learning_rate: 0.001}
"""


@pytest.fixture
def refused(mltrain, tmp_path):
    """Return what `validate` says of a config with some settings."""
    (tmp_path / "config.yaml").write_text(CONFIG)

    def run(*settings):
        options = [part for each in settings for part in ("--set", each)]
        done = mltrain("validate", "config.yaml", *options)
        assert done.code == 3, done.err
        return done.err

    return run


def test_stages_are_valid(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert mltrain("validate", "config.yaml").code == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("stages[0].train=haed", "training.stages[0].train: expected head, all, {last: 30 layers} or {from: NAME OF A"),
        (
            "stages[0].train={last: 0}",
            "training.stages[0].train.last: expected a number of layers, such as `30 layers`",
        ),
        ("stages[0].train={last: 3 rows}", "training.stages[0].train.last: expected a number of layers"),
        ("stages[0].train={from: 3}", "training.stages[0].train.from: expected the name of a layer"),
        ("stages[0].train={form: conv}", "training.stages[0].train.form: unknown key (did you mean 'from'?)"),
        ("stages[0].train={last: 3, from: conv}", "training.stages[0].train: expected head, all, {last: 30 layers} or"),
        ("stages=[{train: all}]", "training.stages[0].epochs: missing key"),
        (
            "epochs=5",
            "training.epochs: training.stages say how many epochs there are, 5 in all: remove training.epochs",
        ),
        ("budget={rows_seen: 500}", "training.budget: training.stages say how long to train, 5 epochs"),
        (
            "stages[1].optimizer={type: SGD, learning_rate: 0.1}",
            "training.stages[1].optimizer.learning_rate: `learning_",
        ),
        ("learning_rate={find: {}}", "training.learning_rate: a learning rate is looked for before a training without"),
        (
            "stages[1].schedule={type: cosine, warm_up: 4 epochs}",
            "training.stages[1].schedule.warm_up: 4 epochs is not less than the whole training, which is 3 epochs",
        ),
    ],
)
def test_a_stage_that_cannot_be(refused, setting, message):
    assert message in refused(f"training.{setting}")


@pytest.mark.parametrize("train", ["head", "{last: 2 layers}", "{from: head}"])
def test_layers_that_are_random_and_not_trained(refused, train):
    said = refused(f"training.stages[0].train={train}")
    assert "training.stages[0].train: stage 1 trains the " in said
    assert "the layers before them keep random weights: state weights of the model" in said


def test_two_patiences(refused):
    said = refused("training.callbacks=[EarlyStopping]", "training.stages[0].patience=3")
    assert "training.stages[0].patience: training.callbacks has an EarlyStopping, which is for every stage" in said


def test_a_schedule_of_a_stage_beside_a_plateau(refused):
    said = refused("training.callbacks=[ReduceLROnPlateau]", "training.stages[0].schedule=cosine")
    assert "training.callbacks[0]: ReduceLROnPlateau cannot change a learning rate that follows a schedule" in said


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("{from: dence}", "training.stages[1].train.from: the model has no layer 'dence' (did you mean 'dense'?)"),
        ("{from: nothing_like_it}", "its last layers are dense, head"),
    ],
)
def test_a_layer_that_is_not_there(mltrain, tmp_path, train, message):
    (tmp_path / "config.yaml").write_text(CONFIG.replace("train: head", f"train: {train}"))
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert "config.yaml:8:" in done.err
    assert message in done.err
