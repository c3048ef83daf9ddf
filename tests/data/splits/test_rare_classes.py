"""Classes of few rows: one rule for every seed, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError

SEEDS = range(12)


def rows(counts, groups=None):
    names = [name for name, count in counts.items() for _ in range(count)]
    found = [{"x": float(place), "y": name} for place, name in enumerate(names)]
    return [{**row, "g": f"g{group}"} for row, group in zip(found, groups, strict=True)] if groups else found


def prepared(given, split, seed, target="y"):
    return prepare(
        DataSpec.model_validate({"source": {"type": "inline", "rows": given}, "target": target, **split}), seed
    )


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"split": {"type": "random", "stratify": False}},
        {"split": {"type": "random", "validation": 0, "test": 0.5}},
        {"split": {"type": "random", "validation": 0.4, "test": 0.4}},
    ],
)
def test_a_class_with_one_row_is_in_training_for_every_seed(split):
    given = rows({"a": 20, "b": 9, "c": 1, "d": 1})
    moved = 0
    for seed in SEEDS:
        found = prepared(given, split, seed)
        names = [given[row]["y"] for row in found.splits.train]
        assert {*names} == {*"abcd"}
        said = [each for each in found.decisions if each.what == "split.rare_class"]
        moved += len(said)
        again = prepared(given, split, seed)
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(found.splits.items(), again.splits.items(), strict=True))
        sizes = {name: len(part) for name, part in found.splits.items()}
        plain = prepared(rows({"a": 31 - 10, "b": 10}), split, seed)
        assert sizes == {name: len(part) for name, part in plain.splits.items()}
        assert not any(each.what == "split.rare_class" for each in plain.decisions)
    assert moved


def test_the_smallest_group_moves_as_a_whole():
    given = rows({"a": 20, "b": 10, "c": 2}, groups=[*(place // 2 for place in range(30)), 40, 40])
    moved = 0
    for seed in SEEDS:
        found = prepared(given, {"split": {"type": "group", "column": "g", "stratify": False}}, seed)
        parts = {name: {given[row]["g"] for row in part} for name, part in found.splits.items()}
        assert "g40" in parts["train"] and not parts["train"] & parts["test"] and len(parts) == 3
        moved += any(each.what == "split.rare_class" for each in found.decisions)
    assert moved


def test_folds_have_every_class_in_training_or_are_refused_alike():
    for seed in SEEDS:
        tested = []
        for fold in (1, 2, 3, 4):
            split = {"split": {"type": "kfold", "folds": 4, "fold": fold}}
            given = rows({"a": 20, "b": 9, "c": 2})
            found = prepared(given, split, seed)
            assert {given[row]["y"] for row in found.splits.train} == {*"abc"}
            tested += found.splits.test.tolist()
            with pytest.raises(DataError, match="'c' is in one row only, so the fold that tests it cannot train it"):
                prepared(rows({"a": 20, "b": 9, "c": 1}), split, seed)
        assert sorted(tested) == list(range(31))


def test_labels_keep_both_values_in_training():
    given = [{"x": float(place), "p": int(place == 3), "q": int(place == 17)} for place in range(24)]
    for seed in SEEDS:
        train = prepared(given, {}, seed, ["p", "q"]).splits.train
        assert {3, 17} <= {*train.tolist()}


@pytest.mark.parametrize("seed", SEEDS)
def test_too_many_classes_of_one_row_are_refused_in_words(seed):
    given = [{"x": float(place), "y": f"name {place}"} for place in range(30)]
    with pytest.raises(DataError, match="30 of 30 classes have only one row, too many to keep each") as error:
        prepared(given, {}, seed)
    assert "the task multiclass was guessed, because 'y' holds text with 30 different values" in str(error.value)


@pytest.mark.parametrize(
    ("split", "advice"),
    [
        ({"type": "time", "column": "x"}, "use data.split: {type: random} if the order of time does not matter"),
        ({"type": "column", "column": "part"}, "write train into the column 'part'"),
    ],
)
def test_splits_that_are_not_drawn_stay_and_the_advice_fits(split, advice):
    given = [{"x": float(place), "y": "ab"[place % 2], "part": "train"} for place in range(29)]
    given.append({"x": 29.0, "y": "c", "part": "test"})
    with pytest.raises(DataError, match="'c' does not occur in training rows, only in 1 row of other splits") as error:
        prepared(given, {"split": split}, 0)
    assert advice in str(error.value) and "stratify" not in str(error.value)


@pytest.mark.parametrize("options", [(), ("--set", "data.split={type: random, stratify: true}")])
def test_counts_that_were_taken_as_classes_are_named_as_such(options, mltrain, tmp_path):
    counts = [0] * 25 + [1] * 20 + [2] * 8 + [3] * 4 + [4] * 2 + [6]
    (tmp_path / "d.csv").write_text("x,y\n" + "".join(f"{n},{y}\n" for n, y in enumerate(counts)))
    (tmp_path / "c.yaml").write_text("data: {source: {type: csv, path: d.csv}, target: y}\nmodel: {type: mlp}\n")
    done = mltrain("audit", "c.yaml", *options)
    (line,) = [line for line in (done.out + done.err).splitlines() if "task: regression" in line]
    assert "'y' holds whole numbers with 6 different values" in line
    assert line.startswith("error: " if options else "warning: ")
    again = mltrain("audit", "c.yaml", "--set", "task=regression")
    assert (again.code, again.err) == (0, "")
