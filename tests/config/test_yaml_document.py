from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrain.config.yaml_document import MOST_BYTES, decode, parse, split_lines
from mltrain.config.yaml_node import Node
from mltrain.problems import InvalidConfigError, Source


def read(text: str) -> Node:
    document = parse(text, Source("c.yaml", split_lines(text)))
    assert not document.problems
    return document.root


def problems(text: str) -> list[str]:
    try:
        found = parse(text, Source("c.yaml", split_lines(text))).problems
    except InvalidConfigError as error:
        found = error.problems
    return [problem.line() for problem in InvalidConfigError(found).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("+3", 3),
        ("-0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("Null", None),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("no", "no"),
        ("on", "on"),
        ("tRue", "tRue"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("1e", "1e"),
        ("inf", "inf"),
        ("'012'", "012"),
        ('"1"', "1"),
        ("!!str 012", "012"),
        ("!!float 1", 1.0),
        ("!!int '12'", 12),
        ("! 12", "12"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = read(f"key: {text}").plain()["key"]
    assert found == value
    assert type(found) is type(value)


def test_nan_is_recognised() -> None:
    assert math.isnan(read("key: .nan").plain()["key"])


def test_places_of_keys_and_values() -> None:
    root = read("# first\ntraining:\n  epochs: 10\n  ö: [1, 'zwei']\n")
    assert str(root.place_of(("training", "epochs"))) == "c.yaml:3:11"
    assert str(root.place_of(("training", "epochs"), key=True)) == "c.yaml:3:3"
    assert str(root.place_of(("training", "ö", 1))) == "c.yaml:4:10"
    assert root.place_of(("training", "ö", 1)).width == 6
    assert str(root.place_of(("training",))) == "c.yaml:2:1"
    assert str(root.place_of(("training", "missing", 3))) == "c.yaml:2:1"


def test_anchors_aliases_and_merges() -> None:
    root = read("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 9\nd: *a\n&k e: *k\n")
    assert root.plain()["c"] == {"x": 9, "y": 2, "z": 4}
    assert root.plain()["d"] == {"x": 1, "y": 2}
    assert root.plain()["e"] == "e"
    assert str(root.place_of(("c", "y"))) == "c.yaml:1:17"
    assert read("'<<': 1").plain() == {"<<": 1}


def test_keys_are_the_text_that_is_written():
    written = read("{0: a, 012: b, no: c, true: d, 1e-3: e, null: f, 2024-01-01: g}").plain()
    assert list(written) == ["0", "012", "no", "true", "1e-3", "null", "2024-01-01"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", ["c.yaml:3:1: a: duplicate key (first on line 1)"]),
        ("a: {b: 1, b: 2}", ["c.yaml:1:11: a.b: duplicate key (first on line 1)"]),
        ("a: 012", ["c.yaml:1:4: a: the number has a leading zero; write 12, or '012' if it is text"]),
        ("a: [1, -007]", ["c.yaml:1:8: a[1]: the number has a leading zero; write -7, or '-007' if it is text"]),
        ("a: 1e400", ["c.yaml:1:4: a: the number is too large (more than 1.8e308)"]),
        ("a: " + "9" * 5000, ["c.yaml:1:4: a: the integer does not fit in 64 bits; put it in quotes if it is text"]),
        (f"a: {2**63}", ["c.yaml:1:4: a: the integer does not fit in 64 bits; put it in quotes if it is text"]),
        ("1: a\n'1': b", ["c.yaml:2:1: 1: duplicate key (first on line 1)"]),
        ("?\n: a", ["c.yaml:1:2: the key is empty; write '' if that is meant"]),
        ("? [a]\n: 1", ["c.yaml:1:3: a list, a mapping or a tagged value cannot be a key; keys are text"]),
        (
            "a: !!python/object/apply:os.system [x]",
            [
                "c.yaml:1:4: a: the tag !!python/object/apply:os.system is not allowed;"
                " a config holds plain values only",
            ],
        ),
        ("a: !env HOME", ["c.yaml:1:4: a: the tag !env is not allowed; a config holds plain values only"]),
        ("a: !!set {b}", ["c.yaml:1:4: a: the tag !!set is not allowed; a config holds plain values only"]),
        ("a: !!int x", ["c.yaml:1:4: a: 'x' is not a value of its tag !!int"]),
        ("a: *b", ["c.yaml:1:4: a: unknown alias *b: no &b comes before it"]),
        ("a: &a [*a]", ["c.yaml:1:8: a[0]: the alias *a is inside the value that it refers to"]),
        ("a:\n  <<: 3", ["c.yaml:2:7: a: '<<' merges mappings: expected an alias of a mapping, or a list of those"]),
        ("a: 1\n---\nb: 2", ["c.yaml:2:1: a second YAML document begins here; one file is one experiment"]),
        ("a:\n\tb: 1", ["c.yaml:2:1: a tab cannot indent YAML; use spaces"]),
        (
            "a: b: c",
            ["c.yaml:1:5: unexpected ':' (a wrong indentation, or a text with a colon in it that needs quotes)"],
        ),
        ("a: 1\nb: [1, 2", ["c.yaml:2:4: the '[' here is never closed"]),
        ("a: {b: 1\n", ["c.yaml:1:4: the '{' here is never closed"]),
        ("a: 'x\n\n", ["c.yaml:1:4: the quote that begins here is never closed"]),
        ("a: @x", ["c.yaml:1:4: a text cannot begin with '@'; put it in quotes"]),
        ('a: "\\q"', ["c.yaml:1:5: unknown escape in double quotes; double the backslash, or use single quotes"]),
        (
            "a: 1\n b: 2\n",
            ["c.yaml:2:3: unexpected ':' (a wrong indentation, or a text with a colon in it that needs quotes)"],
        ),
        (
            "a:\n  - x\n y: 1",
            ["c.yaml:3:2: expected a key here (a wrong indentation, a missing ':' or a missing quote)"],
        ),
        ("a: x\x00y", ['c.yaml:1:5: the character U+0000 is not allowed; as text it can be written "\\U00000000"']),
        (
            "a: 1\nb: \x1b[2J",
            ['c.yaml:2:4: the character U+001B is not allowed; as text it can be written "\\U0000001b"'],
        ),
        ("a: \u2028", ['c.yaml:1:4: the character U+2028 is not allowed; as text it can be written "\\U00002028"']),
    ],
)
def test_what_is_refused_and_where(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_all_that_does_not_stop_the_reading_is_reported_together() -> None:
    found = problems("a: 012\nb: *x\na: 1\n7: !x y\nc: [1")
    assert [line.split(": ")[0] for line in found] == [
        "c.yaml:1:4",
        "c.yaml:2:4",
        "c.yaml:3:1",
        "c.yaml:4:4",
        "c.yaml:5:4",
    ]


LAUGHS = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 5 if i else ['ha'] * 9)}]" for i in range(9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 900, "nested more than 32 deep"),
        ("[" * 100_000, "nested more than 32 deep"),
        ("{a: " * 900, "nested more than 32 deep"),
        ("? " * 900, "nested more than 32 deep"),
        ("- " * 900, "nested more than 32 deep"),
        ("a: " + "{<<: " * 40 + "{}" + "}" * 40, "nested more than 32 deep"),
        ("a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20, "nested more than 32 deep"),
        (LAUGHS, "values, aliases expanded"),
        ("a: &a 1\nb: [" + "*a, " * 51 + "]", "more than 50 aliases"),
        ("a: [" + "1," * 100_001 + "]", "values, aliases expanded"),
    ],
    ids=["list", "list-100k", "mapping", "key", "dash", "merge", "alias", "laughs", "aliases", "values"],
)
def test_bombs_are_refused_in_one_line(text: str, message: str) -> None:
    assert text.count("*l") <= 50
    found = problems(text)
    assert len(found) == 1
    assert message in found[0]
    assert len(str(found[0])) < 200


def test_the_deepest_that_is_allowed() -> None:
    read("[" * 31 + "1" + "]" * 31)
    assert problems("[" * 32 + "1" + "]" * 32)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a: 1\nb: caf\xe9\n", "c.yaml:2:7: byte 12 (0xe9) is not UTF-8; save the config as UTF-8"),
        ("ü: 1\nä: \xff".encode() + b"\xff", "c.yaml:2:5: byte 13 (0xff) is not UTF-8; save the config as UTF-8"),
        ("a: 1".encode("utf-16"), "c.yaml:1:1: the config is UTF-16; save it as UTF-8"),
        (b"#" * (MOST_BYTES + 1), "c.yaml:1:1: the config is larger than 1 MiB; keep data in a data file"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, line: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        decode(data, "c.yaml")
    assert [problem.line() for problem in raised.value.problems] == [line]


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    text, source = decode(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "c.yaml")
    root = parse(text, source).root
    assert root.plain() == {"a": 1, "b": 2}
    assert str(root.place_of(("b",))) == "c.yaml:2:4"


def test_changed_leaves_the_original_and_its_aliases_alone() -> None:
    root = read("a: &a {x: [1, 2]}\nb: *a\n")
    changed = root.changed(("b", "x", 1), Node(5, root.place))
    assert changed.plain() == {"a": {"x": [1, 2]}, "b": {"x": [1, 5]}}
    assert root.plain() == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}}
    assert changed.changed(("a", "x", 0), None).plain() == {"a": {"x": [2]}, "b": {"x": [1, 5]}}


def test_the_picture_of_a_long_line_shows_what_is_around_the_place() -> None:
    root = read("rows: [" + "11111, " * 300 + "wrong]")
    line, carets = root.place_of(("rows", 300)).picture().splitlines()
    assert len(line) < 120
    assert line[carets.index("^") : carets.rindex("^") + 1] == "wrong"


def test_carets_stand_under_wide_characters() -> None:
    _, carets = read("日本: [値, x]").place_of(("日本", 1)).picture().splitlines()
    assert carets == "    | " + " " * len("日本: [値, ") + "   ^"  # three of them take two columns


@given(st.text(alphabet="ab:-[]{},#&*!|>'\"% \n\t?<01.e~", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for line in problems(text):
        assert line.startswith("c.yaml:")
        assert line.split(":")[1].isdigit()
