from __future__ import annotations

import hashlib
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from mltrain.data.texts.characters import UNKNOWN, TokenRule, character_table, written_symbols
from mltrain.data.texts.vocabulary import tokenised

WORDS = TokenRule(by="words", case="fold", accents="keep", punctuation="split", max_characters=1000)
RULES = [
    WORDS.model_copy(update={"by": by, "case": case, "accents": accents, "punctuation": punctuation})
    for by, punctuation in (("words", "split"), ("words", "remove"), ("words", "token"), ("characters", "token"))
    for case in ("fold", "keep")
    for accents in ("keep", "remove")
]


def values(texts: list[str], rule: TokenRule) -> list[list[int]]:
    """Return what knows the tokens of each text."""
    table = character_table(rule, None)
    found = [
        each for _, each in tokenised(pa.array(texts), rule, table, 1, lambda tokens: (tokens.values, tokens.counts))
    ]
    whole = np.concatenate([each for each, _ in found]).tolist()
    ends = np.cumsum(np.concatenate([counts for _, counts in found])).tolist()
    return [whole[first:last] for first, last in zip([0, *ends], ends, strict=False)]


def test_the_tables_are_those_of_every_supported_python():
    # By Python 3.11, 3.12 and 3.13, whose Unicode databases are of three versions.
    digest = hashlib.sha256()
    for rule in RULES:
        table = character_table(rule, None)
        for part in (table.kinds, table.values, table.lengths):
            digest.update(part.tobytes())
    assert digest.hexdigest()[:16] == "a844f51dbd11bae7"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(map(str, dict(rule).values())))
def test_what_a_character_writes_is_the_same_token_again(rule):
    table, symbols = character_table(rule, None), written_symbols(rule)
    codes = [code for code in np.flatnonzero(~table.is_unknown) if table.values[code]]
    written = ["".join(map(chr, symbols[code][symbols[code] > 0])) for code in codes]
    assert values(written, rule) == values([chr(code) for code in codes], rule)


@pytest.mark.parametrize("text", ["café", "Ångström", "ΆΛΦΑ", "한글", "がぎ", "Việt Nam", "йод", "ﷺ", "שָׁלוֹם"])
def test_composed_and_decomposed_letters_are_one(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert values([composed], WORDS) == values([decomposed], WORDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [("É", "é"), ("ΆΛΦΑ", "άλφα"), ("ΣΑΣ", "σας"), ("STRASSE", "straße"), ("ЯБЛОКО", "яблоко"), ("Ⴀ", "ⴀ")],
)
def test_case_is_folded_in_every_script(one, other):
    kept = WORDS.model_copy(update={"case": "keep"})
    assert values([one], WORDS) == values([other], WORDS)
    assert values([one], kept) != values([other], kept)


@pytest.mark.parametrize(
    ("one", "other"), [("café", "cafe"), ("ά", "α"), ("ё", "е"), ("مُحَمَّد", "محمد"), ("שָׁלוֹם", "שלום")]
)
def test_accents_can_be_left_out(one, other):
    removed = WORDS.model_copy(update={"accents": "remove"})
    assert values([one], removed) == values([other], removed)
    assert values([one], WORDS) != values([other], WORDS)


@pytest.mark.parametrize("text", ["कि", "น้ำ", "க்ஷ"])
def test_marks_that_are_parts_of_letters_stay_where_accents_go(text):
    removed = WORDS.model_copy(update={"accents": "remove"})
    bare = "".join(symbol for symbol in text if not unicodedata.category(symbol).startswith("M"))
    assert values([text], removed) != values([bare], removed)


def test_a_table_for_some_letters_differs_in_letters_that_it_lacks_only():
    whole, some = character_table(WORDS, None), character_table(WORDS, frozenset(map(ord, "abc")))
    assert some.values[ord("A")] == whole.values[ord("a")]
    assert some.values[ord("z")] == some.values[UNKNOWN]
    assert (some.kinds[0x4E00], whole.kinds[0x4E00]) == (
        some.kinds[UNKNOWN],
        character_table(WORDS, frozenset([0x4E00])).kinds[0x4E00],
    )
