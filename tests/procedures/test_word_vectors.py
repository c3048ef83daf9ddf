"""Word vectors of a file through the real commands: a training begins with them, and nothing else looks for them."""

import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from mltrain.procedures.stored_model import read_model
from mltrain.run.rundir import RunDirectory

GOOD, BAD = ["good", "fine", "great", "schön"], ["bad", "poor", "awful", "häßlich"]
WIDTH = 4
CONFIG = """\
data:
  source: {{type: jsonl, path: rows.jsonl}}
  target: liked
  features:
    review: {{type: text, length: 6, vectors: {vectors}}}
    {more}
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {model}
training: {{epochs: {epochs}, batch_size: 16, optimizer: {{type: SGD, learning_rate: {rate}}}}}
"""
POOLED = "{type: pooled, width: 4}"
MODELS = {
    "pooled": POOLED,
    "cnn": "{type: cnn, width: 4, filters: [3]}",
    "rnn": "{type: rnn, width: 4, units: [3], cell: GRU}",
    "transformer": "{type: transformer, width: 4, heads: 2, blocks: 1}",
    "sequential": "{type: sequential, layers: [{type: Embedding, input_dim: auto, output_dim: 4, mask_zero: true}, "
    "{type: GRU, units: 3}]}",
    "sequential behind a layer": "{type: sequential, layers: [{type: Reshape, target_shape: [6]}, {type: Embedding, "
    "input_dim: 200, output_dim: 4}, Flatten]}",
    "graph": "{type: graph, layers: [{type: Embedding, input_dim: auto, output_dim: 4, from: review}, "
    "{type: GRU, units: 3}]}",
    "fusion": "{type: fusion, inputs: {review: {type: pooled, width: 4}}}",
    "fusion of a rnn": "{type: fusion, inputs: {review: {type: rnn, width: 4, units: [3]}}, units: [4]}",
    "graph of two inputs": "{type: graph, layers: [{name: words, type: Embedding, input_dim: auto, output_dim: 4, "
    "from: review}, {name: mean, type: GlobalAveragePooling1D}, {type: Concatenate, from: [mean, table]}]}",
}
FAST = {"pooled", "sequential", "graph of two inputs"}
WITH_TABLE = {"fusion", "fusion of a rnn", "graph of two inputs"}


def rows(count):
    for number in range(count):
        liked = number % 2
        word = (GOOD if liked else BAD)[number // 2 % 4]
        yield {"review": f"The {word.upper()} film, no. {number % 7}", "liked": liked, "year": number}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(120)), encoding="utf-8")
    draw = np.random.default_rng(1)
    words = ["the", "film", "Good", "bad", "schön", "häßlich", "unheard"]
    lines = [" ".join([word, *(f"{value:.4f}" for value in draw.normal(size=WIDTH))]) for word in words]
    (tmp_path / "words.vec").write_text("\n".join([f"{len(words)} {WIDTH}", *lines]) + "\n", encoding="utf-8")
    return tmp_path


def config(folder, model=POOLED, vectors="{file: words.vec}", more="year: ignore", *, epochs=1, rate=1e-30):
    text = CONFIG.format(model=model, vectors=vectors, more=more, epochs=epochs, rate=rate)
    (folder / "c.yaml").write_text(text, encoding="utf-8")


def vectors_of(folder):
    lines = (folder / "words.vec").read_text(encoding="utf-8").splitlines()[1:]
    return {line.split()[0].casefold(): np.array(line.split()[1:], np.float32) for line in lines}


def table_of(run):
    """Return the words that a run knows, and its table of vectors: the first weights of its model that have 4 columns
    and a row for each word."""
    preprocessing = json.loads((run / "preprocessing.json").read_text(encoding="utf-8"))
    (vocabulary,) = [each["vocabulary"] for each in preprocessing["columns"] if each["type"] == "tokens"]
    tables = [each for each in read_model(RunDirectory(run)).weights.values() if each.ndim == 2]
    return vocabulary, next(each for each in tables if len(each) >= len(vocabulary) + 2 and each.shape[1] == WIDTH)


def as_in_the_file(folder, run):
    """Return how many words of a run have exactly the vector of the file."""
    vocabulary, table = table_of(run)
    names, by_word = [unicodedata.normalize("NFC", word) for word in vocabulary], vectors_of(folder)
    return sum(
        name in by_word and np.array_equal(table[number], by_word[name]) for number, name in enumerate(names, start=2)
    )


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.long) for name in MODELS]
)
def test_every_model_begins_with_them(mltrain, folder, name):
    """The learning rate is 0 in effect: what was put in is what the run has."""
    more = "year: number" if name in WITH_TABLE else "year: ignore"
    config(folder, MODELS[name], "{file: words.vec, trainable: false}", more)
    done = mltrain("train", "c.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert as_in_the_file(folder, done.run) == 6
    table = table_of(done.run)[1]
    assert not table[0].any()
    assert np.unique(table[1:], axis=0).shape[0] == len(table) - 1, "other words begin at random"
    assert "first weights: 6 of the " in done.err
    assert "of the tokens of the training rows; other words begin at random, padding at 0; none is trained" in done.err
    layers = json.loads((done.run / "model.json").read_text())["layers"]
    (embedding,) = [each for each in layers if each["kind"] == "Embedding" and each["parameters"] == table.size]
    assert embedding["trainable"] == 0

    before = json.loads((done.run / "metrics.json").read_text())["splits"]["test"]["metrics"]
    (folder / "words.vec").unlink()
    measured = mltrain("evaluate", "run", "--json")
    assert measured.code == 0, measured.err
    again = json.loads(measured.out)["splits"]["test"]["metrics"]
    assert {key: value["value"] for key, value in again.items()} == {
        key: value["value"] for key, value in before.items()
    }


@pytest.mark.long
@pytest.mark.parametrize(("trainable", "stays"), [pytest.param("false", True, marks=pytest.mark.long), ("true", False)])
def test_they_are_trained_where_that_is_asked(mltrain, folder, trainable, stays):
    config(folder, vectors=f"{{file: words.vec, trainable: {trainable}}}", epochs=3, rate=0.5)
    done = mltrain("train", "c.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    assert (as_in_the_file(folder, done.run) == 6) is stays
    assert not table_of(done.run)[1][0].any(), "padding stays 0"


def test_an_array_with_its_words(mltrain, folder):
    words = vectors_of(folder)
    np.save(folder / "words.npy", np.stack(list(words.values())).astype("f8"))
    (folder / "words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    config(folder, vectors="{file: words.npy, words: words.txt}")
    done = mltrain("train", "c.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert as_in_the_file(folder, done.run) == 6
    recorded = json.loads((done.run / "record.json").read_text())["vectors"]["review"]
    assert recorded["source"].endswith("words.npy")
    assert len(recorded["sha256"]) == len(recorded["words_sha256"]) == 64


def test_validate_and_train_name_a_missing_file_at_its_line(folder):
    """In a process of its own: neither may load TensorFlow for it."""
    config(folder, vectors="{file: words.npy, words: gone.txt}")
    for command in ("validate", "train"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "mltrain", command, "c.yaml"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 4, done.stderr
        for name, column in (("words.npy", "file"), ("gone.txt", "words")):
            assert f"data.features.review.vectors.{column}: {folder / name}: no such file" in done.stderr
        assert "c.yaml:5:" in done.stderr
        assert "tensorflow.python" not in done.stderr


@pytest.mark.parametrize(
    ("model", "vectors", "more", "code", "message"),
    [
        (
            "{type: pooled, width: 5}",
            "{file: words.vec}",
            "",
            3,
            "its vectors have 4 numbers each, and the layer that ",
        ),
        (POOLED, "{file: bad.txt}", "", 4, "bad.txt:2: expected a finite number of 32 bits, found 'nan'"),
        (POOLED, "{file: words.bin}", "", 3, "expected a file whose name ends in .vec, .txt or .npy"),
        (POOLED, "{file: words.npy}", "", 3, "name the text file with a word for each of its rows in `words`"),
        (POOLED, "{file: words.vec, words: x.txt}", "", 3, "a .vec file has its words in it (remove `words`)"),
        ("{type: linear}", "{file: words.vec}, encoding: tf_idf", "", 3, "vectors: has no meaning in the encoding"),
        (POOLED, "{file: words.vec}, by: bytes", "", 3, "vectors: has no meaning by bytes"),
        (
            "{type: graph, layers: [{type: CategoryEncoding, num_tokens: 200}]}",
            "{file: words.vec}",
            "",
            3,
            "no Embedding layer of the model looks up 'review'",
        ),
        (
            "{type: graph, layers: [{name: a, type: Embedding, input_dim: 200, output_dim: 4, from: review}, "
            "{name: b, share: a, from: other}, {type: Concatenate, from: [a, b]}, Flatten]}",
            "{file: words.vec}",
            "other: {type: text, length: 6}",
            3,
            "the layer that looks up 'review' also looks up 'other', whose tokens have other numbers",
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_line(mltrain, folder, model, vectors, more, code, message):
    (folder / "bad.txt").write_text("the 1 2 3 4\ngood 1 nan 3 4\n")
    if more:
        lines = [{**row, "other": row["review"]} for row in rows(120)]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    config(folder, model, vectors, f"year: ignore\n    {more}")
    done = mltrain("train", "c.yaml", "--run-dir", "run")
    assert done.code == code, done.err
    assert message in done.err
    assert "Traceback" not in done.err
    if code == 3:
        assert "c.yaml:5:" in done.err


def test_a_resumed_run_does_not_need_the_file_and_ends_with_the_same_bits(mltrain, folder, monkeypatch):
    config(folder, vectors="{file: words.vec}", epochs=4, rate=0.3)
    whole = mltrain("train", "c.yaml", "--run-dir", "whole")
    assert whole.code == 0, whole.err

    from mltrain.training import training

    original, seen = training.Training.epochs, []

    def two_epochs(self, *told):
        for record in original(self, *told):
            yield record
            seen.append(record)
            if len(seen) == 2:
                raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(training.Training, "epochs", two_epochs)
        assert mltrain("train", "c.yaml", "--run-dir", "run").code == 9
    kept = (folder / "words.vec").rename(folder / "gone")
    done = mltrain("resume", "run")
    assert done.code == 0, done.err
    kept.rename(folder / "words.vec")
    weights = [read_model(RunDirectory(folder / name)).weights for name in ("whole", "run")]
    for one, other in zip(*(each.values() for each in weights), strict=True):
        np.testing.assert_array_equal(one, other)
    records = [json.loads((folder / name / "record.json").read_text()) for name in ("whole", "run")]
    assert records[0]["vectors"] == records[1]["vectors"] != {}
    firsts = [[each for each in one["decisions"] if each["what"] == "first weights"] for one in records]
    assert firsts[0] == firsts[1] != []


def test_a_run_without_a_step_needs_the_same_file(mltrain, folder, monkeypatch):
    config(folder)

    def killed(self):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("mltrain.procedures.checkpoints.Checkpoints.write", killed)
        assert mltrain("train", "c.yaml", "--run-dir", "run").code == 9
    text = (folder / "words.vec").read_text(encoding="utf-8")
    (folder / "words.vec").write_text(text.replace("unheard", "heard"), encoding="utf-8")
    done = mltrain("resume", "run")
    assert done.code == 5, done.err
    assert "vectors.review: " in done.err
    (folder / "words.vec").write_text(text, encoding="utf-8")
    done = mltrain("resume", "run")
    assert done.code == 0, done.err
    assert as_in_the_file(folder, done.run) == 6


@pytest.mark.long
def test_reproduce_and_cross_validate(mltrain, folder):
    config(folder, vectors="{file: words.vec, trainable: false}", epochs=2, rate=0.3)
    assert mltrain("train", "c.yaml", "--run-dir", "run").code == 0
    done = mltrain("reproduce", "run")
    assert done.code == 0, done.err
    assert "identical" in done.err + done.out
    done = mltrain("cross-validate", "c.yaml", "--folds", "3", "--run-dir", "folds")
    assert done.code == 0, done.err
    words = (folder / "words.vec").read_text(encoding="utf-8")
    (folder / "words.vec").write_text(words.replace("unheard", "heard"), encoding="utf-8")
    done = mltrain("reproduce", "run")
    assert "vectors.review: " in done.err + done.out
