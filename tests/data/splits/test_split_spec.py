"""What every split in the list answers: which columns it reads, which splits have rows, and whether folds follow."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

from mltrain.config.load import load_text
from mltrain.data import splits
from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.data.splits import SPLIT_SPECS, Split
from mltrain.data.splits.split_spec import SplitSpec
from mltrain.errors import ConfigError
from mltrain.procedures.folds.configs import fold_configs
from tests.data.test_column_kinds import classes_of

ROWS = 40
# Settings that a split cannot do without, by its type, besides names of columns.
REQUIRED: dict[str, dict[str, object]] = {}
# What the columns hold that a split reads; other splits take numbers.
VALUES = {"column": [("train", "train", "validation", "test")[row % 4] for row in range(ROWS)]}
every_split = pytest.mark.parametrize("split", SPLIT_SPECS, ids=lambda each: each.model_fields["type"].default)


def config_of(split):
    """Return a split with a column in every field of text, and the names of these columns."""
    kind = split.model_fields["type"].default
    texts = {
        name: field.annotation
        for name, field in split.model_fields.items()
        if name != "type" and (field.annotation is str or str in get_args(field.annotation))
    }
    lists = [name for name in texts if texts[name] is not str and type(None) not in get_args(texts[name])]
    columns = {name: f"of_{name}" for name in texts}
    stated = {name: [column] if name in lists else column for name, column in columns.items()}
    return {"type": kind, **REQUIRED.get(kind, {}), **stated}, set(columns.values())


def data_spec(tmp_path, split, features):
    config, columns = config_of(split)
    values = VALUES.get(config["type"], list(range(ROWS)))
    names = sorted(columns)
    rows = [f"{row % 7},{','.join(str(values[row]) for _ in names)}{',' * bool(names)}{row % 5}" for row in range(ROWS)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join([",".join(["x", *names, "y"]), *rows]))
    source = {"type": "csv", "path": str(path)}
    stated = dict.fromkeys(columns, features) if features else {}
    return DataSpec.model_validate({"source": source, "target": "y", "split": config, "features": stated})


def test_every_split_is_in_the_list():
    assert classes_of(splits, SplitSpec) == set(SPLIT_SPECS)


@every_split
def test_a_split_says_every_column_that_it_names(split):
    config, columns = config_of(split)
    spec = TypeAdapter(Split).validate_python(config)
    assert {each.name for each in spec.reads()} == columns
    assert {*spec.key_columns, spec.time_column} <= {*columns, None}


@every_split
@pytest.mark.parametrize("features", [None, "ignore"])
def test_a_column_of_the_split_is_no_feature_unless_it_is_declared(tmp_path, split, features):
    prepared = prepare(data_spec(tmp_path, split, features), seed=1, task="regression")
    assert {each.column for each in prepared.preprocessing.columns} == {"x"}


@every_split
def test_a_column_of_the_split_that_is_declared_is_a_feature_where_it_may_be(tmp_path, split):
    spec = data_spec(tmp_path, split, "category")
    may_be = {each.name for each in spec.split.reads() if each.may_be_feature and not each.orders}
    if spec.split.time_column is None:  # a time cannot be a category
        prepared = prepare(spec, seed=1, task="regression")
        assert {each.column for each in prepared.preprocessing.columns} == {"x", *may_be}


@every_split
def test_the_splits_that_are_expected_to_have_rows_have_some(tmp_path, split):
    spec = data_spec(tmp_path, split, None)
    found = prepare(spec, seed=1, task="regression").splits
    assert {name for name, _ in found.items()} == spec.split.has_rows_for()


@every_split
def test_folds_follow_from_a_split_or_it_says_why_not(split):
    text = "data: {source: {type: sklearn, name: iris}}\nmodel: linear\ntraining: {optimizer: adam}\n"
    config, _ = config_of(split)
    loaded = load_text(f"{text}\n".replace("iris}", f"iris}}, split: {config}").encode(), "c.yaml", Path("/"))
    if split.why_no_folds is None:
        assert len(fold_configs(loaded, 3)) == 3
    else:
        with pytest.raises(ConfigError, match=f"cannot be divided into folds: {split.why_no_folds}"):
            fold_configs(loaded, 3)


def test_a_split_without_these_answers_cannot_be_made():
    class Incomplete(SplitSpec):
        why_no_folds = None

    with pytest.raises(TypeError, match="reads"):
        Incomplete()
