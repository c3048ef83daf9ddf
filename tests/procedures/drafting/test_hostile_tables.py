"""Names and values that YAML, a terminal or a reader could take for something else."""

import json
import random

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.procedures.drafting.tables import drafted, kinds, trains, write_csv

NAMES = [
    *(
        "a: b",
        '"quoted"',
        "it's",
        "# comment",
        "yes",
        "null",
        "1e5",
        "true",
        "- dash",
        "{x}",
        "[y]",
        "~",
        "%d",
        "&a",
        "*b",
    ),
    *(
        "!t",
        "@x",
        "`g`",
        "=",
        "<<",
        "?",
        "a,b",
        "back\\slash",
        "tab\there",
        "line\nbreak",
        "größe",
        "年",
        "\x1b[31mred",
    ),
    *("{x: [", "a # b", "2020-01-01", "0x1F", "012", "on", ".inf", "x" * 600),
]
# A CSV file has these without the blanks.
BLANKS = [" leading", "trailing ", "\u2028separator", "\ufeffmark"]
CLASSES = ["1e5", "null: x", "# y"]


def columns(names):
    draw = random.Random(4)
    made = {name: [round(draw.random(), 6) for _ in range(60)] for name in names}
    return {**made, "what: #": [draw.choice(CLASSES) for _ in range(60)]}


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_names_are_quoted_where_they_must_be(tmp_path, form):
    table = columns(NAMES if form == "csv" else [*NAMES, *BLANKS])
    if form == "csv":
        write_csv(tmp_path / "x.csv", table)
    elif form == "parquet":
        parquet.write_table(pa.table(table), tmp_path / "x.parquet")
    else:
        rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    loaded, text = drafted(tmp_path, f"x.{form}", "--target", "what: #")
    expected = {name: "number" for name in table if name != "what: #" and len(name) < 500}
    assert kinds(loaded) == expected
    assert loaded.spec.data.target.column == "what: #"
    assert all(character.isprintable() or character == "\n" for character in text)
    trains(tmp_path, loaded)


def test_a_name_of_the_file_is_no_yaml(tmp_path):
    folder = tmp_path / "a: b # c"
    folder.mkdir()
    write_csv(folder / 'sa"les: 1.csv', columns(["a", "b"]))
    loaded, _ = drafted(tmp_path, str(folder / 'sa"les: 1.csv'), "mine.yaml")
    assert loaded.spec.data.source.path.resolve() == folder / 'sa"les: 1.csv'
    assert loaded.spec.name == "sa-les-1"


def test_values_in_comments_stay_in_their_line(tmp_path):
    draw = random.Random(4)
    odd = ["a\nmodel: {type: linear}", "\x1b[31m", "# x", "y" * 300]
    table = {"odd": [draw.choice(odd) for _ in range(90)], "size": [draw.random() for _ in range(90)]}
    write_csv(tmp_path / "x.csv", {**table, "kind": [draw.choice(["a\r\nb", "c: d"]) for _ in range(90)]})
    loaded, text = drafted(tmp_path, "x.csv")
    assert loaded.spec.model.type == "tabular"
    assert kinds(loaded) == {"odd": "category", "size": "number"}
    assert max(map(len, text.splitlines())) <= 120
    trains(tmp_path, loaded)


def test_a_column_that_cannot_be_read_is_left_out(tmp_path):
    rows = [
        {"object": {"a": 1}, "ragged": [1] * (number % 3 + 1), "mixed": number if number % 2 else f"{number}x", "": 5}
        | {"size": number * 7 % 11, "y": number * 31 % 13 + 0.5}
        for number in range(60)
    ]
    (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    loaded, text = drafted(tmp_path, "x.jsonl")
    assert kinds(loaded) == {"object": "ignore", "ragged": "ignore", "mixed": "ignore", "": "ignore", "size": "number"}
    assert "object: ignore  # holds an object" in text
    trains(tmp_path, loaded)
