"""`predictions/`: what comes back is what was kept, and what does not fit together is refused by its file name."""

import re
from dataclasses import replace

import numpy as np
import pytest

from mltrain.errors import RunError
from mltrain.forecast_rows import ForecastRows
from mltrain.run.arrays import to_npy
from mltrain.run.locked_run import LockedRun
from mltrain.run.predictions import StoredPredictions
from mltrain.run.rundir import RunDirectory

BINARY = StoredPredictions(np.array([4, 0, 7]), np.array([0, 1, 1]), np.array([0.1, 0.9, 0.4], np.float32))
MULTICLASS = StoredPredictions(np.array([3, 1]), np.array([2, 0]), np.full((2, 3), 1 / 3, np.float32))
REGRESSION = StoredPredictions(np.array([3, 1]), np.array([2.5, -1.0]), np.array([2.0, np.nan]))
LABELS = StoredPredictions(np.array([3, 1]), np.array([[1, 0], [0, 0]]), np.full((2, 2), 0.5, np.float32))
NUMBERS = StoredPredictions(np.array([3, 1]), np.array([[2.5, 0.0], [-1.0, 9.0]]), np.zeros((2, 2)))


@pytest.fixture
def run(tmp_path):
    with LockedRun(tmp_path) as run:
        yield run


@pytest.mark.parametrize("stored", [BINARY, MULTICLASS, REGRESSION, LABELS, NUMBERS])
def test_what_was_kept_comes_back(run, stored):
    run.write_predictions({"test": stored})
    found = RunDirectory(run.path).predictions("test")
    for part in ("rows", "target", "values"):
        kept = getattr(stored, part)
        np.testing.assert_array_equal(getattr(found, part), kept)
        assert getattr(found, part).dtype == kept.dtype
    assert RunDirectory(run.path).predictions("validation") is None


def test_a_run_without_predictions_has_none(run):
    assert run.predictions("test") is None


def test_a_longer_training_replaces_them(run):
    run.write_predictions({"validation": BINARY, "test": BINARY})
    run.write_predictions({"test": MULTICLASS})
    assert run.predictions("validation") is None
    assert run.predictions("test").values.shape == (2, 3)


WRONG = {
    "rows of another type": ("rows", np.array([4, 0, 7], np.int32)),
    "rows in a square": ("rows", np.zeros((3, 3), np.int64)),
    "no rows": ("rows", np.zeros(0, np.int64)),
    "a row twice": ("rows", np.array([4, 0, 4])),
    "a row below 0": ("rows", np.array([4, 0, -1])),
    "a target too few": ("target", np.array([0, 1])),
    "targets of another type": ("target", np.array([0, 1, 1], np.int8)),
    "a class that is not there": ("target", np.array([0, 1, 2])),
    "a target that is no number": ("target", np.array([0.0, 1.0, np.nan])),
    "a prediction too many": ("predictions", np.zeros(4, np.float32)),
    "predictions in one column": ("predictions", np.zeros((3, 1), np.float32)),
    "predictions of another type": ("predictions", np.zeros(3, np.float16)),
    "predictions with the bytes turned round": ("predictions", np.zeros(3, ">f4")),
}


@pytest.mark.parametrize(("part", "array"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(run, part, array):
    run.write_predictions({"test": BINARY})
    (run.path / f"predictions/test.{part}.npy").write_bytes(to_npy(array))
    with pytest.raises(RunError, match=re.escape(f"predictions/test.{part}.npy: ")):
        run.predictions("test")


@pytest.mark.parametrize(
    ("part", "array"),
    [
        ("target", np.array([[1, 2], [0, 0]])),
        ("target", np.array([[1], [0]])),
        ("target", np.array([[1, 0], [0, 0], [0, 0]])),
        ("predictions", np.zeros((2, 2), np.float16)),
        ("target", np.array([[np.inf, 0.0], [0.0, 0.0]])),
    ],
)
def test_labels_that_do_not_fit_are_refused(run, part, array):
    run.write_predictions({"test": LABELS})
    (run.path / f"predictions/test.{part}.npy").write_bytes(to_npy(array))
    with pytest.raises(RunError, match=re.escape(f"predictions/test.{part}.npy: ")):
        run.predictions("test")


def test_weights_come_back_in_any_order(run):
    run.write_predictions({"test": replace(BINARY, weights=np.array([0.5, 0, 7]))})
    found = run.predictions("test")
    assert found.weights.tolist() == [0.5, 0, 7]
    assert found.take(np.array([2, 0])).weights.tolist() == [7, 0.5]


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(2),
        np.ones(3, np.float32),
        np.ones((3, 1)),
        np.zeros(3),
        np.array([1, -1.0, 1]),
        np.array([1, np.nan, 1]),
        np.array([1, np.inf, 1]),
    ],
)
def test_weights_that_do_not_fit_are_refused(run, weights):
    run.write_predictions({"test": BINARY})
    (run.path / "predictions/test.weights.npy").write_bytes(to_npy(weights))
    with pytest.raises(RunError, match=re.escape("predictions/test.weights.npy: ")):
        run.predictions("test")


def test_numbers_are_not_predicted_for_several_classes(run):
    run.write_predictions({"test": StoredPredictions(MULTICLASS.rows, REGRESSION.target, MULTICLASS.values)})
    with pytest.raises(RunError, match=r"test\.predictions\.npy"):
        run.predictions("test")


def forecasts(**others):
    """Return what is known of two rows as forecasts, one of a series that had no naive error."""
    known = {
        "times": np.array([1_700_000_000_000_000_001, 1_700_000_000_000_000_000]),
        "scale": np.array([0.5, np.nan]),
        "naive": np.array([2.0, -1.0]),
        "seasonal": np.array([3.0, 0.0]),
        "horizon": 3,
    }
    return replace(REGRESSION, forecasts=ForecastRows(**known | others))


@pytest.mark.parametrize("seasonal", [np.array([3.0, 0.0]), None])
def test_what_is_known_of_forecasts_comes_back_with_times_in_their_order(run, seasonal):
    run.write_predictions({"test": forecasts(seasonal=seasonal)})
    found = run.predictions("test").forecasts
    assert (found.times.tolist(), found.horizon) == ([1, 0], 3)
    np.testing.assert_array_equal(found.scale, [0.5, np.nan])
    np.testing.assert_array_equal(found.naive, [2.0, -1.0])
    assert (found.seasonal is None) == (seasonal is None)
    taken = run.predictions("test").take(np.array([1]))
    assert (taken.rows.tolist(), taken.target.tolist(), taken.forecasts.naive.tolist()) == ([1], [-1.0], [-1.0])


@pytest.mark.parametrize(
    "columns",
    [
        np.zeros((2, 3)),
        np.ones((1, 4)),
        np.ones((2, 4), np.float32),
        np.array([[0.0, 1, 1, 1], [2, 1, 1, 1]]),  # a time that is none of two
        np.array([[0.0, 1, 1, 1], [0.5, 1, 1, 1]]),
        np.array([[0.0, 1, 1, 1], [1, 2, 1, 1]]),  # two horizons
        np.array([[0.0, 0, 1, 1], [1, 0, 1, 1]]),
        np.array([[0.0, 1.5, 1, 1], [1, 1.5, 1, 1]]),
        np.array([[0.0, np.nan, 1, 1], [1, np.nan, 1, 1]]),
        np.array([[0.0, 1, -1, 1], [1, 1, 1, 1]]),
        np.array([[0.0, 1, 1, np.nan], [1, 1, 1, 1]]),
    ],
)
def test_forecasts_that_do_not_fit_are_refused(run, columns):
    run.write_predictions({"test": forecasts()})
    (run.path / "predictions/test.forecasts.npy").write_bytes(to_npy(columns))
    with pytest.raises(RunError, match=r"predictions/test\.forecasts\.npy: "):
        run.predictions("test")


@pytest.mark.parametrize("part", ["target", "predictions"])
def test_a_file_that_is_not_there_is_named(run, part):
    run.write_predictions({"test": BINARY})
    (run.path / f"predictions/test.{part}.npy").unlink()
    with pytest.raises(RunError, match=rf"test\.{part}\.npy: not there"):
        run.predictions("test")


def test_a_damaged_file_is_named(run):
    run.write_predictions({"test": BINARY})
    path = run.path / "predictions/test.predictions.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match=r"test\.predictions\.npy: not an array"):
        run.predictions("test")


def test_a_directory_that_is_a_link_is_not_followed(run, tmp_path_factory):
    run.write_predictions({"test": BINARY})
    outside = tmp_path_factory.mktemp("outside") / "predictions"
    (run.path / "predictions").rename(outside)
    (run.path / "predictions").symlink_to(outside)
    with pytest.raises(RunError, match="symbolic link"):
        run.predictions("test")
