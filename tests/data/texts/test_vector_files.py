"""Files of word vectors: three forms, of which only known words stay; and what is wrong with a file, at its line."""

import hashlib
import pickle
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from mltrain.data.encoders.column import RawColumn
from mltrain.data.encoders.text_vectors import token_vectors
from mltrain.data.features import TextFeature
from mltrain.data.features.word_vectors import WordVectors
from mltrain.data.texts import vector_files
from mltrain.data.texts.vector_files import OtherWidthError, read_vectors
from mltrain.errors import DataError, MisfitError

KNOWN = {"cat": 0, "dog": 1, "new york": 2}


def look_up(words):
    return np.array([KNOWN.get(word, -1) for word in words.to_pylist()], np.int64)


def read(path, words=None, width=2):
    found = read_vectors(path, words, look_up, width)
    return dict(zip(found.places.tolist(), found.values.tolist(), strict=True))


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "3 2\ncat 1 2.5\nbird 0 nan\ndog -3 4e1\n",
        "3 2\ncat 1 2.5 \nbird 0 nan \ndog -3 4e1 \n",
        "cat 1 2.5\nbird 0 nan\ndog -3 4e1",
        "cat 1 2.5\r\n. . 0 nan\r\ndog -3 4e1\r\n",
        "\ufeffcat 1 2.5\nbird 0 nan\ndog -3 4e1",
    ],
    ids=["fasttext", "its spaces at the end", "glove", "Windows", "byte order mark"],
)
def test_a_text_file(tmp_path, text):
    """The numbers of unknown words are not read: `bird` has none that could be used."""
    assert read(written(tmp_path / "a.vec", text)) == {0: [1, 2.5], 1: [-3, 40]}


def test_a_word_of_glove_may_have_spaces(tmp_path):
    assert read(written(tmp_path / "a.txt", "cat 1 2\nnew york 3 4\n. . 5 6\n")) == {0: [1, 2], 2: [3, 4]}


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_and_its_words(tmp_path, dtype, order):
    np.save(tmp_path / "a.npy", np.array([[9, 9], [1, 2.5], [-3, 4]], dtype, order=order))
    words = written(tmp_path / "words.txt", "bird\ndog\ncat\n")
    assert read(tmp_path / "a.npy", words) == {1: [1, 2.5], 0: [-3, 4]}
    found = read_vectors(tmp_path / "a.npy", words, look_up, 2)
    assert found.sha256 == hashlib.sha256((tmp_path / "a.npy").read_bytes()).hexdigest()
    assert found.words_sha256 == hashlib.sha256(words.read_bytes()).hexdigest()


def test_blocks_do_not_matter(tmp_path, monkeypatch):
    path = written(tmp_path / "a.vec", "3 2\ncat 1 2.5\nbïrd 0 1\ndog -3 4\n")
    whole = read_vectors(path, None, look_up, 2)
    assert whole.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for block in range(1, 40):
        monkeypatch.setattr(vector_files, "_BLOCK", block)
        found = read_vectors(path, None, look_up, 2)
        assert found.sha256 == whole.sha256
        np.testing.assert_array_equal(found.values, whole.values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.vec: the file is empty"),
        ("cat 1 2\ndog 1\n", "a.vec:2: expected a word and 2 numbers, separated by one space each, found 1"),
        ("cat 1 2\ndog 1 2 3\n", "a.vec:2: expected a word and 2 numbers, separated by one space each, found 3"),
        ("2 2\ncat 1 2\nnew york 1 2\n", "a.vec:3: expected a word and 2 numbers"),
        ("cat 1 2\n\ndog 1 2\n", "a.vec:2: expected a word and 2 numbers, separated by one space each, found 0"),
        ("cat 1 nan\n", "a.vec:1: expected a finite number of 32 bits, found 'nan'"),
        ("1 2\ncat 1 -inf\n", "a.vec:2: expected a finite number of 32 bits, found '-inf'"),
        ("cat 1 1e60\n", "a.vec:1: expected a finite number of 32 bits, found '1e60'"),
        ("cat 1 x\n", "a.vec:1: expected a number, found 'x'"),
        ("cat 1 2\nbird 0 1\ncat 3 4\n", "a.vec:3: the word 'cat' is there a second time (first in line 1)"),
        (b"bird 1 2\nc\xe9t 1 2\n", "a.vec:2: the text is not UTF-8"),
        ("3 2\ncat 1 2\ndog 1 2\n", "a.vec: the header says 3 words, and the file has 2"),
        ("1 2\ncat 1 2\ndog 1 2\n", "a.vec: the header says 1 words, and the file has 2"),
        ("cat\n", "a.vec:1: expected a word and its numbers, separated by one space each"),
        (b"cat 1 " + b"2" * (1 << 23), "a.vec:1: the line is longer than 1,048,576 bytes"),
        (pickle.dumps({"cat": [1, 2]}), "a.vec:1: "),
    ],
)
def test_what_is_wrong_with_a_text_file(tmp_path, content, message):
    with pytest.raises(DataError) as raised:
        read(written(tmp_path / "a.vec", content))
    assert message in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("array", "words", "message"),
    [
        (np.ones((2, 2), "f4"), "cat\ndog\nbird\n", "a.npy: the array has 2 rows, and words.txt has 3 words"),
        (np.ones((2, 2), "i4"), "cat\ndog\n", "a.npy: expected a matrix of floating-point numbers"),
        (np.ones(2, "f4"), "cat\ndog\n", "a.npy: expected a matrix of floating-point numbers"),
        (np.array([[0, 0], [1, np.inf]], "f4"), "x\ndog\n", "a.npy: expected finite numbers of 32 bits (row 1 "),
        (np.ones((2, 2), "f4"), "cat\ncat\n", "words.txt:2: the word 'cat' is there a second time"),
        (np.ones((2, 2), "f4"), b"cat\nd\xffg\n", "words.txt:2: the text is not UTF-8"),
        (np.ones((2, 2), "f4"), "", "words.txt: the file is empty"),
        (b"no array", "cat\n", "a.npy: it is not a .npy array, or a damaged one"),
        (pickle.dumps([1.0]), "cat\n", "a.npy: it is not a .npy array, or a damaged one"),
        (np.array([["a"]], object), "cat\n", "a.npy: expected a matrix of floating-point numbers"),
    ],
)
def test_what_is_wrong_with_an_array(tmp_path, array, words, message):
    if isinstance(array, bytes):
        written(tmp_path / "a.npy", array)
    else:
        np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError) as raised:
        read(tmp_path / "a.npy", written(tmp_path / "words.txt", words))
    assert message in str(raised.value)


def test_the_header_of_an_array_is_not_believed(tmp_path):
    """It says a petabyte; nothing of that size is asked for."""
    np.save(tmp_path / "a.npy", np.ones((2, 2), "f4"))
    content = (tmp_path / "a.npy").read_bytes()
    lying = content.replace(b"(2, 2), }          ", b"(99999999999, 2), }")
    assert len(lying) == len(content) and lying != content
    written(tmp_path / "a.npy", lying)
    with pytest.raises(DataError, match="its header says 99999999999 x 2 numbers, and the file has 16 bytes"):
        read(tmp_path / "a.npy", written(tmp_path / "words.txt", "cat\ndog\n"))


def test_files_that_are_not_there_or_not_regular(tmp_path):
    with pytest.raises(DataError, match=r"cats.vec: no such file"):
        read(tmp_path / "cats.vec")
    with pytest.raises(DataError, match="expected a regular file, found a directory"):
        read(tmp_path)


@pytest.mark.parametrize("text", ["cat 1 2 3\n", "1 3\ncat 1 2 3\n"])
def test_another_width_is_said_with_its_number(tmp_path, text):
    with pytest.raises(OtherWidthError, match=r"^3$"):
        read(written(tmp_path / "a.vec", text))


def test_a_large_file_needs_little_memory(tmp_path):
    """40 MB of words that are not known: what stays is the block that is read, and what is made of it."""
    line = " ".join(["0.12345"] * 100)
    with (tmp_path / "a.vec").open("w") as file:
        file.write("50000 100\n")
        for number in range(49_999):
            file.write(f"word{number} {line}\n")
        file.write(f"cat {line}\n")
    tracemalloc.start()
    found = read_vectors(tmp_path / "a.vec", None, look_up, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.places.tolist() == [0]
    assert peak < 16 * 2**20 < 32 * 2**20 < (tmp_path / "a.vec").stat().st_size


def encoded(texts, **settings):
    column = RawColumn("review", pa.array(texts), str, "texts.csv")
    encoder = TextFeature(min_count=1, **settings).fit(column, "standard").encoder
    return encoder, encoder.encode(column).values


def taken(tmp_path, text, texts, **settings):
    encoder, train = encoded(texts, **settings)
    vectors = WordVectors.model_validate({"file": written(tmp_path / "a.vec", text)})
    found = token_vectors(encoder, vectors, 1, train)
    names = ["", "?", *encoder.vocabulary]
    return {
        names[number]: values[0] for number, values in zip(found.numbers, found.values.tolist(), strict=True)
    }, found


def test_words_of_the_file_go_through_the_rule_of_the_texts_and_the_first_wins(tmp_path):
    file = "</s> 9\nThe 1\nTHE 2\ncafe\u0301 3\ncafé 4\nstraße 5\nits, 6\n"
    texts = ["the café", "strasse s its the"]
    assert taken(tmp_path, file, texts)[0] == {"the": 1, "cafe\u0301": 3, "strasse": 5}
    without = taken(tmp_path, file.replace("cafe\u0301", "cafe"), texts, accents="remove")[0]
    assert without == {"the": 1, "cafe": 3, "strasse": 5}
    assert taken(tmp_path, file, texts, case="keep")[0] == {"cafe\u0301": 3}
    removed = taken(tmp_path, "don't 1\n", ["don't"], punctuation="remove")[0]
    assert removed == {"dont": 1}


def test_the_share_is_that_of_the_tokens_of_the_training_rows(tmp_path):
    found = taken(tmp_path, "good 1\nbad 2\n", ["good good film", "bad"], length=3)[1]
    assert (len(found.numbers), found.words, found.share) == (2, 3, 3 / 4)


def test_a_file_without_any_word_of_the_texts_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"a.vec: none of the 1 words of 'review' is in it; is it of this language"):
        taken(tmp_path, "gut 1\n", ["good"])
    with pytest.raises(
        MisfitError, match="its vectors have 2 numbers each, and the layer that looks up 'review' has 1"
    ):
        taken(tmp_path, "good 1 2\n", ["good"])
