from __future__ import annotations

import keras
import numpy as np
import pyarrow as pa
import pytest

from mltrain.data.texts import tokens as module
from mltrain.data.texts.characters import TokenRule, character_table
from mltrain.data.texts.tokens import characters_of
from mltrain.data.texts.vocabulary import choose_tokens, count_tokens
from tests.data.texts.hostile import hostile_texts

WORDS = TokenRule(by="words", case="fold", accents="keep", punctuation="split", max_characters=1000)


def split(text: str, longest: int = 1, **settings: str) -> list[str]:
    """Return the different tokens of a text, in the order of their bytes."""
    rule = WORDS.model_copy(update=settings)
    texts = pa.array([text])
    return sorted(choose_tokens(texts, count_tokens(texts, rule, longest), rule, None, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat, the hat.", ["cat", "hat", "the"]),
        ("and/or don't e-mail", ["and", "don", "e", "mail", "or", "t"]),
        (
            "one\ntwo\tthree\r\nfour\u00a0five\u2028six\u200bseven",
            ["five", "four", "one", "seven", "six", "three", "two"],
        ),
        ("soft\u00adhyphen \u202eright\u202c zero\u200dwidth", ["right", "softhyphen", "zerowidth"]),
        ("漢字 kana:かな", ["kana", "か", "な", "字", "漢"]),
        ("abc漢def", ["abc", "def", "漢"]),
        ("👍🏽👍ok", ["ok", "👍"]),
        ("[UNK] <pad>", ["pad", "unk"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words(text, expected):
    assert split(text) == expected


def test_settings_of_punctuation():
    assert split("don't (stop)", punctuation="remove") == ["dont", "stop"]
    assert split("no, no", punctuation="token") == [",", "no"]


def test_characters():
    assert split("Ab, b", by="characters", punctuation="token") == [" ", ",", "a", "b"]
    assert split("e\u0301é", by="characters", punctuation="token") == ["e\u0301"]
    assert split("Straße한", by="characters", punctuation="token") == ["a", "e", "r", "s", "t", "ß", "한"]


def test_runs_of_tokens_end_with_their_text():
    rule, texts = WORDS, pa.array(["a, b c", "d", "", "a b"])
    counted = count_tokens(texts, rule, 3)
    names = choose_tokens(texts, counted, rule, None, 1)
    assert names == ["a", "a b", "b", "a b c", "b c", "c", "d"]
    assert counted.lengths.tolist() == [3, 1, 0, 2]


def test_the_most_frequent_come_first_and_bytes_decide_between_equals():
    texts = pa.array(["b a c", "a z b", "ä"])
    counted = count_tokens(texts, WORDS, 1)
    assert choose_tokens(texts, counted, WORDS, None, 1) == ["a", "b", "a\u0308", "c", "z"]
    assert choose_tokens(texts, counted, WORDS, 3, 1) == ["a", "b", "a\u0308"]
    assert choose_tokens(texts, counted, WORDS, None, 2) == ["a", "b"]


def test_a_token_with_an_unknown_character_has_no_name():
    assert split("ok a\0b \U00020000x \ue000") == ["ok"]


def test_so_many_characters_are_read():
    assert split("abc déf", max_characters=6) == ["abc", "de\u0301"]


def test_blocks_do_not_change_the_tokens(monkeypatch):
    texts = pa.array(hostile_texts(100, seed=5))
    whole = count_tokens(texts, WORDS, 2)
    monkeypatch.setattr(module, "BLOCK", 64)
    assert len(list(characters_of(texts, 1000))) > 50
    parts = count_tokens(texts, WORDS, 2)
    assert all(
        np.array_equal(one, other) for one, other in zip(vars(whole).values(), vars(parts).values(), strict=True)
    )
    names = choose_tokens(texts, parts, WORDS, 300, 1)
    monkeypatch.undo()
    assert names == choose_tokens(texts, whole, WORDS, 300, 1)


def test_slices_of_columns_are_split_like_whole_columns():
    texts = pa.array(["zz", "één twee", "drie", "yy"])[1:3]
    assert choose_tokens(texts, count_tokens(texts, WORDS, 1), WORDS, None, 1) == ["drie", "e\u0301e\u0301n", "twee"]


def test_ascii_words_are_those_of_keras():
    draw = np.random.default_rng(0)
    printable = [chr(code) for code in range(32, 127)] + [" "] * 20
    texts = ["".join(draw.choice(printable, 60)) for _ in range(300)]
    layer = keras.layers.TextVectorization()
    layer.adapt(texts)
    rule = WORDS.model_copy(update={"punctuation": "remove"})
    found = choose_tokens(pa.array(texts), count_tokens(pa.array(texts), rule, 1), rule, None, 1)
    assert sorted(found) == sorted(layer.get_vocabulary()[2:])


def test_values_differ_for_all_orders_of_letters():
    rule = WORDS
    table = character_table(rule, None)
    words = [a + b + c for a in "abcd" for b in "abcd" for c in "abcd"]
    (characters,) = characters_of(pa.array(words), 10)
    assert len(set(module.tokens_of(characters, table).values.tolist())) == 64
