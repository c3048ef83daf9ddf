"""A YAML file from a stranger: it names registered components and plain values, and whatever else it holds is an error
with its place."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrain.errors import ConfigError
from mltrain.load import load_text
from tests.conftest import CONFIGS
from tests.hostile.conftest import snapshot

TEXTS = [path.read_bytes() for path in sorted(CONFIGS.glob("*.yaml"))]

NAMES = [
    *("../x", "..", ".", "/abs", "/etc/passwd", "a/b", "a\\b", "~root", "-rf", "--help", ".hidden", "", " ", "a b"),
    *(
        "a\tb",
        "a\nb",
        "a\0b",
        "\x1b[2J",
        "x" * 65,
        "x" * 300,
        "\u202egpj.exe",
        "ｎａｍｅ",
        "nаme",
        "naïve",
        "a:b",
        "$(id)",
    ),
    *("`id`", "${HOME}", "a;b", "a|b", "*", "[red]x[/red]"),
]


def quoted(text):
    """Return a YAML text in double quotes in which every character is written out."""
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


@pytest.fixture
def refused(mltrain, config, tmp_path):
    """Train with a config, which must be refused at a line, with nothing written anywhere."""

    def check(line="", text=None, **replaced):
        path = config(**replaced)
        if text is not None:
            path.write_bytes(text)
        before = snapshot(tmp_path)
        done = mltrain("train", path)
        assert done.code == 3, (done.out, done.err)
        assert done.out == ""
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: ", done.err), done.err
        assert line in done.err
        assert all(character.isprintable() or character == "\n" for character in done.err)
        assert snapshot(tmp_path) == before
        return done.err

    return check


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_would_become_paths(refused, name):
    refused(":2:7: name: ", name=f"name: {quoted(name)}")


@pytest.mark.parametrize("name", ["CON", "a.b", "0", "x" * 64, "a_b-c.d"])
def test_harmless_names(config, mltrain, name):
    # CON is a device elsewhere, and mltrain runs on Linux, where it is a name.
    assert mltrain("validate", config(name=f"name: {quoted(name)}")).code == 0


@pytest.mark.parametrize("name", ["../x", "/tmp/x"])
def test_names_on_the_command_line(mltrain, config, tmp_path, name):
    path = config()
    before = snapshot(tmp_path)
    done = mltrain("train", path, "--set", f"name={name}")
    assert (done.code, done.out) == (3, "")
    assert snapshot(tmp_path) == before


COMPONENTS = [
    *(
        "os.system",
        "builtins.eval",
        "logging.os.system",
        "subprocess.Popen",
        "keras.layers.Dense",
        "mltrain.cli.app.main",
    ),
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "StringLookup", "Custom>Dense", "__class__", "__init__", "_private"),
    *("Dеnse", "ｄｅｎｓｅ", "mlр", "ｍｌｐ", "mlp\u200b", "\u202eplm", "../mlp", "/etc/passwd", "hf://user/model", ""),
    *("package>Layer", "eval", "lambda x: x", "__import__('os').system('touch canary')", "x" * 300),
]
PLACES = {
    "model": {"model": "model: {{type: {}}}"},
    "layer": {"model": "model: {{type: sequential, layers: [{{type: {}}}]}}"},
    "activation": {"model": "model: {{type: mlp, units: [4], activation: {}}}"},
    "initializer": {
        "model": "model: {{type: sequential, layers: [{{type: Dense, units: 2, kernel_initializer: {}}}]}}"
    },
    "optimizer": {"optimizer": "  optimizer: {{type: {}}}"},
    "schedule": {"optimizer": "  optimizer: {{type: Adam, learning_rate: {{type: {}}}}}"},
    "loss": {"optimizer": "  loss: {}"},
    "training metric": {"optimizer": "  metrics: [{}]"},
    "callback": {"optimizer": "  callbacks: [{{type: {}}}]"},
    "source": {"source": "  source: {{type: {}}}"},
    "split": {"split": "  split: {{type: {}}}"},
    "metric": {"version": "evaluation: {{metrics: [{}]}}"},
    "objective": {"version": "objective: {{metric: {}}}"},
    "condition": {"optimizer": "  stop_when: {}"},
}


@pytest.mark.parametrize("place", PLACES)
def test_components_are_registered_names(refused, tmp_path, place):
    ((key, line),) = PLACES[place].items()
    for name in COMPONENTS:
        refused(**{key: line.format(quoted(name))})
    assert not (tmp_path / "canary").exists()


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n" for before, after in zip("abcdefg", "bcdefgh", strict=True)
)

BOMBS = {
    "laughs": LAUGHS,
    "recursive": "x: &x [*x]\n",
    "recursive mapping": "x: &x {y: *x}\n",
    "merge bomb": "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: [{', '.join(['*a'] * 40)}]}}\n" for n in range(40)),
    "brackets": "[" * 100_000,
    "braces": "{a: " * 5_000,
    "dashes": "- " * 20_000,
    "question marks": "? " * 20_000,
    "large": "# " + "x" * (1 << 20),
    "many values": "x: [" + "1," * 120_000 + "1]\n",
    "long key": "? " + "x" * 200_000 + "\n: 1\n",
    "long number": "seed: " + "9" * 5_000 + "\n",
    "python": "x: !!python/object/apply:os.system [touch canary]\n",
    "python name": "x: !!python/name:os.system\n",
    "python module": "x: !!python/object/new:os.system [touch canary]\n",
    "own tag": "x: !Canary y\n",
    "binary": "x: !!binary aGVsbG8=\n",
    "two documents": "version: 1\n---\nversion: 1\n",
    "directive": "%TAG ! tag:python/object/apply:os.\n---\nx: !system touch canary\n",
    "environment": "name: ${HOME}\n",
    "include": "x: !include /etc/passwd\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_and_tags(refused, tmp_path, text):
    refused(text=text.encode())
    assert not (tmp_path / "canary").exists()


def test_what_a_config_says_is_not_looked_up(mltrain, config, tmp_path, monkeypatch):
    """Variables of the environment stay there: their names in a config are text."""
    monkeypatch.setenv("TOKEN", "canary-91")
    source = "  source: {type: csv, path: $TOKEN.csv}\n  target: ${TOKEN}"
    done = mltrain("train", config(source=source), "--run-dir", tmp_path / "run")
    assert done.code == 4
    written = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert "canary-91" not in done.out + done.err
    assert not any(b"canary-91" in content for content in written)


PIECES = [
    *(
        b"",
        b"x",
        b"[",
        b"]",
        b"{",
        b"}",
        b": ",
        b":",
        b"\n",
        b"\t",
        b"- ",
        b"&a ",
        b"*a",
        b"!!x ",
        b"012",
        b"null",
        b'"',
    ),
    *(b"-1", b"1e999", b".nan", b"true", b"~", b"<<: ", b"? ", b"|\n", b">", b"%", b"\x00", b"\xff", b"\xe2\x80\xae"),
    *(b"type: ", b"Dense", b"training", b"9" * 30, b"data:\n", b"  ", b"os.system"),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return the text of a shipped config in which some pieces are replaced, moved, doubled or cut."""
    data = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 20)))
        kind = draw(st.sampled_from(["replace", "double", "move", "cut"]))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=6))
        if kind == "replace":
            data = data[:start] + piece + data[end:]
        elif kind == "double":
            data = data[:end] + data[start:]
        elif kind == "move":
            rest = data[:start] + data[end:]
            target = draw(st.integers(0, len(rest)))
            data = rest[:target] + data[start:end] + rest[target:]
        else:
            data = data[: max(start, 1)]
    return data


def read_or_refuse(data):
    """Any other exception is a traceback of the command."""
    try:
        load_text(data, "c.yaml", CONFIGS)
    except ConfigError as error:
        for line in str(error).splitlines():
            assert line.isprintable()
            assert line.startswith("  ") or line.startswith("…") or re.match(r"c\.yaml:\d+:\d+: ", line), line


def suppressed(examples):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks, database=None)


@suppressed(1_000)
@given(damaged())
def test_a_damaged_config_is_read_or_refused_with_its_line(data):
    read_or_refuse(data)


@pytest.mark.torture
@suppressed(20_000)
@given(damaged())
def test_20000_damaged_configs(data):
    read_or_refuse(data)


@suppressed(50)
@given(damaged())
def test_a_damaged_config_through_the_command(mltrain, tmp_path, data):
    (tmp_path / "c.yaml").write_bytes(data)
    done = mltrain("validate", "c.yaml")
    assert done.code in (0, 3), done.err
    assert done.code == 0 or re.match(r"c\.yaml:\d+:\d+: ", done.err)
    assert "Traceback" not in done.err


def test_no_component_can_be_imported_by_a_config(mltrain, config):
    """Nothing that a config names makes Python look for a module."""
    before = set(sys.modules)
    mltrain("validate", config(model="model: {type: this}"))
    assert "this" not in set(sys.modules) - before
