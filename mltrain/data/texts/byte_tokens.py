"""Texts by bytes: each byte of UTF-8 is a token, whatever the training rows have.

A graph of Keras operations gets the bytes of a character from a table. It holds the plane of all living scripts, and
the emoji; any other character, and the null, is one unknown token.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from mltrain.data.texts.characters import UNKNOWN
from mltrain.data.texts.tokens import characters_of
from mltrain.data.texts.vocabulary import FIRST_TOKEN, UNKNOWN_TOKEN

# The numbers of tokens: padding, unknown, and 256 bytes.
BYTE_TOKENS = FIRST_TOKEN + 256
_RANGES = ((0x0001, 0xD7FF), (0xE000, 0xFFFF), (0x1F000, 0x1FAFF))


def byte_characters() -> list[str]:
    """Return the characters whose bytes are known."""
    return [chr(code) for first, last in _RANGES for code in range(first, last + 1)]


@cache
def byte_table() -> np.ndarray:
    """Return the tokens of each of `byte_characters`, int64 (characters, 4), zeros after the last."""
    table = np.zeros((len(byte_characters()), 4), np.int64)
    for row, character in zip(table, byte_characters(), strict=True):
        encoded = character.encode()
        row[: len(encoded)] = np.frombuffer(encoded, np.uint8) + np.int64(FIRST_TOKEN)
    return table


@cache
def _by_code() -> np.ndarray:
    """Return the tokens of each code point, int32 (code points, 4)."""
    table = np.zeros((UNKNOWN + 1, 4), np.int32)
    table[:, 0] = UNKNOWN_TOKEN
    table[[ord(character) for character in byte_characters()]] = byte_table()
    return table


def byte_numbers(texts: pa.Array, most: int, length: int) -> np.ndarray:
    """Return the numbers of the bytes of texts, int32 (rows, length), zeros after the last.

    Args:
        texts: (rows,) without nulls.
        most: so many characters of each text are read.
        length: so many bytes.
    """
    out = np.zeros((len(texts), length), np.int32)
    for characters in characters_of(texts, min(most, length)):  # a character has one byte at least
        tokens = _by_code()[characters.codes]
        ends = np.concatenate([[0], np.cumsum((tokens > 0).sum(axis=1))])[characters.bounds]
        flat, counts = tokens[tokens > 0], np.diff(ends)
        place = np.arange(len(flat)) - np.repeat(ends[:-1], counts)
        row = np.repeat(np.arange(len(counts)), counts) + characters.first_row
        out[row[place < length], place[place < length]] = flat[place < length]
    return out


def byte_lengths(texts: pa.Array, most: int) -> np.ndarray:
    """Return how many tokens texts have, int64 (rows,)."""
    lengths = [np.zeros(0, np.int64)]
    for characters in characters_of(texts, most):
        sizes = (_by_code()[characters.codes] > 0).sum(axis=1)
        lengths.append(np.diff(np.concatenate([[0], np.cumsum(sizes)])[characters.bounds]))
    return np.concatenate(lengths)
