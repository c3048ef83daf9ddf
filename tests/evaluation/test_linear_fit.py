"""Logistic, ridge and Poisson regression against scikit-learn's, on standardised inputs."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import StandardScaler

from mltrain.evaluation.linear_fit import fit_logistic, fit_poisson, fit_ridge, minimise


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine], ids=["binary", "multiclass"])
def test_the_logistic_regression_is_that_of_scikit_learn(load):
    inputs, target = load(return_X_y=True)
    classes = len(np.unique(target))
    fit = fit_logistic(inputs, target, classes)
    scaled = StandardScaler().fit_transform(inputs)
    expected = LogisticRegression(tol=1e-8, max_iter=10_000).fit(scaled, target).predict_proba(scaled)
    assert fit.converged
    found = fit.probabilities(inputs)
    assert found == pytest.approx(expected[:, 1] if classes == 2 else expected, abs=1e-3)


def test_the_ridge_regression_is_that_of_scikit_learn():
    inputs, target = load_diabetes(return_X_y=True)
    scaled = StandardScaler().fit_transform(inputs)
    expected = Ridge().fit(scaled, target).predict(scaled)
    assert fit_ridge(inputs, target).scores(inputs)[:, 0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("mean", [0.05, 3, 5000])
def test_the_poisson_regression_is_that_of_scikit_learn(mean):
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(2000, 4)) * [1, 10, 0.1, 3] + [0, 5, 0, 100]
    scaled = StandardScaler().fit_transform(inputs)
    target = draw.poisson(mean * np.exp(scaled @ [0.3, -0.4, 0.2, 0])).astype(float)
    expected = PoissonRegressor(alpha=1 / len(target), tol=1e-10, max_iter=10_000).fit(scaled, target).predict(scaled)
    fit = fit_poisson(inputs, target)
    assert fit.converged
    assert fit.expectations(inputs) == pytest.approx(expected, rel=1e-3)


def test_a_poisson_regression_of_zeros_and_of_far_inputs_does_no_harm():
    inputs = np.random.default_rng(0).normal(size=(100, 2))
    assert 0 < fit_poisson(inputs, np.zeros(100)).expectations(inputs).max() < 0.05
    fit = fit_poisson(inputs, np.where(inputs[:, 0] > 1, 1e6, 0.0))
    assert fit.converged
    assert fit.expectations(np.array([[1e6, 0.0]])).tolist() == [np.inf]


def test_a_constant_input_and_a_large_one_do_no_harm():
    draw = np.random.default_rng(0)
    inputs = np.stack([draw.normal(size=200), np.full(200, 0.1), 1e6 + draw.normal(size=200)], axis=1)
    target = (inputs[:, 0] + inputs[:, 2] - 1e6 > 0).astype(int)
    fit = fit_logistic(inputs, target, 2)
    assert np.isfinite(fit.weights).all()
    assert np.mean((fit.probabilities(inputs) > 0.5) == target) > 0.95


def test_a_class_without_a_row_is_no_obstacle():
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    found = fit_logistic(inputs, (inputs[:, 0] > 0).astype(int), 3).probabilities(inputs)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[:, 2].max() < 0.1


def test_the_minimum_of_a_quadratic_form_is_found():
    matrix = np.diag([1.0, 10.0, 100.0])
    found, iterations, converged = minimise(
        lambda x: (x @ matrix @ x / 2 - x.sum(), matrix @ x - 1), np.array([3.0, -4.0, 5.0])
    )
    assert converged
    assert iterations < 30
    assert found == pytest.approx([1, 0.1, 0.01], abs=1e-5)
