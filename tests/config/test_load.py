from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrain.config.load import load, load_text
from mltrain.config.yaml_text import value_text
from mltrain.errors import ConfigError, UsageError
from mltrain.experiment.section_rules import EXPERIMENT
from mltrain.problems import InvalidConfigError
from mltrain.rules import Form
from tests.toy_experiment import CONFIGS, GOOD, TOY, toy


def lines(text: str, *overrides: str) -> list[str]:
    with pytest.raises(InvalidConfigError) as raised:
        toy(text, *overrides)
    return [problem.line() for problem in raised.value.problems]


def with_training(text: str) -> str:
    return GOOD.replace("  epochs: 3\n", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_training("  epoch: 3\n"), ["c.yaml:6:3: training.epoch: unknown key (did you mean 'epochs'?)"]),
        (GOOD + "epochs: 3\n", ["c.yaml:7:1: epochs: unknown key (did you mean 'training.epochs'?)"]),
        (
            GOOD + "qqqq: 3\n",
            ["c.yaml:7:1: qqqq: unknown key (known: name, data, training, final)"],
        ),
        (
            with_training('  epochs: "10"\n'),
            ["c.yaml:6:11: training.epochs: expected an integer, received text '10' (remove the quotes)"],
        ),
        (with_training("  epochs: ten\n"), ["c.yaml:6:11: training.epochs: expected an integer, received text 'ten'"]),
        (with_training("  epochs: true\n"), ["c.yaml:6:11: training.epochs: expected an integer, received true"]),
        (with_training("  epochs: 1.5\n"), ["c.yaml:6:11: training.epochs: expected an integer, received 1.5"]),
        (
            with_training("  epochs: 0\n"),
            ["c.yaml:6:11: training.epochs: expected an integer of at least 1, received 0"],
        ),
        (with_training("  epochs:\n"), ["c.yaml:6:10: training.epochs: expected an integer, received nothing (null)"]),
        (with_training("  epochs: [3]\n"), ["c.yaml:6:3: training.epochs: expected an integer, received a list of 1"]),
        (
            with_training("  batch_size: ful\n"),
            [
                "c.yaml:6:15: training.batch_size: expected an integer or 'full', received text 'ful'"
                " (did you mean 'full'?)"
            ],
        ),
        (
            with_training("  batch_size: 0\n"),
            ["c.yaml:6:15: training.batch_size: expected an integer of at least 1 or 'full', received 0"],
        ),
        (with_training("  rate: .nan\n"), [
                "c.yaml:6:9: training.rate: expected a finite number"
                " or a schedule (a name, or a mapping with a 'type'), received .nan"
            ]),
        (
            with_training("  rate: {type: cosine_decay}\n"),
            ["c.yaml:6:3: training.rate.steps: missing key"],
        ),
        (
            with_training("  rate: {type: constant, rate: 2}\n"),
            ["c.yaml:6:32: training.rate.rate: expected a number greater than 0 and of at most 1, received 2"],
        ),
        (
            with_training("  rate: cosin_decay\n"),
            ["c.yaml:6:9: training.rate: unknown schedule 'cosin_decay' (did you mean 'cosine_decay'?)"],
        ),
        (
            with_training("  callbacks:\n    - constant\n    - {type: Cosine-Decay, step: 3}\n"),
            [
                "c.yaml:8:7: training.callbacks[1].steps: missing key",
                "c.yaml:8:28: training.callbacks[1].step: unknown key (did you mean 'steps'?)",
            ],
        ),
        (
            with_training("  units: [1, 2, x]\n"),
            ["c.yaml:6:17: training.units[2]: expected an integer, received text 'x'"],
        ),
        (GOOD.replace("  path: data.csv\n", ""), ["c.yaml:2:1: data.path: missing key"]),
        ("name: x\n", ["c.yaml:1:1: data: missing key"]),
        (
            GOOD.replace("name: x", "name: ''"),
            ["c.yaml:1:7: name: expected text of at least 1 character, received text ''"],
        ),
        (GOOD + "final: yes\n", ["c.yaml:7:8: final: expected true or false, received text 'yes'"]),
        (
            GOOD.replace("price", "{column: price, scale: standart}"),
            [
                "c.yaml:4:34: data.target.scale: expected 'none' or 'standard', received text 'standart'"
                " (did you mean 'standard'?)"
            ],
        ),
        (GOOD.replace("price", "3"), ["c.yaml:4:11: data.target: expected a mapping, received 3"]),
        (
            GOOD.replace("price", "price\n  share: 3"),
            ["c.yaml:5:10: data.share: expected a number from 0 to 1, received 3"],
        ),
        (
            GOOD.replace("price", "price\n  features: {a b: nmber}"),
            [
                "c.yaml:5:19: data.features.a b: expected 'number' or 'text', received text 'nmber'"
                " (did you mean 'number'?)"
            ],
        ),
        (GOOD.replace("data.csv", "3"), ["c.yaml:3:9: data.path: expected the path of a file"]),
        ("training: 3\ndata: x\n", [
            "c.yaml:1:11: training: expected a mapping, received 3",
            "c.yaml:2:7: data: expected a mapping, received text 'x'",
        ]),
        ("", ["c.yaml:1:1: the config is empty (`mltrain init` writes one)"]),
        ("- a\n", ["c.yaml:1:1: expected a mapping with keys such as 'data' and 'model' (`mltrain init` writes one)"]),
    ],
)  # fmt: skip
def test_each_problem_has_its_place_and_says_what_was_expected(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


def test_everything_that_is_wrong_comes_at_once_in_the_order_of_the_text() -> None:
    text = """\
name: 012
name: y
data:
  path: x.csv
  target: {colum: price}
  low: 3
  share: 0.5
training:
  epochs: 10
  batch_size: 1.5
  batch: 3
fnal: true
"""
    assert lines(text, "training.rate=fast", "nothing") == [
        "c.yaml:1:7: name: the number has a leading zero; write 12, or '012' if it is text",
        "c.yaml:2:1: name: duplicate key (first on line 1)",
        "c.yaml:5:3: data.target.column: missing key",
        "c.yaml:5:12: data.target.colum: unknown key (did you mean 'column'?)",
        # Found by a validator of `data`, which pydantic runs only once its fields are valid:
        "c.yaml:6:8: data.low: expected less than high",
        # Found by a rule that spans two sections:
        "c.yaml:7:10: data.share: 0.5 does not go with 10 epochs",
        "c.yaml:10:15: training.batch_size: expected an integer or 'full', received 1.5",
        "c.yaml:11:3: training.batch: unknown key (did you mean 'batch_size'?)",
        "c.yaml:12:1: fnal: unknown key (did you mean 'final'?)",
        "--set #1: training.rate: unknown schedule 'fast' (known: constant, cosine_decay)",
        "--set #2: expected KEY=VALUE, such as training.epochs=3, received 'nothing'",
    ]


def test_a_rule_whose_needs_are_wrong_is_left_out() -> None:
    text = GOOD.replace("price", "price\n  share: 0.5")
    assert lines(text, "training.epochs=10") == ["c.yaml:5:10: data.share: 0.5 does not go with 10 epochs"]
    # Taken out, the wrong value becomes the default, 10, which nobody wrote:
    assert lines(text, "training.epochs=ten") == ["--set #1: training.epochs: expected an integer, received text 'ten'"]


def test_the_text_shows_the_line_and_the_place_in_it() -> None:
    with pytest.raises(ConfigError) as raised:
        toy(with_training("    epoch: 10  # hm\n"), "training.rate=x")
    assert raised.value.exit_code == 3
    assert str(raised.value) == (
        "c.yaml:6:5: training.epoch: unknown key (did you mean 'epochs'?)\n"
        "  6 |     epoch: 10  # hm\n"
        "    |     ^^^^^\n"
        "--set #1: training.rate: unknown schedule 'x' (known: constant, cosine_decay)\n"
        "  | training.rate=x\n"
        "  |               ^"
    )


def test_what_is_quoted_is_short_and_cannot_drive_a_terminal() -> None:
    (line,) = lines(with_training(f'  epochs: "\\e[2J{"x" * 500}"\n'))
    assert "\x1b" not in line
    assert "\\x1b[2Jxxx" in line
    assert len(line) < 160


def test_more_than_fifty_problems_are_counted() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        toy(GOOD + "".join(f"key{number}: 1\n" for number in range(70)))
    assert len(raised.value.problems) == 70
    assert str(raised.value).endswith("… and 20 more problems")


def test_a_problem_for_programs() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        toy(with_training("  epochs: x\n"))
    assert raised.value.problems[0].as_json() == {
        "path": "training.epochs",
        "file": "c.yaml",
        "line": 6,
        "column": 11,
        "message": "expected an integer, received text 'x'",
    }


def test_a_problem_that_shows_only_later_has_a_place_too() -> None:
    loaded = toy(GOOD, "training.epochs=4")
    assert str(loaded.error((("data", "target"), "no such column"))).startswith(
        "c.yaml:4:11: data.target: no such column\n"
    )
    assert str(loaded.error((("training", "epochs"), "no"))).startswith("--set #1: training.epochs: no\n")
    assert str(loaded.error((("training", "rate"), "no"))).startswith("c.yaml:5:1: training.rate: no\n")


def test_the_key_by_which_editors_find_the_schema_is_ignored() -> None:
    assert toy("$schema: ./mltrain.listing.schema.json\n" + GOOD).spec == toy(GOOD).spec


def test_a_path_is_relative_to_the_file_and_to_the_working_directory_in_an_override() -> None:
    assert toy(GOOD).spec.data.path == Path("/configs/data.csv")
    assert toy(GOOD, "data.path=data.csv").spec.data.path == Path.cwd() / "data.csv"


def test_a_file(tmp_path: Path) -> None:
    path = CONFIGS[0]
    loaded = load(path, ["training.epochs=2"])
    assert (loaded.spec.training.epochs, loaded.path) == (2, path)
    assert loaded.text == path.read_bytes()


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"epochs: 3\n")))
    with pytest.raises(InvalidConfigError, match="stdin:1:1: epochs: unknown key"):
        load("-")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").touch()
    with pytest.raises(UsageError, match=r"config file not found: .*digit\.yaml \(did you mean 'digits\.yaml'\?\)"):
        load(tmp_path / "digit.yaml")
    with pytest.raises(UsageError, match="there is no folder"):
        load(tmp_path / "none" / "digits.yaml")
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configs_are_valid(path: Path) -> None:
    assert load(path).spec.name


def test_one_typo_in_each_section_of_a_shipped_config() -> None:
    path = next(path for path in CONFIGS if path.stem == "breast_cancer")
    text = path.read_text()
    for section in ("data", "model", "training", "evaluation"):
        wrong = re.sub(rf"^{section}:\n", f"{section}:\n  typo: 1\n", text, flags=re.MULTILINE)
        number = wrong.splitlines().index("  typo: 1") + 1
        with pytest.raises(InvalidConfigError) as raised:
            load_text(wrong.encode(), "c.yaml", path.parent)
        (found,) = raised.value.problems
        assert found.line().startswith(f"c.yaml:{number}:3: {section}.typo: unknown key")


def check_refusal(data: bytes, form: Form) -> None:
    try:
        load_text(data, "c.yaml", Path("/configs"), form=form)
    except InvalidConfigError as error:
        assert error.problems
        for found in error.problems:
            assert re.match(r"c\.yaml:\d+:\d+: ", found.line())
            assert "\n" not in found.line()


YAML_PIECES = [b"", b"x", b"[", b"{", b"}", b": ", b"\n", b"\t", b"- ", b"&a ", b"*a", b"012", b"null"]
PIECES = st.sampled_from(YAML_PIECES) | st.binary(max_size=4)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        data = data[:start] + draw(PIECES) + data[end:]
    return data


@settings(deadline=None)
@given(mutated(GOOD.encode()))
def test_a_damaged_config_is_read_or_refused(data: bytes) -> None:
    check_refusal(data, TOY)


@settings(max_examples=60, deadline=None)
@given(mutated(CONFIGS[0].read_bytes()))
def test_a_damaged_experiment_is_read_or_refused(data: bytes) -> None:
    check_refusal(data, EXPERIMENT)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SECTIONS = [*EXPERIMENT.spec.model_fields, "x"]
KEYS = ["source", "target", "split", "features", "type", "layers", "optimizer", "callbacks", "metrics", "units", "x"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(SECTIONS), st.dictionaries(st.sampled_from(KEYS), VALUES) | VALUES, min_size=1))
def test_any_value_anywhere_in_an_experiment_is_read_or_refused(content: dict[str, Any]) -> None:
    try:
        text = value_text(content).encode()
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return
    check_refusal(text, EXPERIMENT)


def test_no_tensorflow_and_no_table_library_is_imported() -> None:
    code = (
        "import sys; from mltrain.config.load import load; load(sys.argv[1]);"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'pandas', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(CONFIGS[0])], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_key_of_a_section_below_is_suggested(tmp_path):
    text = "data: {source: {type: csv, path: x.csv}, target: y, missing: [x]}\nmodel: linear\ntraining: {epochs: 1}\n"
    with pytest.raises(InvalidConfigError) as raised:
        load_text(text.encode(), "c.yaml", tmp_path)
    (problem,) = raised.value.problems
    assert problem.line() == "c.yaml:1:53: data.missing: unknown key (did you mean 'data.source.missing'?)"
