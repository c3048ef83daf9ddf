"""Folds: each row is tested once, classes are spread, groups stay whole; and they are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from mltrain.data.splits import Split
from mltrain.data.splits.choice import split_rows
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError, MisfitError
from mltrain.task import SPLITS

LABELS = np.random.default_rng(0).choice(3, 100, p=[0.7, 0.2, 0.1])


def split(rows=100, labels=None, groups=None, seed=0, **asked):
    columns = {"x": pa.array(np.arange(rows))} | ({} if groups is None else {"patient": pa.array(groups)})
    spec = TypeAdapter(Split).validate_python({"type": "kfold", **asked})
    return split_rows(spec, Table(columns, Origin("x.csv"), ""), labels, seed, ("a", "b", "c"))


def folds(count=5, **asked):
    """Return the test rows of each fold, and check what holds of every one."""
    tested = []
    for fold in range(1, count + 1):
        splits, _ = split(folds=count, fold=fold, **asked)
        assert sorted(np.concatenate([getattr(splits, name) for name in SPLITS])) == list(range(100))
        tested.append(sorted(splits.test))
    assert sorted(np.concatenate(tested)) == list(range(100))
    return tested


def of(splitter, labels=None, groups=None):
    return [test.tolist() for _, test in splitter.split(np.zeros(100), labels, groups)]


@pytest.mark.parametrize("stratify", [True, False])
def test_rows_are_those_of_scikit_learn(stratify):
    splitter = StratifiedKFold if stratify else KFold
    theirs = of(splitter(5, shuffle=True, random_state=3), LABELS)
    assert folds(labels=LABELS, stratify=stratify, seed=3) == theirs
    assert folds(labels=LABELS, stratify=stratify, seed=8) != theirs
    assert folds(labels=LABELS, stratify=stratify, validation=0, seed=3) == theirs


def test_validation_is_a_share_of_the_rest_and_stratified_too():
    splits, decisions = split(labels=LABELS, validation=0.25)
    assert len(splits.validation) == 20
    counts = np.bincount(LABELS[splits.validation], minlength=3)
    assert counts == pytest.approx(np.bincount(LABELS) / 5, abs=1)
    assert [(each.what, each.value) for each in decisions] == [("split.stratify", "true")]


@pytest.mark.parametrize("labels", [None, LABELS], ids=["balanced", "stratified"])
def test_groups_stay_whole(labels):
    groups = np.random.default_rng(1).choice(30, 100, p=np.arange(1, 31) / 465)
    found = folds(labels=labels, groups=groups, group="patient")
    parts = [set(groups[rows]) for rows in found]
    assert sum(map(len, parts)) == len(np.unique(groups))
    if labels is None:  # as balanced as theirs
        assert sorted(map(len, found)) == sorted(map(len, of(GroupKFold(5), groups=groups)))
    else:
        texts = np.unique(groups.astype(str), return_inverse=True)[1]
        assert found == of(StratifiedGroupKFold(5, shuffle=True, random_state=0), labels, texts)
    for fold in (1, 5):
        splits, _ = split(fold=fold, labels=labels, groups=groups, group="patient")
        assert not set(groups[splits.train]) & set(groups[splits.validation])
        assert len(splits.validation)


def test_the_seed_draws_which_of_equal_groups_meet():
    groups = np.repeat(np.arange(20), 5)
    assert folds(groups=groups, group="patient") != folds(groups=groups, group="patient", seed=1)


@pytest.mark.parametrize(
    ("asked", "path", "message"),
    [
        ({"folds": 101}, ("data", "split", "folds"), "101 folds, but x.csv has 100 rows"),
        ({"groups": LABELS, "group": "patient"}, ("data", "split", "folds"), "5 folds, but x.csv has 3 groups"),
        ({"stratify": True}, ("data", "split", "stratify"), "needs a target with classes"),
        (
            {"folds": 20, "stratify": True, "labels": LABELS},
            ("data", "split", "stratify"),
            r"the class 'c' has \d+ rows, for 20 folds",
        ),
        (
            {
                "stratify": True,
                "labels": LABELS,
                "groups": np.where(LABELS == 2, 0, np.arange(100)),
                "group": "patient",
            },
            ("data", "split", "stratify"),
            "the class 'c' has 1 group, for 5 folds",
        ),
    ],
)
def test_what_cannot_be_folded_has_its_place(asked, path, message):
    with pytest.raises(MisfitError, match=message) as refused:
        split(**asked)
    assert refused.value.path == path


def test_what_auto_decides_is_said():
    (decision,) = split(labels=np.repeat([0, 1], [97, 3]))[1]
    assert (decision.value, decision.reason) == ("false", "the class 'b' has 3 rows, for 5 folds")
    decisions = split(rows=30, labels=np.repeat([0, 1, 2], 10), validation=0.05)[1]
    assert [(each.what, each.value) for each in decisions] == [
        ("split.stratify", "true"),
        ("split.validation", "not stratified"),
    ]
    with pytest.raises(DataError, match="the validation split takes 80 of 80"):
        split(validation=80)


def test_a_fold_that_there_is_not():
    with pytest.raises(ValidationError, match="expected a fold from 1 to 3, received 4"):
        TypeAdapter(Split).validate_python({"type": "kfold", "folds": 3, "fold": 4})
