from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mltrain.config.load import load_text
from mltrain.problems import InvalidConfigError, path_text
from tests.toy_experiment import GOOD, TOY, toy

TEXT = GOOD + "  rate: constant\n  units: [64, 32]\n  callbacks: [constant, {type: cosine_decay, steps: 5}]\n"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("training.epochs=4", "training.epochs", 4),
        ("training.rate=1e-3", "training.rate", 0.001),
        ("name=no", "name", "no"),
        ("name='3'", "name", "3"),
        ("name=a=b", "name", "a=b"),
        ("training.units=[1, 2, 3]", "training.units", (1, 2, 3)),
        ("training.units=", "training.units", None),
        ("training.units[1]=5", "training.units", (64, 5)),
        ("training.units.1=5", "training.units", (64, 5)),
        ("training.callbacks[1].steps=9", "training.callbacks.1.steps", 9),
        ("training.callbacks.0.rate=0.5", "training.callbacks.0.rate", 0.5),
        ("training.rate={type: cosine_decay, steps: 2}", "training.rate.steps", 2),
        ("data.features.my column=text", "data.features", {"my column": "text"}),
        ('data.features."a.b"=text', "data.features", {"a.b": "text"}),
        ('data.features."a=[0]"=text', "data.features", {"a=[0]": "text"}),
        ('data.features."say ""hi"" now."=text', "data.features", {'say "hi" now.': "text"}),
        ('name=say "a.b"=c', "name", 'say "a.b"=c'),
        ("data.target.scale=standard", "data.target.column", "price"),
        ("training.rate.rate=0.7", "training.rate.type", "constant"),
    ],
)
def test_a_value_is_set(override: str, path: str, value: Any) -> None:
    if value is None:
        with pytest.raises(InvalidConfigError, match="expected a list, received nothing"):
            toy(TEXT, override)
        return
    found: Any = toy(TEXT, override).spec
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_a_section_that_is_not_in_the_yaml_is_made() -> None:
    text = "data: {path: x, target: y}\n"
    assert toy(text, "training.epochs=4", "training.batch_size=full").spec.training.batch_size == "full"
    assert toy("training:\n" + text, "training.epochs=4").spec.training.epochs == 4


def test_the_later_override_wins() -> None:
    assert toy(TEXT, "training.epochs=4", "training.epochs=5").spec.training.epochs == 5
    assert toy(TEXT, "training={epochs: 4}", "training.batch_size=2").spec.training.epochs == 4


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epoch=3", "--set #1: training.epoch: unknown key (did you mean 'epochs'?)"),
        # A whole list or mapping takes the place of what the YAML has.
        ("training.epochs=[]", "--set #1: training.epochs: expected an integer, received a list of 0"),
        ("training.callbacks={}", "--set #1: training.callbacks: expected a list, received a mapping"),
        ("trainin.epochs=3", "--set #1: trainin: unknown key (did you mean 'training'?)"),
        ("training.epochs=[1", "--set #1: the '[' here is never closed"),
        (
            "training.epochs=012",
            "--set #1: training.epochs: the number has a leading zero; write 12, or '012' if it is text",
        ),
        (
            "training.epochs=!x 1",
            "--set #1: training.epochs: the tag !x is not allowed; a config holds plain values only",
        ),
        (
            "training.units[7]=3",
            "--set #1: cannot set this below training.units: there is no item 7: the list has 2 (counted from 0)",
        ),
        (
            "training.units.first=3",
            "--set #1: cannot set this below training.units: it is a list; write training.units[0] for its first item",
        ),
        ("training[0]=3", "--set #1: cannot set this below training: it is a mapping, not a list"),
        (
            "training.epochs.x=3",
            "--set #1: cannot set this below training.epochs: it is a single value without keys; set the whole value",
        ),
        ("training.epochs", "--set #1: expected KEY=VALUE, such as training.epochs=3, received 'training.epochs'"),
        (
            'data.features."a.b=text',
            "--set #1: expected KEY=VALUE, such as training.epochs=3, received 'data.features.\"a.b=text'; quote a "
            'name with a dot: data.features."a.b"=ignore',
        ),
        ("=3", "--set #1: expected KEY=VALUE, such as training.epochs=3, received '=3'"),
        ("a..b=3", "--set #1: expected KEY=VALUE, such as training.epochs=3, received 'a..b=3'"),
        ("[0]=3", "--set #1: expected KEY=VALUE, such as training.epochs=3, received '[0]=3'"),
        ("a" + ".a" * 40 + "=3", "--set #1: nested more than 32 deep"),
        ("a[x]=3", "--set #1: expected KEY=VALUE, such as training.epochs=3, received 'a[x]=3'"),
        ("name=\udcff", '--set #1: the character U+DCFF is not allowed; as text it can be written "\\U0000dcff"'),
    ],
)
def test_what_is_wrong_with_an_override(override: str, line: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        toy(TEXT, override)
    assert [problem.line() for problem in raised.value.problems] == [line]


def test_the_carets_stand_under_the_value() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        toy(TEXT, "training.epochs=4", "training.units=[1, x]")
    (problem,) = raised.value.problems
    assert str(problem).splitlines()[1:] == ["  | training.units=[1, x]", "  |                    ^"]


def test_an_override_mends_what_is_wrong_in_the_yaml() -> None:
    text = GOOD.replace("epochs: 3", "epochs: x").encode()
    loaded = load_text(text, "c.yaml", Path("/configs"), ["training.epochs=3"], form=TOY)
    assert loaded.spec.training.epochs == 3


def test_a_default_component_is_opened_where_the_yaml_says_nothing() -> None:
    text = b"data: {source: {type: sklearn, name: iris}}\nmodel: mlp\n"
    overrides = ("data.split.test=0.1", "training.optimizer.learning_rate=0.5", "objective.metric=train.loss")
    spec = load_text(text, "c.yaml", Path("/"), overrides).spec
    assert spec.data.split.test == 0.1
    assert (spec.training.optimizer.type, spec.training.optimizer.argument("learning_rate")) == ("Adam", 0.5)
    assert spec.objective.metric == "train.loss"


@pytest.mark.parametrize("column", ["a.b", "sepal.length.cm", "a=b", 'say "x"', "a[0]"])
def test_a_column_with_any_name_can_be_addressed(column: str) -> None:
    text = b"data: {source: {type: sklearn, name: iris}}\nmodel: mlp\n"
    key = path_text(("data", "features", column))
    features = load_text(text, "c.yaml", Path("/"), [f"{key}=ignore"]).spec.data.features
    assert {name: feature.type for name, feature in features.items()} == {column: "ignore"}
    features = load_text(text, "c.yaml", Path("/"), [f"{key}.type=ignore"]).spec.data.features
    assert [*features] == [column]


def test_a_name_with_a_dot_and_no_quotes_is_told_how_to_write_it() -> None:
    text = b"data: {source: {type: sklearn, name: iris}}\nmodel: mlp\n"
    with pytest.raises(InvalidConfigError) as raised:
        load_text(text, "c.yaml", Path("/"), ["data.features.a.b=ignore"])
    (problem,) = raised.value.problems
    assert problem.message == 'a name with a dot needs quotes: write data.features."a.b"=…'
    spec = load_text(text, "c.yaml", Path("/"), ["data.features.a=number", "data.features.a.scale=none"]).spec
    assert spec.data.features["a"].scale == "none"
