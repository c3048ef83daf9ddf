from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import fisher_exact

from mltrain.evaluation import chance
from mltrain.evaluation.chance import EXACT_ROWS, against_chance, p_value

DIGITS = tuple("0123456789")


def margins(labels, n):
    return np.bincount(labels, minlength=n).tolist()


def test_the_p_value_is_the_share_of_all_deals():
    generator = np.random.default_rng(0)
    for classes in (2, 3, 4, 3, 4):
        target, predicted = generator.integers(0, classes, (2, 7))
        agreements = [int((target == np.array(deal)).sum()) for deal in itertools.permutations(predicted)]
        for correct in range(8):
            share = np.mean([found >= correct for found in agreements])
            assert p_value(correct, margins(target, classes), margins(predicted, classes)) == pytest.approx(share)


@pytest.mark.parametrize(("hits", "alarms"), [(5, 0), (3, 4), (0, 10), (7, 30)])
def test_two_classes_are_fishers_test(hits, alarms):
    table = np.array([[190 - alarms, alarms], [10 - hits, hits]])
    expected = fisher_exact(table, alternative="greater")[1]
    found = p_value(int(np.trace(table)), table.sum(axis=1).tolist(), table.sum(axis=0).tolist())
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_normal_distribution_is_close_where_it_takes_over(monkeypatch):
    generator = np.random.default_rng(1)
    for classes in (2, 10):
        of_class, as_class = (margins(generator.integers(0, classes, EXACT_ROWS), classes) for _ in range(2))
        expected = EXACT_ROWS / classes
        for deviations in (0, 1, 2):
            correct = round(expected + deviations * np.sqrt(expected * (1 - 1 / classes)))
            exact = p_value(correct, of_class, as_class)
            with monkeypatch.context() as patch:
                patch.setattr(chance, "EXACT_ROWS", 0)
                assert p_value(correct, of_class, as_class) == pytest.approx(exact, rel=0.15)


def test_a_constant_answer_is_never_better():
    for rows in (100, 1000):
        target = np.arange(rows) % 10 == 0
        found = against_chance(target.astype(int), np.zeros(rows, int), ("no", "yes"), target)
        assert found.correct == found.expected == rows * 0.9
        assert found.p_value == 1
        assert not found.better
        assert "is not better than chance" in found.sentence()


@pytest.mark.parametrize("rows", [200, 3000])
def test_dummy_labels_are_no_better_than_chance(rows):
    """The level is 5 %: of 200 models that know nothing, about 10 look as if they knew something."""
    generator = np.random.default_rng(5)
    better = 0
    for _ in range(200):
        target, predicted = generator.integers(0, 10, (2, rows))
        better += against_chance(target, predicted, DIGITS, target).better
    assert 2 <= better <= 20


@pytest.mark.parametrize("rows", [40, 200, 3000])
def test_real_labels_are_better_than_chance(rows):
    generator = np.random.default_rng(6)
    target = generator.integers(0, 10, rows)
    predicted = np.where(generator.random(rows) < 0.5, target, generator.integers(0, 10, rows))
    found = against_chance(target, predicted, DIGITS, target)
    assert found.better
    assert found.sentence().endswith("p < 0.001)")
    assert "is better than chance" in found.sentence()


def test_rare_classes_that_are_found_are_no_chance():
    target = np.arange(1000) < 10
    predicted = np.arange(1000) < 5
    assert against_chance(target.astype(int), predicted.astype(int), ("no", "yes"), target).better


def test_a_constant_answer_that_would_do_better_is_named():
    target = np.repeat([0, 1], [950, 50])
    predicted = target.copy()
    predicted[100:200] = 1
    sentence = against_chance(target, predicted, ("no", "yes"), target).sentence("validation")
    assert sentence.startswith("the validation accuracy of 0.9000 is above chance (900 of 1000 correct, 815.0 expected")
    assert sentence.endswith("but always answering 'no' gives 0.9500")


def test_the_constant_answer_is_read_off_the_training_rows():
    found = against_chance(np.array([1, 1, 0]), np.array([1, 1, 0]), ("no", "yes"), np.array([0, 0, 1]))
    assert (found.constant, found.constant_correct) == ("no", 1)


@pytest.mark.parametrize("target", [[0, 0, 1, 1], [1] * 50])
def test_what_cannot_be_tested_is_said(target):
    found = against_chance(np.array(target), np.array(target), ("no", "yes"), np.array(target))
    assert not found.testable
    assert "cannot be distinguished from chance" in found.sentence()
