from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from mltrain.data.encoders.column import Encoder, RawColumn
from mltrain.data.features import TextFeature
from mltrain.data.preprocessing import AnyEncoder
from mltrain.errors import DataError
from tests.data.tables import column

TEXTS = ["The cat sat", "the hat", None, "a cat, a hat; the end!", "rare"]


def fit(values, **settings) -> Encoder:
    return TextFeature(**settings).fit(column(values), "standard").encoder


def said(values, **settings) -> list[str]:
    decisions = TextFeature(**settings).fit(column(values), "standard").decisions
    return [f"{decision.value}: {decision.reason}" for decision in decisions]


def test_padding_is_0_unknown_is_1_and_a_text_without_tokens_is_unknown():
    encoder = fit(TEXTS, length=4)
    assert encoder.vocabulary == ("the", "a", "cat", "hat")
    encoded = encoder.encode(column(["the cat", "a dog the cat hat", "", None]))
    assert encoded.values.dtype == np.int32
    assert encoded.values.tolist() == [[2, 4, 0, 0], [3, 1, 2, 4], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert encoded.missing == {"x": 2}
    assert (encoder.input, encoder.names, encoder.encoded_shape, encoder.indices) == ("x", (), (4,), 6)


def test_the_length_is_a_quantile_of_the_training_rows_and_the_share_that_is_cut_is_said():
    texts = [" ".join(["word"] * count) for count in range(1, 101)]
    assert fit(texts).length == 95
    assert fit(texts, quantile=0.5).length == 50
    assert fit([" ".join(["word"] * 900)] * 3).length == 512
    assert any("5.0% of the training rows are cut, the longest has 100" in line for line in said(texts))


def test_the_vocabulary_has_a_limit_and_a_least_count():
    assert fit(TEXTS, max_tokens=2).vocabulary == ("the", "a")
    assert fit(TEXTS, min_count=3).vocabulary == ("the",)
    assert len(fit(TEXTS, min_count=1).vocabulary) == 7
    with pytest.raises(DataError, match=r"no token of the training rows is there 9 times \(lower data.features.x"):
        fit(TEXTS, min_count=9)


def test_bytes_need_no_vocabulary():
    encoder = fit(["é a", "\U00020000"], by="bytes", length=5)
    assert encoder.encode(column(["é a", "\U00020000b", "abcdefg"])).values.tolist() == [
        [0xC3 + 2, 0xA9 + 2, 32 + 2, 97 + 2, 0],
        [1, 98 + 2, 0, 0, 0],
        [99, 100, 101, 102, 103],
    ]
    assert encoder.indices == 258


def plain_texts(rows: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    words = [f"word{number}" for number in range(60)]
    return [" ".join(draw.choice(words, draw.integers(0, 12))) for _ in range(rows)]


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_columns_are_those_of_scikit_learn(ngrams):
    train, rows = plain_texts(200, seed=0), plain_texts(50, seed=1)
    for encoding, theirs in (("bag_of_words", CountVectorizer), ("tf_idf", TfidfVectorizer)):
        encoder = fit(train, encoding=encoding, ngrams=ngrams, min_count=1, max_tokens=10**6)
        other = theirs(ngram_range=(1, ngrams)).fit(train)
        names = [name.removeprefix("x=") for name in encoder.names]
        assert sorted(names) == sorted(other.get_feature_names_out())
        expected = other.transform(rows).toarray()[:, [other.vocabulary_[name] for name in names]]
        np.testing.assert_allclose(encoder.encode(column(rows)).values, expected, rtol=0, atol=1e-7)


def test_hashed_columns_have_length_1_and_no_vocabulary():
    encoder = fit(plain_texts(50, seed=0), encoding="hashed", buckets=16, ngrams=2)
    values = encoder.encode(column(["word1 word2", "", "zzz"])).values
    assert encoder.names[:2] == ("x=bucket 0", "x=bucket 1")
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), [1, 0, 1], atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"by": "bytes"}, {"encoding": "tf_idf"}, {"encoding": "hashed"}])
def test_an_encoder_survives_json(settings):
    adapter, encoder = TypeAdapter(AnyEncoder), fit(plain_texts(50, seed=0), **settings)
    assert adapter.validate_json(adapter.dump_json(encoder)) == encoder


@pytest.mark.parametrize("vocabulary", [["a", "a"], ["a", "A"], ["a b"], [""], [" "]])
def test_a_vocabulary_that_is_none_is_refused(vocabulary):
    stored = fit(TEXTS).model_dump(mode="json") | {"vocabulary": vocabulary}
    with pytest.raises(ValidationError, match="vocabulary"):
        TypeAdapter(AnyEncoder).validate_python(stored)


def test_missing_texts_can_be_an_error():
    with pytest.raises(DataError, match=r"made.csv\[2\]: column 'x': the value is missing"):
        fit(TEXTS, missing="error")
    encoder = fit(["a b a b"], missing="error")
    with pytest.raises(DataError, match=r"made.csv\[1\]: column 'x': the value is missing"):
        encoder.encode(column(["a", None]))
    with pytest.raises(DataError, match="no training row has a value"):
        fit(pa.array([None, None], pa.string()))


def test_what_is_watched_are_the_tokens_and_the_share_of_unknown_ones():
    encoder = fit(TEXTS)
    counts, unknown = encoder.watched(column(["the cat", "the dog", "", None]))
    assert [name for name, _ in encoder.watched_as] == ["tokens of x", "share of unknown tokens of x"]
    np.testing.assert_array_equal(counts, [2, 2, np.nan, np.nan])
    np.testing.assert_array_equal(unknown, [0, 0.5, np.nan, np.nan])


def test_ten_megabytes_in_a_cell_are_cut():
    encoder = fit(["a b a b"], encoding="bag_of_words", max_characters=1000)
    assert encoder.encode(column(["a " * 5_000_000])).values.tolist() == [[500, 0]]


@pytest.mark.parametrize("encoding", ["tokens", "tf_idf", "hashed"])
def test_missing_texts_of_the_training_rows_are_expected_and_said(encoding):
    whole = [text for text in TEXTS if text]
    assert not fit(whole, encoding=encoding).expects_missing
    assert fit([*whole, None], encoding=encoding).expects_missing
    decisions = said([*whole, None], encoding=encoding)
    assert f"a missing value is a text without tokens: 1 of {len(whole) + 1} training rows miss it" in decisions


@pytest.mark.parametrize(
    "settings", [{}, {"length": 3}, {"by": "characters"}, {"min_count": 1, "max_tokens": 4, "case": "keep"}]
)
def test_the_texts_that_were_counted_are_encoded_as_any(settings):
    values = pa.array([*["a b c a", "B, c! b", "", "c d e f g h a", "a-q a"] * 40, None])
    column = RawColumn("text", values, str, "made")
    encoder = TextFeature(**settings).fit(column, "none").encoder
    assert encoder._counted.blocks
    first, again = encoder.encode(column).values, encoder.encode(column).values
    assert not encoder._counted.blocks  # it is used once, and is no part of what is kept
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("other", ["a\0b a", "日本 a", "é a"])
def test_tokens_of_other_scripts_and_of_unknown_characters_are_found_again(other):
    column = RawColumn("text", pa.array([other, "a b"] * 20), str, "made")
    assert not TextFeature().fit(column, "none").encoder._counted.blocks
