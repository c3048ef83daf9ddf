"""What each character does to the tokens of a text, as tables over the code points.

A character separates words, belongs to a word, stands alone, or is left out; and it writes some symbols: É writes e and
an accent, ß writes ss. This follows from the Unicode database, and is the same in every supported Python: what Unicode
14 did not have yet is unknown.

A token is known by one number of 64 bits: the sum of its symbols' numbers times the powers of an odd constant, modulo
2^64 (the rolling hash of Karp and Rabin, Efficient randomized pattern-matching algorithms, 1987). Sums and products of
whole numbers are exact in NumPy and in Keras, so both find the same tokens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from mltrain.spec import Spec

By = Literal["words", "characters", "bytes"]
Case = Literal["fold", "keep"]
Accents = Literal["keep", "remove"]
Punctuation = Literal["split", "remove", "token"]

# What a character does. SEPARATES ends a word; a JOINS belongs to the token before it, which a WORD after it does not.
SEPARATES, WORD, ALONE, JOINS, LEFT_OUT = range(5)

# Code points from here on are unknown, and so stand at this place of the tables: rare Han, and planes without letters.
UNKNOWN = 0x20000
# The odd constant, and what it must be multiplied by to give 1.
BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)

MOST_SYMBOLS = 4
_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
# Thai, Lao, Myanmar, Khmer, Hiragana, Katakana, Bopomofo: scripts without spaces between words.
_WITHOUT_SPACES = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF)),
    *((0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F)),
)
_EMOJI = ((0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF))
# The two marks that make ga of ka: a kana with its mark is one token, as the letter that has both is.
_VOICED = (0x3099, 0x309A)
# Invisible: the grapheme joiner, and those that choose among forms of one character.
_INVISIBLE = ((0x034F, 0x034F), (0x180B, 0x180F), (0xFE00, 0xFE0F))
_ZERO_WIDTH_SPACE = 0x200B
_MYANMAR_UU = 0x1026
# Marks that are no accents, by their combining class: the nukta, voicing and virama of Indic scripts and kana (7, 8, 9)
# and vowels (84 to 132). Without them a word is another word.
_PARTS_OF_LETTERS = {0, 7, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132}
# Assigned by Unicode 15.0 and 15.1 in the planes 0 and 1, and so known to newer versions of Python only.
_NEWER = (
    *((0xCF3, 0xCF3), (0xECE, 0xECE), (0x2FFC, 0x2FFF), (0x31EF, 0x31EF), (0x10EFD, 0x10EFF), (0x1123F, 0x11241)),
    *((0x11B00, 0x11B09), (0x11F00, 0x11F59), (0x1342F, 0x1342F), (0x13439, 0x13455), (0x1B132, 0x1B132)),
    *((0x1B155, 0x1B155), (0x1D2C0, 0x1D2D3), (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D), (0x1E08F, 0x1E08F)),
    *((0x1E4D0, 0x1E4F9), (0x1F6DC, 0x1F6DC), (0x1F774, 0x1F776), (0x1F77B, 0x1F77F), (0x1F7D9, 0x1F7D9)),
    *((0x1FA75, 0x1FA77), (0x1FA87, 0x1FA88), (0x1FAAD, 0x1FAAF), (0x1FABB, 0x1FABD), (0x1FABF, 0x1FABF)),
    *((0x1FACE, 0x1FACF), (0x1FADA, 0x1FADB), (0x1FAE8, 0x1FAE8), (0x1FAF7, 0x1FAF8)),
)


class TokenRule(Spec):
    """How a text becomes tokens."""

    by: By
    """What a token is."""
    case: Case
    """Whether letters that differ by case are one."""
    accents: Accents
    """Whether accents are left out."""
    punctuation: Punctuation
    """What becomes of punctuation and symbols."""
    max_characters: int
    """So many characters of a text are read."""


@dataclass(frozen=True)
class CharacterTable:
    """What the characters do, at the place of their code point; at the place UNKNOWN what any other does.

    Attributes:
        kinds: (UNKNOWN + 1,) uint8, one of SEPARATES, WORD, ALONE, JOINS and LEFT_OUT.
        values: (UNKNOWN + 1,) uint64: the number of what a character writes.
        lengths: (UNKNOWN + 1,) uint8: how many symbols it writes; 1 for those that write none.
    """

    kinds: np.ndarray
    values: np.ndarray
    lengths: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """BASE to the power of each length, (UNKNOWN + 1,) uint64."""
        powers = np.array([pow(BASE, length, 1 << 64) for length in range(MOST_SYMBOLS + 1)], np.uint64)
        return powers[self.lengths]

    @property
    def listed(self) -> np.ndarray:
        """The code points that differ from an unknown one, which a graph has to know."""
        return np.flatnonzero(~self.is_unknown)

    @property
    def is_unknown(self) -> np.ndarray:
        """Whether each character does what an unknown one does, (UNKNOWN + 1,) bool."""
        return (self.kinds == self.kinds[UNKNOWN]) & (self.values == self.values[UNKNOWN])


@lru_cache(maxsize=16)
def character_table(rule: TokenRule, symbols: frozenset[int] | None) -> CharacterTable:
    """Return the table of a rule.

    Args:
        rule: by words or characters.
        symbols: those that known tokens are written with. A letter that writes another one is unknown, as any token
            with it is; and Han letters stand alone only where a symbol is one, since a graph would have to know 28,000
            more. None knows all.
    """
    kinds = _kinds(rule).copy()
    written = written_symbols(rule)
    unknown = ALONE if rule.by == "characters" else WORD
    known = np.zeros(UNKNOWN + 1, bool)
    known[list(_assigned())] = True
    if symbols is not None:
        known_symbols = np.zeros(UNKNOWN + 1, bool)
        known_symbols[[0, *(symbol for symbol in symbols if symbol < UNKNOWN)]] = True
        known &= known_symbols[written].all(axis=1)
        if not known_symbols[_within(_HAN)].any():
            kinds[_within(_HAN)] = unknown
    values = np.zeros(UNKNOWN + 1, np.uint64)
    power = 1
    for position in range(MOST_SYMBOLS):
        column = written[:, position]
        values += np.where(column > 0, symbol_value(column) * np.uint64(power), np.uint64(0))
        power = power * BASE % (1 << 64)
    lengths = np.maximum((written > 0).sum(axis=1), 1).astype(np.uint8)
    values[~known], lengths[~known] = symbol_value(np.array([UNKNOWN])), 1
    silent = (kinds == SEPARATES) | (kinds == LEFT_OUT)
    values[silent], lengths[silent] = 0, 1
    return CharacterTable(kinds, values, lengths)


def symbol_value(symbols: np.ndarray) -> np.ndarray:
    """Return the numbers of symbols, uint64: the finalizer of SplitMix64 (Steele, Lea and Flood, Fast splittable
    pseudorandom number generators, 2014), which is one to one."""
    mixed = (symbols.astype(np.uint64) + np.uint64(1)) * np.uint64(BASE)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def written_symbols(rule: TokenRule) -> np.ndarray:
    """Return what each character writes: uint32 (UNKNOWN + 1, 4), code points followed by zeros.

    Letters are decomposed, so that é is the same in one character and in two, and folded where that is asked:
    canonical caseless matching, The Unicode Standard, section 3.13.
    """
    return _written(rule.case == "fold", rule.accents == "remove", rule.by == "characters")


@cache
def _written(fold: bool, drop: bool, one_letter: bool) -> np.ndarray:
    written = np.zeros((UNKNOWN + 1, MOST_SYMBOLS), np.uint32)
    written[:, 0] = np.arange(UNKNOWN + 1)
    for code in _assigned():
        text = _canonical(chr(code), fold, one_letter)
        if drop:
            text = "".join(symbol for symbol in text if not _is_accent(symbol))
        if len(text) != 1 or ord(text) != code:
            symbols = [ord(symbol) for symbol in text]
            # What rare Han letters of other planes are another form of is not known either.
            symbols = [UNKNOWN] if any(symbol >= UNKNOWN for symbol in symbols) else symbols
            written[code] = symbols + [0] * (MOST_SYMBOLS - len(symbols))
    return written


def _canonical(character: str, fold: bool, one_letter: bool) -> str:
    """Return a character decomposed, and folded where that is asked.

    Args:
        character: one.
        fold: whether case makes no difference.
        one_letter: whether it must stay one letter, as a token of its own is: then ß does not become ss, and Korean
            syllables stay whole.
    """
    decomposed = unicodedata.normalize("NFD", character)
    forms = [unicodedata.normalize("NFD", decomposed.casefold())] if fold else []
    forms += [unicodedata.normalize("NFD", character.lower())] if fold else [decomposed]
    for text in forms:
        letters = len(text) - _marks(text)
        stays = letters <= 1 and _marks(character) <= _marks(text)
        if " " not in text and (stays or not one_letter) and (len(text) == 1 or not _is_whole(character)):
            return text
    return character


def _marks(text: str) -> int:
    return sum(unicodedata.category(symbol).startswith("M") for symbol in text)


def _is_whole(character: str) -> bool:
    """Return whether a character stands alone and its marks do not join it: a symbol, or the Myanmar letter UU."""
    return unicodedata.category(character).startswith("S") or ord(character) == _MYANMAR_UU


def _is_accent(symbol: str) -> bool:
    return unicodedata.combining(symbol) not in _PARTS_OF_LETTERS


@lru_cache(maxsize=16)
def _kinds(rule: TokenRule) -> np.ndarray:
    """Return the kind of each character, (UNKNOWN + 1,) uint8."""
    by_words = rule.by == "words"
    marked = {"split": SEPARATES, "remove": LEFT_OUT, "token": ALONE}[rule.punctuation]
    kinds = np.full(UNKNOWN + 1, WORD if by_words else ALONE, np.uint8)
    categories = {code: unicodedata.category(chr(code)) for code in _assigned()}
    emoji = set(_within(_EMOJI).tolist())
    for code, category in categories.items():
        if category in ("Cf", "Me"):
            kinds[code] = LEFT_OUT
        elif category[0] in "ZC":
            kinds[code] = SEPARATES if by_words else ALONE
        elif category == "So" and code in emoji:
            kinds[code] = ALONE
        elif category[0] in "PS":
            kinds[code] = LEFT_OUT if 0x1F3FB <= code <= 0x1F3FF else marked
        elif category[0] == "M" and not by_words:
            kinds[code] = JOINS
    if by_words:
        kinds[_ZERO_WIDTH_SPACE] = SEPARATES
        for code in _within((*_HAN, *_WITHOUT_SPACES)).tolist():
            if categories.get(code, "C")[0] in "LM":
                kinds[code] = ALONE
    kinds[list(_VOICED)] = JOINS
    kinds[_within(_INVISIBLE)] = LEFT_OUT
    kinds[written_symbols(rule)[:, 0] == 0] = LEFT_OUT  # an accent that is to be left out
    kinds[0] = kinds[UNKNOWN]
    return kinds


@cache
def _assigned() -> tuple[int, ...]:
    """Return the code points that Unicode 14 has, but for the null, surrogates and private ones."""
    newer = set(_within(_NEWER).tolist())
    return tuple(
        code
        for code in range(1, UNKNOWN)
        if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs") and code not in newer
    )


def _within(ranges: Collection[tuple[int, int]]) -> np.ndarray:
    """Return the code points of ranges, whose ends are included."""
    return np.concatenate([np.arange(first, last + 1) for first, last in ranges])
