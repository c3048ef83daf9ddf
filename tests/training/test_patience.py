"""A patience in updates of the weights instead of epochs."""

import csv

import pytest

from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.patience import in_epochs
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau


@pytest.mark.parametrize(
    ("patience", "steps", "epochs"), [(7, 100, 7), ("500 steps", 100, 5), ("501 steps", 100, 6), ("1 step", 100, 1)]
)
@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
def test_steps_become_the_epochs_that_have_as_many(kind, patience, steps, epochs):
    callback = kind.model_validate({"type": kind.__name__, "patience": patience})
    assert in_epochs(callback.patience, steps) == epochs
    assert callback.for_training(1000, steps).patience == epochs


def test_a_training_stops_after_so_many_steps(mltrain, config):
    # 36 training rows in batches of 8 are 5 steps an epoch, and nothing improves by 9.
    path = config(
        epochs="  epochs: 50\n  callbacks: [{type: EarlyStopping, patience: 12 steps, min_delta: 9}]",
    )
    done = mltrain("train", path, "--run-dir", "run")
    assert done.code == 0, done.err
    with (done.run / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 1 + 3


@pytest.mark.parametrize("patience", ["-1", "0 steps", "5 epochs", "true", "1.5"])
def test_something_else_is_refused_at_its_line(mltrain, config, patience):
    path = config(epochs=f"  epochs: 5\n  callbacks: [{{type: EarlyStopping, patience: {patience}}}]")
    done = mltrain("validate", path)
    assert done.code == 3
    assert "patience: expected a number of epochs (10), or of updates of the weights (500 steps)" in done.err
