"""Several batches for an update, through the command: the training is that of the large batch."""

import pytest

from tests.procedures.interrupted import assert_same_after_an_interruption

CONFIG = """\
name: accumulated
data:
  source: {type: synthetic, kind: blobs, rows: 150}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [8]}
training:
  optimizer: {type: SGD, learning_rate: 0.1, momentum: 0.9}
  schedule: {type: cosine, warm_up: 2 steps}
  epochs: 4
  batch_size: 8
  accumulate: 4
  checkpoint: {every: 2 steps}
"""


@pytest.fixture
def trained(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)

    def run(name, *settings):
        options = [part for each in settings for part in ("--set", each)]
        done = mltrain("train", "config.yaml", "--run-dir", name, *options)
        assert done.code == 0, done.err
        return done.run

    return run


def history(run):
    header, *rows = (line.split(",") for line in (run / "history.csv").read_text().splitlines())
    return [[float(value) for value in row[: header.index("seconds")]] for row in rows]


def test_it_is_the_training_of_the_large_batch_with_the_rest_of_each_epoch(trained):
    # 90 training rows: updates of 32, 32 and 26 rows, the last one of batches of 8, 8, 8 and 2.
    several, large = trained("run"), trained("large", "training.batch_size=32", "training.accumulate=1")
    for one, other in zip(history(several), history(large), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert '"step": 12' in (several / "status.json").read_text()


@pytest.mark.long
def test_a_schedule_and_the_checkpoints_count_updates_and_a_resumed_training_is_the_same(
    mltrain, trained, tmp_path, monkeypatch
):
    run = trained("run")
    assert history(run)[-1][-1] == pytest.approx(0, abs=1e-9)  # after 12 updates
    assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.batch_size=full", "training.accumulate: a full batch has all training rows"),
        ("training.optimizer.gradient_accumulation_steps=2", "training.accumulate: the optimizer already accumulates"),
        ("training.accumulate=0", "training.accumulate: expected an integer from 1 to 10000, received 0"),
    ],
)
def test_what_does_not_go_together(mltrain, tmp_path, setting, message):
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("validate", "config.yaml", "--set", setting)
    assert done.code == 3
    assert message in done.err


def test_the_way_of_keras_is_said(mltrain, trained):
    run = trained("keras", "training.accumulate=1", "training.optimizer.gradient_accumulation_steps=2")
    assert "`training.accumulate` ends each epoch with an update" in (run / "record.json").read_text()
