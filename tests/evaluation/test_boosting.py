"""Gradient boosting is scikit-learn's, on one thread, and limited by its work."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_info, threadpool_limits

from mltrain.evaluation import boosting
from mltrain.evaluation.boosting import FEWEST_ROWS, MOST_ROUNDS, Learned, Plan, fit_boosting, plan_boosting, sampled

PLAN = Plan(rows=1000, rounds=30)
NO_CATEGORIES = (False,) * 3


def rows(of, count=400, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(count, 3)).astype(np.float32)
    values[draw.random(values.shape) < 0.1] = np.nan
    score = np.nansum(values, axis=1) + draw.normal(size=count) / 4
    truth = {"regression": score, "binary": score > 0, "multiclass": np.digitize(score, [-1, 1]), "count": score > 0}[
        of
    ]
    return Learned(values, truth.astype(np.float64 if of in ("regression", "count") else np.int64))


@pytest.mark.parametrize("task", ["regression", "count", "binary", "multiclass"])
def test_it_is_that_of_scikit_learn_which_stops_on_the_held_out_rows(task):
    train, held_out = rows(task), rows(task, 100, 1)
    classes = {"binary": 2, "multiclass": 3}.get(task, 0)
    found = fit_boosting(task, classes, train, held_out, NO_CATEGORIES, PLAN, 7).predict(held_out.values)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    more = {"loss": "poisson"} if task == "count" else {}
    model = kind(max_iter=30, early_stopping=True, random_state=7, **more)
    with threadpool_limits(1, user_api="openmp"):
        model.fit(train.values, train.truth, X_val=held_out.values, y_val=held_out.truth)
        expected = model.predict_proba(held_out.values) if classes else model.predict(held_out.values)
    assert (found == (expected[:, 1] if task == "binary" else expected)).all()


def test_weights_count():
    train, held_out = rows("regression"), rows("regression", 100, 1)
    weights = np.where(np.nan_to_num(train.values[:, 0]) > 0, 5.0, 0.2)
    weighted = Learned(train.values, train.truth, weights)
    plain, other = (fit_boosting("regression", 0, each, held_out, NO_CATEGORIES, PLAN, 0) for each in (train, weighted))
    assert (plain.predict(held_out.values) != other.predict(held_out.values)).any()


def test_without_held_out_rows_a_tenth_of_the_training_rows_stops_it():
    train = rows("multiclass", 200)
    train.truth[:] = np.minimum(train.truth, 1)
    train.truth[5] = 2  # the only row of its class is learned from
    found = fit_boosting("multiclass", 3, train, None, NO_CATEGORIES, PLAN, 0)
    predicted = found.predict(train.values)
    assert predicted.shape == (200, 3) and (predicted > 0).all()
    assert (predicted == fit_boosting("multiclass", 3, train, None, NO_CATEGORIES, PLAN, 0).predict(train.values)).all()


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3)])
def test_a_class_that_no_training_row_has_is_never_predicted(task, classes):
    train, held_out = rows(task), rows(task, 100, 1)
    one = Learned(train.values, np.ones_like(train.truth))
    found = fit_boosting(task, classes, one, held_out, NO_CATEGORIES, PLAN, 0).predict(held_out.values)
    assert (found == (1 if task == "binary" else np.array([0, 1, 0]))).all()
    if task == "multiclass":
        two = train.take(np.flatnonzero(train.truth < 2))
        found = fit_boosting(task, classes, two, held_out, NO_CATEGORIES, PLAN, 0).predict(held_out.values)
        assert found.shape == (100, 3) and (found[:, 2] == 0).all() and np.allclose(found.sum(axis=1), 1)


def test_the_commonest_255_of_more_categories_are_told_apart():
    draw = np.random.default_rng(0)
    numbers = np.concatenate([np.repeat(np.arange(300), 2), np.repeat(np.arange(100, 300), 20)])
    numbers = draw.permutation(numbers).astype(np.float32)
    truth = np.where(numbers % 2 == 0, 10.0, -10.0)
    train = Learned(numbers[:, None], truth)
    fitted = fit_boosting("regression", 0, train, train, (True,), Plan(9000, 100), 0)
    common, unknown = np.arange(150, 300, dtype=np.float32)[:, None], np.array([[1e6], [np.nan]], np.float32)
    assert (np.sign(fitted.predict(common)) == np.where(np.arange(150, 300) % 2 == 0, 1, -1)).mean() > 0.9
    assert np.isfinite(fitted.predict(unknown)).all()


def test_one_thread_computes_it_and_those_of_others_stay(monkeypatch):
    seen = []

    class Model:
        n_iter_ = 1

        def set_params(self, **given):
            pass

        def fit(self, *given, **more):
            seen.extend(each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp")

    monkeypatch.setattr(boosting, "_estimator", lambda *given: Model())
    with threadpool_limits(2, user_api="openmp"):
        fit_boosting("regression", 0, rows("regression"), None, NO_CATEGORIES, PLAN, 0)
        after = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"]
    assert set(seen) == {1} and set(after) == {2}


def test_the_work_is_limited():
    few = plan_boosting(FEWEST_ROWS - 1, 3, 1, 100)
    assert isinstance(few, str) and "fewer than 40 training rows" in few
    assert "1,001 columns" in str(plan_boosting(500, 1001, 1, 100))
    assert "are too many for the quick fit" in str(plan_boosting(20_000, 900, 100, 100))
    assert plan_boosting(500, 10, 1, 100) == Plan(500, MOST_ROUNDS)
    large, several = plan_boosting(10**6, 50, 1, 10**5), plan_boosting(10**6, 50, 7, 10**5)
    assert isinstance(large, Plan) and isinstance(several, Plan)
    assert large.rows == 50_000 and several.rounds < large.rounds < MOST_ROUNDS


def test_a_sample_has_every_class():
    truth = np.zeros(1000, np.int64)
    truth[[400, 700]] = 1, 2
    chosen = sampled(1000, 50, truth, True, 3)
    assert set(truth[chosen]) == {0, 1, 2} and len(chosen) <= 53 and (np.diff(chosen) > 0).all()
    assert (chosen == sampled(1000, 50, truth, True, 3)).all()
    assert (sampled(30, 50, truth[:30], True, 3) == np.arange(30)).all()
