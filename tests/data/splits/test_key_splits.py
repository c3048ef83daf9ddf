"""Splits that keep rows with one key together: whole groups, near to their shares, and rows that never move."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from mltrain.data.splits import Split
from mltrain.data.splits.choice import split_rows
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Origin, Table
from mltrain.errors import ConfigError, DataError
from mltrain.task import SPLITS


def split(value, key, labels=None, seed=0):
    columns = {"key": key if isinstance(key, pa.Array) else pa.array(key)}
    spec = TypeAdapter(Split).validate_python(value)
    return split_rows(spec, Table(columns, Origin("x.csv"), ""), labels, seed, ("a", "b"))


def shares(splits):
    rows = sum(len(part) for _, part in splits.items())
    return [len(getattr(splits, name)) / rows for name in SPLITS]


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_and_come_near_to_their_shares(seed):
    random = np.random.default_rng(seed)
    groups = random.choice(60, 1000, p=random.dirichlet(np.ones(60)))
    splits, _ = split({"type": "group", "column": "key", "validation": 0.2, "test": 0.3}, groups, seed=seed)
    parts = [set(groups[getattr(splits, name)]) for name in SPLITS]
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(np.unique(groups))
    assert sorted(np.concatenate([rows for _, rows in splits.items()])) == list(range(1000))
    assert shares(splits) == pytest.approx([0.5, 0.2, 0.3], abs=0.02)


def test_groups_are_stratified_as_far_as_they_can_be():
    random = np.random.default_rng(1)
    sick = np.repeat(random.random(200) < 0.1, 5).astype(int)  # each of 200 patients is sick or not
    patients = np.repeat(np.arange(200), 5)

    def worst(stratify):
        asked = {"type": "group", "column": "key", "stratify": stratify}
        drawn = [split(asked, patients, sick, seed)[0] for seed in range(10)]
        return max(abs(sick[rows].mean() - sick.mean()) for splits in drawn for _, rows in splits.items())

    assert worst(True) < 0.02
    assert worst(False) > 0.05


def test_what_is_decided_about_strata_is_said():
    patients, labels = np.repeat(np.arange(20), 5), np.repeat([0, 1], 50)
    asked = {"type": "group", "column": "key"}
    assert [each.value for each in split(asked, patients, labels)[1]] == ["true"]
    labels = np.repeat([0, 1], [95, 5])
    assert [(each.value, each.reason) for each in split(asked, patients, labels)[1]] == [
        ("false", "a class is in 1 group only, for 3 splits")
    ]
    with pytest.raises(DataError, match="a class is in 1 group only"):
        split({**asked, "stratify": True}, patients, labels)
    with pytest.raises(ConfigError, match="needs a target with classes"):
        split({**asked, "stratify": True}, patients)


@pytest.mark.parametrize(
    ("asked", "key", "message"),
    [
        ({}, ["a", "a", "b", "b"], r"^x.csv: too few groups: 2 for train, test and validation"),
        ({}, ["a", None, "b"], r"^x.csv\[1\]: column 'key': the value is missing"),
        ({"test": 3, "validation": 1}, ["a", "b", "c", "d"], r"^x.csv: too few rows: 3 for the test and 1"),
    ],
)
def test_what_cannot_be_split_by_groups_is_said(asked, key, message):
    with pytest.raises(DataError, match=message):
        split({"type": "group", "column": "key", **asked}, key)


def test_a_share_below_every_group_takes_the_smallest():
    splits, _ = split({"type": "group", "column": "key", "validation": 0, "test": 0.01}, [*"aaaa", *"bb", *"ccc"])
    assert list(splits.test) == [4, 5]


def test_a_group_in_two_splits_is_refused():
    groups = np.array([0, 0, 1])
    with pytest.raises(DataError, match="share a group: that of row 1 is in test"):
        Splits(np.array([0]), np.array([2]), np.array([1]), groups).check(3)


HASH = {"type": "hash", "columns": ["key"], "validation": 0.2, "test": 0.3}


def test_rows_that_are_added_never_move_another():
    names = np.array([f"user {number}" for number in range(3000)])
    before, _ = split(HASH, names[:1000])
    after, _ = split(HASH, np.concatenate([names[1000:], names[:1000]]))  # behind 2000 others
    for name in SPLITS:
        moved = getattr(after, name)
        np.testing.assert_array_equal(getattr(before, name), moved[moved >= 2000] - 2000)
    assert shares(after) == pytest.approx([0.5, 0.2, 0.3], abs=0.03)


def test_another_share_moves_no_row_between_test_and_validation():
    less, _ = split({**HASH, "test": 0.1}, np.arange(1000))
    more, _ = split(HASH, np.arange(1000))
    np.testing.assert_array_equal(less.validation, more.validation)
    assert set(less.test) < set(more.test)


def test_the_hash_is_of_the_value_not_of_the_type_that_other_rows_give_it():
    keys = [1, 2, 3, 40, 50, 60, 70, 80, 90, 100]
    whole, _ = split(HASH, pa.array(keys, pa.int64()))
    for other in (pa.array(map(str, keys)), pa.array([*map(float, keys), 0.5])):
        found, _ = split(HASH, other)
        for name in SPLITS:
            assert list(getattr(whole, name)) == [row for row in getattr(found, name) if row < len(keys)]


def test_a_draw_of_groups_is_always_the_same():
    """Pinned: neither the hash seed of Python nor a newer NumPy may move a row."""
    splits, _ = split({"type": "group", "column": "key", "seed": 3}, [f"g{number % 10}" for number in range(30)])
    groups = {name: sorted({int(row) % 10 for row in getattr(splits, name)}) for name in SPLITS}
    assert groups == {"train": [0, 1, 2, 6, 7, 8], "validation": [3, 9], "test": [4, 5]}


def test_the_split_by_a_hash_is_the_documented_one():
    import hashlib

    keys = [f"user {number}" for number in range(50)]
    splits, _ = split({**HASH, "seed": 7}, keys)
    for row, key in enumerate(keys):
        digest = hashlib.blake2b(key.encode(), digest_size=8, salt=(7).to_bytes(8, "big")).digest()
        share = int.from_bytes(digest, "big") / 2**64
        expected = "test" if share < 0.3 else "validation" if share >= 0.8 else "train"
        assert row in getattr(splits, expected)


def test_too_few_keys_for_a_hash_are_said():
    with pytest.raises(DataError, match=r"x.csv: no key falls into the .* split: there are too few different ones"):
        split(HASH, ["a", "a", "b"])


@pytest.mark.parametrize("kind", ["group", "hash"])
def test_shares_that_leave_nothing_are_refused(kind):
    keys = {"column": "key"} if kind == "group" else {"columns": ["key"]}
    with pytest.raises(ValidationError, match="leaves nothing for training"):
        TypeAdapter(Split).validate_python({"type": kind, **keys, "validation": 0.5, "test": 0.5})
