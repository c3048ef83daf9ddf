"""Texts from a stranger, in cells, in names of columns and in names of image files: the same result in every command
and in `model.keras`, or one line that says where; and nothing that drives the terminal or turns the direction of a
page."""

from __future__ import annotations

import csv
import json

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from PIL import Image
from pyarrow import parquet

from tests.conftest import in_process

pytestmark = pytest.mark.long

CONTROLS = "\0\a\x1b[2J\x7f\x9b31m\u202e\u2066\u200f\u200b\ufeff\u00ad\u2028"
REVIEW, KIND = "re\u202evi\x1b[2Jew\u200b", "ki\u2066nd\a"
HOSTILE = [
    *("[UNK]", "[UNK] good", "<pad>", "0", "1", "", None, " \t\n"),
    *(CONTROLS, f"a{CONTROLS}b", f"\u202e{CONTROLS}good", "go\u200bod", "go\0od", "go\u00adod"),
    *("\ue000", "\U00030000 good", "\U000e0067\U000e007f", "e\u0301" * 500, "\u0301" * 5000, "\U0001f600" * 5000),
    *("=cmd()", "<script>alert(1)</script>", "x" * 10_000_000, "good " * 2_000_000),
]
MODELS = {
    "tokens": ("text", "{type: fusion, units: [4]}"),
    "tf_idf": ("{type: text, encoding: tf_idf}", "linear"),
    "characters": ("{type: text, by: characters}", "{type: fusion, units: [4]}"),
}


def rows(count=96):
    """Return rows of which every third text is hostile alone, and the others beside honest words."""
    found = []
    for number in range(count):
        hostile = HOSTILE[number % len(HOSTILE)]
        beside = hostile if hostile and len(hostile) < 100_000 else ""
        text = hostile if number % 3 == 0 else f"{('good fine', 'bad poor')[number % 2]} {number} {beside}"
        kind = ("x\u202e", "y\x1b[1m")[number % 2 if number % 5 else 0]
        found.append({REVIEW: text, "n": number * 7 % 13, KIND: kind, "y": ("yes\u202e", "no\x1b[2J")[number % 2]})
    return found


def harmless(text):
    """Return whether a terminal shows a text as it is: nothing in it is obeyed, nothing is invisible."""
    return not [character for character in text if not character.isprintable() and character != "\n"]


@pytest.fixture(scope="module", params=MODELS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    feature, model = MODELS[request.param]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    parquet.write_table(pa.Table.from_pylist(rows()), folder / "rows.parquet")
    (folder / "config.yaml").write_text(
        "data:\n  source: {type: jsonl, path: rows.jsonl}\n  target: y\n"
        f"  features: {{{json.dumps(REVIEW)}: {feature}}}\n"
        f"model: {model}\ntraining: {{epochs: 2, batch_size: 16}}\n"
        f"evaluation: {{baselines: false, slices: [{json.dumps(KIND)}]}}\n"
    )
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    assert "opened in another process, predicts the same" in done.err
    return folder, done


@pytest.mark.parametrize(
    "arguments",
    [
        *(("validate", "config.yaml"), ("audit", "config.yaml"), ("show", "run"), ("explain", "run")),
        *(("evaluate", "run"), ("evaluate", "run", "--json"), ("evaluate", "run", "--data", "rows.parquet")),
        *(("predict", "run", "rows.jsonl", "--out", "a.jsonl"), ("report", "run", "--html", "r.html", "--md", "r.md")),
        ("predict", "run", "rows.parquet", "--out", "a.parquet", "--json"),
    ],
    ids=" ".join,
)
def test_no_command_lets_a_text_drive_the_terminal(trained, arguments):
    folder, done = trained
    assert harmless(done.err)
    done = in_process(folder, *arguments)
    assert done.code == 0, done.err
    assert harmless(done.out)
    assert harmless(done.err)


def test_no_page_has_a_character_that_is_obeyed(trained):
    folder, _ = trained
    for name in ("report.html", "report.md", "log.txt"):
        text = (folder / "run" / name).read_text(encoding="utf-8")
        assert harmless(text.replace("\u00a0", " ").replace("\t", " ")), name
        assert "<script>alert" not in text


def test_model_keras_and_predict_agree_on_every_text(trained):
    folder, _ = trained
    model = keras.models.load_model(folder / "run" / "model.keras")
    # As every file of data is read: without blanks at the ends, which are tokens where each character is one.
    raw = {REVIEW: [(row[REVIEW] or "").strip() for row in rows()], KIND: [row[KIND] for row in rows()]}
    tensors = {name: tf.constant(values)[:, None] for name, values in raw.items()}
    tensors["n"] = tf.constant([[float(row["n"])] for row in rows()])
    of_keras = np.asarray(model(tensors)).ravel()
    done = in_process(folder, "predict", "run", "rows.jsonl", "--proba", "--out", "p.jsonl")
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in (folder / "p.jsonl").read_text(encoding="utf-8").splitlines()]
    predicted = [line["probability_yes\u202e"] for line in lines]
    np.testing.assert_allclose(predicted, of_keras, atol=2e-6)


def test_words_that_look_special_are_words(trained):
    folder, _ = trained
    pairs = [("\u202egood", "good"), ("go\u00adod", "good"), ("\u200fgo\u2066od", "good")]
    if folder.name.startswith("characters"):
        pairs.append(("a\0", "a\ue000"))  # unknown are both
    else:
        pairs += [("[UNK]", "unk"), ("go\0od", "never"), ("good\abad", "good bad"), ("good\u200bbad", "good bad")]
    made = [{REVIEW: text, "n": 3, KIND: "x\u202e"} for pair in pairs for text in pair]
    (folder / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in made))
    assert in_process(folder, "predict", "run", "pairs.jsonl", "--proba", "--out", "pairs.out.jsonl").code == 0
    lines = [json.loads(line) for line in (folder / "pairs.out.jsonl").read_text(encoding="utf-8").splitlines()]
    found = [line["probability_yes\u202e"] for line in lines]
    for pair, one, other in zip(pairs, found[::2], found[1::2], strict=True):
        assert one == pytest.approx(other, abs=1e-6), pair


HONEST = [(f"{('good fine', 'bad poor')[number % 2]} {number}", number * 7 % 13, number % 2) for number in range(40)]


def csv_with(text):
    """Return a CSV of honest rows and one text."""
    lines = [f"{text},{number},{y}\n" for text, number, y in HONEST]
    return ("t,n,y\n" + "".join(lines)).encode() + text + b",1,0\n"


def json_lines_with(line):
    """Return JSON Lines of honest rows and one line."""
    return b"".join(json.dumps({"t": text, "n": n, "y": y}).encode() + b"\n" for text, n, y in HONEST) + line + b"\n"


def parquet_with(text):
    """Return a Parquet file of honest rows and one text, which Arrow does not look at when it writes."""
    texts = pa.array([*(text.encode() for text, _, _ in HONEST), text], pa.binary())
    texts = pa.Array.from_buffers(pa.string(), len(texts), texts.buffers())
    made = pa.table({"t": texts, "n": [*(n for _, n, _ in HONEST), 1], "y": [*(y for _, _, y in HONEST), 0]})
    sink = pa.BufferOutputStream()
    parquet.write_table(made, sink)
    return sink.getvalue().to_pybytes()


REFUSED = {
    "10 MB in a field of a CSV": (
        "x.csv",
        csv_with(b"x " * 5_000_000),
        "x.csv:42: column 't': a field of 10000000 bytes (limit: 131072)",
    ),
    "half a character in a CSV": ("x.csv", csv_with(b"a \xed\xa0\x80"), "x.csv:42: byte 3 of the line is 0xed"),
    "the null character in a CSV": ("x.csv", csv_with(b"a \0 b"), "x.csv:42: a NUL byte"),
    "half a character in JSON": (
        "x.jsonl",
        json_lines_with(b'{"t": "a \\ud800 b", "n": 1, "y": 0}'),
        "x.jsonl:41: column 't': 'a \\ud800 b' is not valid Unicode",
    ),
    "two halves in the wrong order": (
        "x.jsonl",
        json_lines_with(b'{"t": "\\ude00\\ud83d", "n": 1, "y": 0}'),
        "x.jsonl:41: column 't': '\\ude00\\ud83d' is not valid Unicode",
    ),
    "half a character in a key": (
        "x.jsonl",
        json_lines_with(b'{"t": "a", "\\ud800": 2, "n": 1, "y": 0}'),
        "x.jsonl:41: the key '\\ud800' is not valid Unicode; give the column another name",
    ),
    "half a character as bytes": (
        "x.jsonl",
        json_lines_with(b'{"t": "\xed\xa0\x80", "n": 1, "y": 0}'),
        "x.jsonl:41: byte 8 of the line is not UTF-8",
    ),
    "half a character in Parquet": ("x.parquet", parquet_with(b"\xed\xa0\x80"), "x.parquet: not a Parquet file, or it"),
}


@pytest.mark.parametrize(("file", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_at_its_place(mltrain, tmp_path, file, content, said):
    (tmp_path / file).write_bytes(content)
    (tmp_path / "config.yaml").write_text(
        f"data: {{source: {{type: {file.split('.')[1]}, path: {file}}}, target: y, features: {{t: text}}}}\n"
        "model: {type: fusion, units: [2]}\ntraining: {epochs: 1}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 4, done.err
    *_, line = done.err.splitlines()
    assert said in line
    assert line.isprintable()
    assert "Traceback" not in done.err


def test_both_halves_are_one_character(mltrain, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(json_lines_with(b'{"t": "\\ud83d\\ude00", "n": 1, "y": 0}'))
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: jsonl, path: x.jsonl}, target: y, features: {t: text}}\n"
        "model: {type: fusion, units: [2]}\ntraining: {epochs: 1}\nevaluation: {baselines: false}\n"
    )
    assert mltrain("train", "config.yaml", "--run-dir", "run").code == 0


OUTSIDE = [
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "../secret.png",
    "photos/../../secret.png",
    "link.png",
    "up/secret.png",
]
STRANGE = [
    "\x1b[2J.png",
    "\u202egnp.exe.png",
    "a\u200b.png",
    "file:///etc/passwd",
    "\\\\host\\share\\1.png",
    "photos/0.png\x1b",
]


@pytest.mark.parametrize("named", [*OUTSIDE, *STRANGE], ids=ascii)
def test_an_image_path_that_leads_elsewhere(mltrain, tmp_path, named):
    """It is refused by its row, and nothing of the file is read or said."""
    here = tmp_path / "here"
    (here / "photos").mkdir(parents=True)
    for number in range(40):
        noise = np.random.default_rng(number).integers(0, 255, (6, 6, 3)).astype(np.uint8)
        Image.fromarray(noise).save(here / "photos" / f"{number}.png")
    Image.new("RGB", (6, 6)).save(tmp_path / "secret.png")
    (here / "link.png").symlink_to(tmp_path / "secret.png")
    (here / "up").symlink_to(tmp_path)
    names = [f"photos/{number}.png" for number in range(40)]
    for command, cells in (("train", [*names, named]), ("good", names)):
        with (here / f"{command}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("photo", "y"), *((cell, n % 2) for n, cell in enumerate(cells))])
        (here / f"{command}.yaml").write_text(
            f"data: {{source: {{type: csv, path: {command}.csv}}, target: y, features: {{photo: image}}}}\n"
            "model: {type: cnn, filters: [2]}\ntraining: {epochs: 1}\nevaluation: {baselines: false}\n"
        )
    assert mltrain("train", here / "good.yaml", "--run-dir", "run").code == 0
    for arguments in (
        ("train", here / "train.yaml", "--run-dir", "other"),
        ("predict", "run", here / "train.csv", "--out", "out.csv"),
        ("evaluate", "run", "--data", here / "train.csv"),
    ):
        done = mltrain(*arguments)
        assert done.code == 4, (arguments, done.err)
        assert "train.csv:42: " in done.err
        assert "root:" not in done.err
        assert harmless(done.err)
        assert "Traceback" not in done.err
