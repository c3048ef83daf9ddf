from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mltrain.config.load import load, load_text
from mltrain.config.resolved import resolved_yaml, who_set
from mltrain.config.yaml_document import parse
from mltrain.config.yaml_text import value_text
from mltrain.problems import Source
from tests.toy_experiment import CONFIGS, GOOD, TOY, toy

HOSTILE = (
    *("no", "y", "012", "1e-3", "1_000", "2024-01-01", "null", "~", "<<", "=", "", " ", " x ", "a: b", ": #", "x #y"),
    *("- x", "?", "a, b", "{", "]", "!x", "&a", "*a", "|", ">", "%", "@", "`", "#", "'", '"', "\\", "'\"\\"),
    *("é", "🙂", "ü\n\t\x1b[0m", "\u2028", "\x85", "\ufeff", "\x00", "\r\n"),
)


def read(text: str) -> Any:
    return parse(text, Source("r.yaml", tuple(text.split("\n")))).root.plain()


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    written = f"{value_text(text)}: {value_text([text, {text: text}])}  # c.yaml:1"
    assert read(written) == {text: [text, {text: text}]}
    assert "\n" not in written


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab:# 1-", max_size=4), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_value_is_written_so_that_it_is_read_again(value: Any) -> None:
    assert read(f"key: {value_text(value)}") == {"key": value}


def test_numbers_keep_their_type_and_every_digit() -> None:
    for number in (0.1, 1e-7, 1e22, 5.0, -0.0, math.pi, 1, -3, math.inf, -math.inf):
        again = read(f"key: {value_text(number)}")["key"]
        assert (again, type(again), math.copysign(1, again)) == (number, type(number), math.copysign(1, number))
    assert math.isnan(read(f"key: {value_text(math.nan)}")["key"])


def test_words_that_older_yaml_reads_otherwise_are_quoted() -> None:
    for word in ("no", "Yes", "on", "y", "12:30:45", "2024-01-01", "1_000"):
        assert yaml.safe_load(f"key: {value_text(word)}") == {"key": word}


TEXT = """\
data:
  path: x.csv
  target: price
  features: {b: text,
    a: number}
training:
  rate: constant
  units: [64,
    32]
  callbacks:
    - {type: Cosine-Decay, steps: 3}
"""


def test_every_value_is_there_with_who_set_it() -> None:
    loaded = toy(TEXT, "training.units[1]=16", "data.high=9")
    assert (
        resolved_yaml(loaded)
        == """\
# Every value of this experiment, with who set it. Training it again gives the same run.
name: toy  # default
data:
  path: /configs/x.csv  # c.yaml:2
  target:
    column: price  # c.yaml:3
    scale: none  # default
  share: 0.2  # default
  features:
    b: text  # c.yaml:4
    a: number  # c.yaml:5
  low: 0  # default
  high: 9  # --set #2
training:
  epochs: 10  # default
  batch_size: 32  # default
  rate:
    type: constant  # c.yaml:7
    rate: 0.1  # default
  units:
    - 64  # c.yaml:8
    - 16  # --set #1
  callbacks: [{type: cosine_decay, steps: 3}]  # c.yaml:11
final: false  # default
"""
    )


def test_read_again_it_makes_an_equal_experiment_and_the_same_text() -> None:
    loaded = toy(TEXT, "name='012'", "data.features={'a: #b': text, 'no': number}", "training.callbacks=[]")
    text = resolved_yaml(loaded)
    again = load_text(text.encode(), "config.resolved.yaml", Path("/elsewhere"), form=TOY)
    assert again.spec == loaded.spec
    values = [line.split("  # ")[0] for line in text.splitlines()]
    assert [line.split("  # ")[0] for line in resolved_yaml(again).splitlines()] == values


@pytest.mark.parametrize("length", [998, 999, 1100, 5000])
def test_a_long_key_is_read_again(length: int) -> None:
    loaded = toy(TEXT.replace("{b: text", f"{{b: text,\n    ? {'c' * length}\n    : number"))
    text = resolved_yaml(loaded)
    again = load_text(text.encode(), "config.resolved.yaml", Path("/elsewhere"), form=TOY)
    assert again.spec == loaded.spec
    assert "c" * length in again.spec.data.features
    assert [line.split("  # ")[0] for line in resolved_yaml(again).splitlines()] == [
        line.split("  # ")[0] for line in text.splitlines()
    ]


def test_a_list_without_an_end_stays_readable() -> None:
    loaded = toy(GOOD, f"training.units={list(range(1, 100))}")
    lines = resolved_yaml(loaded).splitlines()
    assert "    - 1  # --set #1" in lines
    assert max(map(len, lines)) < 140
    short = resolved_yaml(toy(GOOD, "training.units=[1, 2]"))
    assert "  units: [1, 2]  # --set #1\n" in short


def test_who_set_a_value_that_the_yaml_writes_shorter() -> None:
    root = toy("data: {path: x, target: y}\ntraining:\n  rate: Cosine-Decay\n", "training.rate.steps=3").root
    assert who_set(root, ("data", "target", "column"), "y") == "c.yaml:1"
    assert who_set(root, ("data", "target", "scale"), "none") == "default"
    assert who_set(root, ("training", "rate", "type"), "cosine_decay") == "c.yaml:3"
    assert who_set(root, ("training", "rate", "steps"), 3) == "--set #1"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configs_survive_the_round_trip(path: Path) -> None:
    loaded = load(path)
    text = resolved_yaml(loaded)
    assert load_text(text.encode(), "config.resolved.yaml", Path("/elsewhere")).spec == loaded.spec
