"""Splits: scikit-learn's very rows, disjoint, and a word on everything that cannot be done."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from mltrain.data.splits import Split
from mltrain.data.splits.choice import read_table, split_rows
from mltrain.data.splits.rows import Splits, fingerprint
from mltrain.data.table import Origin, Table
from mltrain.errors import ConfigError, DataError


def table(rows=10, **columns):
    return Table({"x": pa.array(np.arange(rows)), **columns}, Origin("x.csv"), "")


def split(value, rows=10, labels=None, seed=0, classes=(), **columns):
    spec = TypeAdapter(Split).validate_python(value)
    return split_rows(spec, table(rows, **columns), labels, seed, classes)


def theirs(rows, validation, test, seed, labels):
    """The two calls of train_test_split that everybody writes."""
    from sklearn.model_selection import train_test_split

    def stratify(part):
        return None if labels is None else labels[part]

    rest, empty = np.arange(rows), np.arange(0)
    test_rows = validation_rows = empty
    if test:
        rest, test_rows = train_test_split(rest, test_size=test, random_state=seed, stratify=stratify(rest))
    if validation:
        taken = test if isinstance(test, float) else test / rows
        size = validation / (1 - taken) if isinstance(validation, float) else validation
        rest, validation_rows = train_test_split(rest, test_size=size, random_state=seed, stratify=stratify(rest))
    return rest, validation_rows, test_rows


@pytest.mark.parametrize("block", range(8))
def test_the_rows_are_those_of_train_test_split(block):
    random = np.random.default_rng(block)
    compared = refused = 0
    for _ in range(50):
        rows = int(random.integers(2, 300))
        seed = int(random.integers(0, 2**32))
        test, validation = (
            int(random.integers(0, rows // 2 + 1))
            if random.random() < 0.3
            else random.choice([0.0, 0.1, 0.2, 0.25, 0.33, 0.45])
            for _ in range(2)
        )
        test, validation = (float(size) if isinstance(size, np.floating) else size for size in (test, validation))
        classes = int(random.integers(2, 6))
        labels = random.choice(classes, rows, p=random.dirichlet(np.ones(classes))) if random.random() < 0.7 else None
        asked = {
            "type": "random",
            "validation": validation,
            "test": test,
            "stratify": "auto" if labels is None else True,
        }
        try:
            expected = theirs(rows, validation, test, seed, labels)
        except ValueError:
            refused += 1
            with pytest.raises(DataError):
                split(asked, rows, labels, seed)
            continue
        compared += 1
        splits, _decisions = split(asked, rows, labels, seed)
        for ours, other in zip((splits.train, splits.validation, splits.test), expected, strict=True):
            np.testing.assert_array_equal(ours, other)
    assert compared > 25
    assert refused > 0


def test_the_splits_own_seed_comes_before_the_experiments():
    own, _ = split({"type": "random", "seed": 5}, seed=1)
    np.testing.assert_array_equal(own.train, split({"type": "random"}, seed=5)[0].train)
    assert own.train.tolist() != split({"type": "random"}, seed=1)[0].train.tolist()


def test_auto_stratifies_where_it_can_and_says_so():
    labels = np.array([0] * 80 + [1] * 20)
    splits, (decision,) = split({"type": "random"}, 100, labels)
    assert [labels[rows].mean() for _, rows in splits.items()] == [0.2, 0.2, 0.2]
    assert (decision.what, decision.value) == ("split.stratify", "true")
    assert split({"type": "random"}, 100, None)[1] == ()
    assert split({"type": "random", "stratify": False}, 100, labels)[1] == ()


def test_a_class_of_one_row_cannot_be_stratified():
    labels = np.array([0] * 50 + [1] * 49 + [2])
    splits, (decision,) = split({"type": "random"}, 100, labels, classes=("a", "b", "rare"))
    assert decision.value == "false"
    assert "'rare', has 1 of 100 rows" in decision.reason
    np.testing.assert_array_equal(splits.train, split({"type": "random", "stratify": False}, 100, labels)[0].train)
    with pytest.raises(
        DataError, match=r"x.csv: data.split.stratify: true is not possible: .* 'rare', has 1 of 100 rows"
    ):
        split({"type": "random", "stratify": True}, 100, labels, classes=("a", "b", "rare"))
    with pytest.raises(ConfigError, match="needs a target with classes"):
        split({"type": "random", "stratify": True}, 100, None)


@pytest.mark.parametrize(("rows", "validation", "test"), [(1, 0.2, 0.2), (2, 0.2, 0.2), (10, 5, 5), (10, 0, 10)])
def test_too_few_rows(rows, validation, test):
    with pytest.raises(DataError, match=r"x.csv: too few rows: the (validation|test) split takes \d+ of \d+"):
        split({"type": "random", "validation": validation, "test": test}, rows)


def test_nothing_held_out_keeps_the_order():
    for value in ({"type": "none"}, {"type": "random", "validation": 0, "test": 0.0}):
        for labels in (None, np.arange(10) % 2):
            splits, decisions = split(value, labels=labels)
            assert [name for name, _ in splits.items()] == ["train"]
            assert splits.train.tolist() == list(range(10))
            assert splits.train.dtype == np.int64
            assert decisions == ()


def test_a_column_names_the_split_of_each_row():
    part = pa.array(["train", "Test ", "validation", "train"])
    splits, _ = split({"type": "column", "column": "part"}, 4, part=part)
    assert [rows.tolist() for rows in (splits.train, splits.validation, splits.test)] == [[0, 3], [2], [1]]
    with pytest.raises(DataError, match=r"x.csv\[1\]: column 'part': 'dev' is not a split"):
        split({"type": "column", "column": "part"}, 2, part=pa.array(["train", "dev"]))
    with pytest.raises(DataError, match=r"x.csv\[1\]: column 'part': None is not a split"):
        split({"type": "column", "column": "part"}, 2, part=pa.array(["train", None]))
    with pytest.raises(DataError, match="does not name any row train"):
        split({"type": "column", "column": "part"}, 2, part=pa.array(["test", "test"]))
    with pytest.raises(DataError, match=r"no column 'prat' \(did you mean 'part'\?\)"):
        split({"type": "column", "column": "prat"}, 1, part=pa.array(["train"]))


def files_split(tmp_path, **arguments):
    (tmp_path / "train.csv").write_text("a,b\n" + "".join(f"{n},x\n" for n in range(10)))
    (tmp_path / "test.csv").write_text("b,a\ny,1.5\n,\n")
    source = {"type": "csv", "path": str(tmp_path / "train.csv")}
    spec = TypeAdapter(Split).validate_python(
        {"type": "files", "test": {"type": "csv", "path": str(tmp_path / "test.csv")}, **arguments}
    )
    from mltrain.data.sources import Source

    joined = read_table(TypeAdapter(Source).validate_python(source), spec, 0)
    return joined, split_rows(spec, joined, None, 3)[0]


def test_splits_from_files(tmp_path):
    joined, splits = files_split(tmp_path)
    assert joined.column("a").to_pylist()[-3:] == [9.0, 1.5, None]
    assert joined.column("b").to_pylist()[-3:] == ["x", "y", None]
    assert [joined.origin.place(row) for row in (0, 9, 10, 11)] == [
        "train.csv:2",
        "train.csv:11",
        "test.csv:2",
        "test.csv:3",
    ]
    assert [rows.tolist() for rows in (splits.train, splits.validation, splits.test)] == [[*range(10)], [], [10, 11]]
    _, splits = files_split(tmp_path, validation=0.2)
    expected = theirs(10, 0.2, 0, 3, None)
    np.testing.assert_array_equal(splits.train, expected[0])
    np.testing.assert_array_equal(splits.validation, expected[1])
    assert splits.test.tolist() == [10, 11]
    inline = {"type": "inline", "columns": ["a", "b"], "rows": [[7, "z"]]}
    joined, splits = files_split(tmp_path, validation=inline)
    assert [rows.tolist() for rows in (splits.validation, splits.test)] == [[10], [11, 12]]
    assert joined.column("a").to_pylist()[10] == 7.0


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([[1]], ["a"], "rows: no column 'b', which train.csv has"),
        ([[1, "x"]], ["a", "c"], "rows: no column 'b', which train.csv has"),
        ([["q", "x"]], ["a", "b"], "rows: column 'a' is string there and int64 in train.csv"),
    ],
)
def test_files_must_be_alike(tmp_path, rows, columns, message):
    with pytest.raises(DataError) as raised:
        files_split(tmp_path, validation={"type": "inline", "columns": columns, "rows": rows})
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"type": "random", "validation": 0.5, "test": 0.5}, ("validation",)),
        ({"type": "random", "validation": 1.0}, ("validation",)),
        ({"type": "random", "test": -1}, ("test",)),
        ({"type": "random", "test": True}, ("test",)),
        ({"type": "random", "test": float("nan")}, ("test",)),
        ({"type": "random", "seed": 2**32}, ("seed",)),
        ({"type": "files", "validation": 1.5}, ("validation",)),
        ({"type": "files", "validation": {"type": "cvs"}}, ("validation", "type")),
        ({"type": "kolumn", "column": "x"}, ("type",)),
    ],
)
def test_mistakes_have_a_place(value, place):
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(Split).validate_python(value)
    assert [error["loc"] for error in raised.value.errors()] == [place]


@pytest.mark.parametrize(
    ("train", "validation", "test", "message"),
    [
        ([0, 1, 2], [3], [2, 4], "row 2 is in test and in a split before it"),
        ([0, 1, 1], [3], [4], "row 1 is in train"),
        ([0, 1], [3], [10], "the test split holds row 10, but the data has the rows 0 to 4"),
        ([-1, 1], [3], [4], "the train split holds row -1"),
    ],
)
def test_splits_that_share_a_row_are_refused(train, validation, test, message):
    splits = Splits(*(np.array(rows, np.int64) for rows in (train, validation, test)))
    with pytest.raises(DataError, match=message):
        splits.check(5)


def test_the_fingerprint_is_of_the_rows_in_their_order():
    assert fingerprint(np.array([1, 2])) == hashlib.sha256(bytes([1, *[0] * 7, 2, *[0] * 7])).hexdigest()
    assert fingerprint(np.array([1, 2], ">i4")) == fingerprint(np.array([1, 2]))
    assert fingerprint(np.array([2, 1])) != fingerprint(np.array([1, 2]))
