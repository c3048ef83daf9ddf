"""Which network of an ensemble learns from which rows."""

import numpy as np
import pytest

from mltrain.data.splits.fold_choice import fold_of_each
from mltrain.procedures.member_folds import MemberFolds
from mltrain.task import Decision

FOLDS = MemberFolds(3, np.array([0, 1, 2, 0, 1, 2]), Decision("ensemble.by", "3 folds", ""))


def test_each_network_leaves_out_its_fold_and_the_loss_stays_a_mean():
    weights = FOLDS.weights(None)
    assert weights.dtype == np.float32
    assert (weights == 0).astype(int).tolist() == np.eye(3, dtype=int)[FOLDS.of_rows].tolist()
    np.testing.assert_allclose(weights.mean(axis=0), 1)
    np.testing.assert_allclose(weights.mean(axis=1), 1)


def test_weights_of_rows_stay_in_it():
    own = np.array([1, 2, 3, 4, 5, 6], np.float32)
    np.testing.assert_allclose(FOLDS.weights(own), FOLDS.weights(None) * own[:, np.newaxis])


def test_a_row_is_predicted_by_the_network_that_has_left_it_out():
    of_networks = np.arange(18).reshape(3, 6)
    assert FOLDS.out_of_fold(of_networks).tolist() == [0, 7, 14, 3, 10, 17]
    assert FOLDS.learned(1, {"x": np.arange(6)})["x"].tolist() == [0, 2, 3, 5]


def test_classes_are_spread_evenly_where_each_has_enough_rows():
    labels = np.repeat([0, 1], [40, 10])
    found, even = fold_of_each(5, 50, labels, None, seed=1)
    assert even
    assert [np.bincount(found[labels == kind]).tolist() for kind in (0, 1)] == [[8] * 5, [2] * 5]
    found, even = fold_of_each(5, 50, np.repeat([0, 1], [48, 2]), None, seed=1)
    assert not even
    assert len(set(found[48:])) == 2  # else a fold is predicted by a network that does not know the class


@pytest.mark.parametrize("labels", [None, np.repeat([0, 1], 30)])
def test_rows_of_a_group_are_left_out_together(labels):
    groups = np.repeat(np.arange(12), 5)
    found, _ = fold_of_each(4, 60, labels, groups, seed=1)
    assert set(found) == {0, 1, 2, 3}
    assert all(len(set(found[groups == group])) == 1 for group in range(12))
