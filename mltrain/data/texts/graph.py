"""Raw texts to tokens as a graph of what ships with Keras: for `model.keras`. Imports TensorFlow.

A `TextVectorization` layer splits a text into characters and numbers those that matter. All that follows are sums and
products of whole numbers, which give the tokens that `tokens.py` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mltrain.data.encoders.text import TokensEncoder
from mltrain.data.encoders.text_columns import TextColumnsEncoder
from mltrain.data.texts.byte_tokens import byte_characters, byte_table
from mltrain.data.texts.characters import (
    ALONE,
    BASE,
    INVERSE,
    JOINS,
    LEFT_OUT,
    MOST_SYMBOLS,
    SEPARATES,
    UNKNOWN,
    WORD,
    CharacterTable,
)
from mltrain.data.texts.tokens import MIXER, ngram_factor
from mltrain.data.texts.vocabulary import FIRST_TOKEN, PADDING, UNKNOWN_TOKEN


def tokens_graph(encoder: TokensEncoder, text: Any) -> Any:
    """Return what `TokensEncoder.encode` gives, int32 (batch, length), of texts: string (batch, 1)."""
    most = encoder.rule.max_characters
    if encoder.rule.by == "bytes":
        numbers = byte_graph(text, most, encoder.length)
    else:
        numbers = number_graph(token_graph(text, encoder.table, most, encoder.length), encoder.known)
    least = np.zeros(encoder.length, np.int32)
    least[0] = UNKNOWN_TOKEN
    return ops.maximum(numbers, least)


def column_graph(encoder: TextColumnsEncoder, text: Any) -> Any:
    """Return what `TextColumnsEncoder.encode` gives, float32 (batch, columns), of texts: string (batch, 1)."""
    tokens = token_graph(text, encoder.table, encoder.rule.max_characters, None)
    tokens = with_ngram_graph(tokens, encoder.ngrams)
    if encoder.buckets:
        places, left_out = bucket_graph(tokens, encoder.buckets), 1
    else:
        places, left_out = number_graph(tokens, encoder.known), FIRST_TOKEN
    width = len(encoder.names)
    counts = ops.bincount(places, minlength=width + left_out)[:, left_out:]
    if encoder.type == "bag_of_words":
        return ops.cast(counts, "float32")
    weighted = ops.cast(counts, "float64")
    if encoder.weights:
        weighted = weighted * np.asarray(encoder.weights)
    lengths = ops.sqrt(ops.sum(weighted * weighted, axis=1, keepdims=True))
    return ops.cast(weighted / ops.where(ops.equal(lengths, 0), ops.ones_like(lengths), lengths), "float32")


@dataclass(frozen=True)
class TokenGraph:
    """The tokens of a batch of texts.

    Attributes:
        values: int64 (batch, places): the numbers that know them.
        there: bool (batch, places): whether a text has so many tokens.
    """

    values: Any
    there: Any


def token_graph(text: Any, table: CharacterTable, most: int, length: int | None) -> TokenGraph:
    """Return the tokens of texts.

    Args:
        text: string (batch, 1).
        table: what each character does.
        most: so many characters of a text are read.
        length: the first so many tokens, and as many places; None for all, with a place for each character.
    """
    characters = _Characters.of(table)
    numbers = characters.numbers(text, most)
    numbers = ops.pad(numbers, [[0, 0], [0, (length or 0) + 1]])
    kind = ops.take(characters.kinds, numbers)

    # Characters that are left out go to the end, where they count as padding.
    place = ops.cumsum(ops.ones_like(numbers), axis=1) - 1
    size = ops.sum(ops.ones_like(numbers), axis=1, keepdims=True)
    left_out = ops.equal(kind, LEFT_OUT)
    order = ops.argsort(place + ops.cast(left_out, "int64") * size, axis=1)
    numbers = ops.take_along_axis(ops.where(left_out, ops.zeros_like(numbers), numbers), order, axis=1)

    kind = ops.take(characters.kinds, numbers)
    before, after = ops.pad(kind, [[0, 0], [1, 0]])[:, :-1], ops.pad(kind, [[0, 0], [0, 1]])[:, 1:]
    begins = _any(
        ops.equal(kind, ALONE),
        ops.logical_and(ops.equal(kind, WORD), ops.not_equal(before, WORD)),
        ops.logical_and(ops.equal(kind, JOINS), ops.equal(before, SEPARATES)),
    )
    next_begins = _any(
        ops.equal(after, ALONE),
        ops.logical_and(ops.equal(after, WORD), ops.not_equal(kind, WORD)),
        ops.equal(after, SEPARATES),
    )
    ends = ops.logical_and(ops.not_equal(kind, SEPARATES), next_begins)

    symbols = ops.take(characters.lengths, numbers)
    written = ops.take(characters.values, numbers) * _powers(BASE, symbols)
    sums = ops.cumsum(written, axis=1)
    first, last = (ops.sort(ops.where(each, place, size), axis=1) for each in (begins, ends))
    if length is not None:
        first, last = first[:, :length], last[:, :length]
    there = ops.less(last, size)
    first, last = (ops.where(there, each, ops.zeros_like(each)) for each in (first, last))
    up_to, before_first = ops.take_along_axis(sums, last, axis=1), ops.take_along_axis(sums - written, first, axis=1)
    back = ops.take_along_axis(_powers(INVERSE, symbols), first, axis=1)
    return TokenGraph((up_to - before_first) * back, there)


@dataclass(frozen=True)
class _Characters:
    """The characters that matter, in an order that keeps the tables small: those that do the same stand together.

    Attributes:
        listed: the characters.
        alone: how many of them, from the first on, have a place of their own in the tables.
        groups: where among the others each group begins, numbered as `numbers` numbers them.
        kinds, lengths: int32 (places,), and
        values: int64 (places,): as in `CharacterTable`, of padding, of any other character, of those that have a place
            of their own, and of the groups.
    """

    listed: list[str]
    alone: int
    groups: list[int]
    kinds: np.ndarray
    lengths: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, table: CharacterTable) -> _Characters:
        """Return the characters of a table."""
        listed = table.listed
        silent = (table.values[listed] == 0) | (table.values[listed] == table.values[UNKNOWN])
        order = np.argsort(np.where(silent, 1 + table.kinds[listed] + 8 * (table.values[listed] > 0), 0), kind="stable")
        listed, alone = listed[order], int((~silent).sum())
        others = listed[alone:]
        same = (np.diff(table.kinds[others].astype(int)) == 0) & (np.diff(table.values[others] > 0) == 0)
        firsts = (
            alone + np.concatenate([[0], 1 + np.flatnonzero(~same)]).astype(int) if len(others) else np.array([], int)
        )
        places = np.concatenate([[UNKNOWN, UNKNOWN], listed[:alone], listed[firsts]]).astype(np.int64)
        kinds, lengths, values = (each[places] for each in (table.kinds, table.lengths, table.values))
        kinds[0], values[0] = SEPARATES, 0
        return cls(
            [chr(code) for code in listed],
            alone,
            (firsts + 2).tolist(),
            kinds.astype(np.int32),
            lengths.astype(np.int32),
            values.view(np.int64),
        )

    def numbers(self, text: Any, most: int) -> Any:
        """Return the places of the characters of texts in the tables, int64 (batch, characters of the longest)."""
        numbers = _numbered(text, self.listed, most)
        groups = sum((ops.cast(ops.greater_equal(numbers, first), "int64") for first in self.groups), start=0)
        return ops.minimum(numbers, self.alone + 1) + groups


def _numbered(text: Any, characters: Sequence[str], most: int) -> Any:
    """Return the numbers of the characters of texts, int64 (batch, characters of the longest): 0 fills up, 1 is any
    that is not listed."""
    numbers = keras.layers.TextVectorization(
        standardize=None, split="character", output_mode="int", vocabulary=list(characters)
    )(text)
    return numbers[:, :most]


def _powers(base: int, exponents: Any) -> Any:
    """Return the power of `base`, modulo 2^64, whose exponent is the sum of all before each."""
    powers = np.array([pow(base, exponent, 1 << 64) for exponent in range(MOST_SYMBOLS + 1)], np.uint64).view(np.int64)
    factors = ops.take(powers, ops.pad(exponents, [[0, 0], [1, 0]])[:, :-1])
    return ops.cumprod(factors, axis=1)


def _any(*conditions: Any) -> Any:
    first, *others = conditions
    for each in others:
        first = ops.logical_or(first, each)
    return first


def with_ngram_graph(tokens: TokenGraph, longest: int) -> TokenGraph:
    """Return the tokens of texts and all runs of up to `longest` tokens; see `tokens.with_ngrams`."""
    values, all_values, all_there = tokens.values, [tokens.values], [tokens.there]
    for size in range(2, longest + 1):
        later, there = (ops.pad(each[:, size - 1 :], [[0, 0], [0, size - 1]]) for each in (tokens.values, tokens.there))
        values = values + later * ngram_factor(size)
        all_values.append(values)
        all_there.append(there)
    return TokenGraph(ops.concatenate(all_values, axis=1), ops.concatenate(all_there, axis=1))


def number_graph(tokens: TokenGraph, known: np.ndarray) -> Any:
    """Return the numbers of tokens, int32 (batch, places): 0 is padding, 1 unknown, then those of the vocabulary.

    Args:
        tokens: of texts.
        known: int64 (tokens,), by which the tokens of the vocabulary are known, in its order.
    """
    lookup = keras.layers.IntegerLookup(vocabulary=known.tolist(), mask_token=None, oov_token=_other_than(known))
    numbers = ops.cast(lookup(tokens.values), "int32") + (FIRST_TOKEN - 1)  # the layer gives 0 to what it lacks
    return ops.where(tokens.there, numbers, ops.zeros_like(numbers))


def _other_than(known: np.ndarray) -> int:
    """Return a number that no token of the vocabulary has, as Keras asks for one."""
    return next(number for number in range(-1, -2 - len(known), -1) if number not in known)


def bucket_graph(tokens: TokenGraph, buckets: int) -> Any:
    """Return the buckets of tokens, int32 (batch, places): 0 is padding, and the first bucket is 1; see `bucket_of`."""
    values = tokens.values
    mixed = ops.bitwise_xor(values, ops.right_shift(values, np.int64(32))) * MIXER
    mixed = ops.bitwise_xor(mixed, ops.right_shift(mixed, np.int64(32)))
    places = ops.cast(ops.mod(mixed, np.int64(buckets)), "int32") + 1
    return ops.where(tokens.there, places, ops.zeros_like(places))


def byte_graph(text: Any, most: int, length: int) -> Any:
    """Return the bytes of texts as numbers of tokens, int32 (batch, length); see `byte_tokens`."""
    table = np.concatenate([[[0, 0, 0, 0], [UNKNOWN_TOKEN, 0, 0, 0]], byte_table()]).astype(np.int32)
    numbers = ops.pad(_numbered(text, byte_characters(), most), [[0, 0], [0, length]])[:, :length]
    tokens = ops.reshape(ops.take(table, numbers, axis=0), (-1, length * table.shape[1]))
    place = ops.cumsum(ops.ones_like(tokens), axis=1)
    size = ops.sum(ops.ones_like(tokens), axis=1, keepdims=True)
    order = ops.argsort(place + ops.cast(ops.equal(tokens, PADDING), "int32") * size, axis=1)
    return ops.take_along_axis(tokens, order[:, :length], axis=1)
