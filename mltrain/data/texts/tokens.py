"""Texts to tokens with NumPy: all characters of many texts at once, in blocks that fit a processor's cache."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeVar

import numpy as np
import pyarrow as pa

from mltrain.data.texts.characters import (
    ALONE,
    BASE,
    INVERSE,
    JOINS,
    LEFT_OUT,
    SEPARATES,
    UNKNOWN,
    WORD,
    CharacterTable,
)

# Bytes of texts that are looked at together.
BLOCK = 1 << 18
_WORKERS = min(os.cpu_count() or 1, 8)
T = TypeVar("T")
# The tokens of an n-gram are joined by powers of this odd constant.
PAIR = 0xD6E8FEB86659FD93
# By which the digits of a value are mixed before it gets a bucket.
MIXER = np.int64(0x2545F4914F6CDD1D)


@dataclass(frozen=True)
class Characters:
    """The characters of some texts, one after the other.

    Attributes:
        first_row: the number of the first text.
        codes: (characters,) uint8 or uint32: their code points, UNKNOWN at most.
        bounds: (rows + 1,) int64: where each text begins, and the last one ends.
    """

    first_row: int
    codes: np.ndarray
    bounds: np.ndarray


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts, one after the other.

    Attributes:
        values: (tokens,) int64: the numbers that know them.
        starts: (tokens,) int64: the place of the first character of each in `Characters.codes`.
        ends: (tokens,) int64: the place of the last one.
        counts: (rows,) int64: tokens of each text.
    """

    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    counts: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The text of each token, (tokens,) int64, from 0."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def places(self) -> np.ndarray:
        """The place of each token in its text, (tokens,) int64, from 0."""
        return np.arange(len(self.values)) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)


def characters_of(texts: pa.Array, most: int) -> Iterator[Characters]:
    """Yield the characters of texts in blocks of whole texts.

    Args:
        texts: (rows,) without nulls.
        most: so many characters of each text are read.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    offsets = np.frombuffer(texts.buffers()[1] or bytes(4), np.int32)[texts.offset : texts.offset + len(texts) + 1]
    offsets = offsets.astype(np.int64)
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(offsets, offsets[first] + BLOCK, side="right")) - 1
        last = min(max(last, first + 1), len(texts))
        block, bounds = data[offsets[first] : offsets[last]], offsets[first : last + 1] - offsets[first]
        codes: np.ndarray = block
        if block.size and block.max() >= 0x80:
            codes = np.minimum(np.frombuffer(block.tobytes().decode().encode("utf-32-le"), np.uint32), UNKNOWN)
            # Of the bytes of a character all but the first have the form 10xxxxxx.
            begins = np.concatenate([[0], np.cumsum((block & 0xC0) != 0x80)])
            bounds = begins[bounds]
        yield Characters(first, *_shortened(codes, bounds, most))
        first = last


def of_blocks(texts: pa.Array, most: int, work: Callable[[Characters], T]) -> Iterator[T]:
    """Yield what `work` makes of the characters of each block, in the order of the blocks; several are worked on at the
    same time, since NumPy and pyarrow let other threads run. Arguments and errors as for `characters_of`."""
    blocks = characters_of(texts, most)
    first = list(islice(blocks, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: deque[Future[T]] = deque()
        for block in chain(first, blocks):
            waiting.append(pool.submit(work, block))
            if len(waiting) > 2 * _WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _shortened(codes: np.ndarray, bounds: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and bounds with no more than `most` characters of each text."""
    lengths = np.diff(bounds)
    if not len(lengths) or lengths.max() <= most:
        return codes, bounds
    kept = np.minimum(lengths, most)
    inside = np.arange(len(codes)) - np.repeat(bounds[:-1], lengths) < np.repeat(kept, lengths)
    return codes[inside], np.concatenate([[0], np.cumsum(kept)])


def tokens_of(characters: Characters, table: CharacterTable) -> Tokens:
    """Return the tokens of texts."""
    codes, bounds = characters.codes, characters.bounds
    kinds = _kinds(codes, table)
    left_out = kinds == LEFT_OUT
    kept = None
    if left_out.any():
        kept = np.flatnonzero(~left_out)
        bounds = np.searchsorted(kept, bounds)
        codes, kinds = codes[kept], kinds[kept]
    if not len(codes):
        none = np.zeros(0, np.int64)
        return Tokens(none, none, none, np.zeros(len(bounds) - 1, np.int64))

    begins, ends = _begin_and_end(kinds, bounds)
    starts, ends = np.flatnonzero(begins), np.flatnonzero(ends)
    values = _values(codes, starts, ends, table)
    counts = np.diff(np.searchsorted(starts, bounds))
    return Tokens(values, *((starts, ends) if kept is None else (kept[starts], kept[ends])), counts)


def _kinds(codes: np.ndarray, table: CharacterTable) -> np.ndarray:
    """Return the kind of each character, uint8."""
    if codes.dtype != np.uint8:
        return table.kinds[codes]
    # Of bytes this is several times as fast as an index.
    return np.frombuffer(codes.tobytes().translate(table.kinds[:256].tobytes()), np.uint8)


def _begin_and_end(kinds: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each character is the first of a token, and whether it is the last."""
    first, last = bounds[:-1], bounds[1:] - 1
    first, last = first[first <= last], last[first <= last]
    separates, word, joins = kinds == SEPARATES, kinds == WORD, kinds == JOINS
    before_separates, before_word = np.empty_like(word), np.empty_like(word)
    before_separates[1:], before_word[1:] = separates[:-1], word[:-1]
    before_separates[first], before_word[first] = True, False
    begins = (kinds == ALONE) | (word & ~before_word) | (joins & before_separates)
    ends = np.empty_like(begins)
    ends[:-1] = begins[1:] | separates[1:]
    ends[last] = True
    return begins, ends & ~separates


def _values(codes: np.ndarray, starts: np.ndarray, ends: np.ndarray, table: CharacterTable) -> np.ndarray:
    """Return the numbers of tokens whose first and last characters are at `starts` and `ends`."""
    written = np.take(table.values, codes, mode="clip")
    if codes.dtype == np.uint8 and (table.lengths[:128] == 1).all():
        powers, inverses = _POWERS.of(len(codes))
    else:
        lengths = table.lengths[codes].astype(np.int64)
        places = np.cumsum(lengths) - lengths
        powers, inverses = (each[places] for each in _POWERS.of(int(places[-1]) + 1))
    written = written * powers
    sums = np.cumsum(written)
    return ((sums[ends] - sums[starts] + written[starts]) * inverses[starts]).view(np.int64)


class _Powers:
    """Powers of BASE and of its inverse, modulo 2^64, as many as were needed so far."""

    def __init__(self) -> None:
        self._powers = self._inverses = np.ones(1, np.uint64)

    def of(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return BASE^0, BASE^1, … and the same of its inverse, uint64 (count,) each."""
        if len(self._powers) < count:
            size = max(count, BLOCK)
            self._powers, self._inverses = (_powers_of(base, size) for base in (BASE, INVERSE))
        return self._powers[:count], self._inverses[:count]


def _powers_of(base: int, count: int) -> np.ndarray:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


_POWERS = _Powers()


def with_ngrams(tokens: Tokens, longest: int) -> Tokens:
    """Return the tokens of texts and all runs of up to `longest` tokens: all single ones of a text, all pairs, …"""
    if longest == 1:
        return tokens
    left = np.repeat(np.cumsum(tokens.counts), tokens.counts) - np.arange(len(tokens.values))  # up to the text's end
    values, all_values, all_starts, all_ends, all_rows = tokens.values, [], [], [], []
    rows = tokens.rows
    for size in range(1, longest + 1):
        if size > 1:
            values = values[: len(values) - 1] + tokens.values[size - 1 :] * ngram_factor(size)
        whole = np.flatnonzero(left[: len(values)] >= size)
        all_values.append(values[whole])
        all_starts.append(tokens.starts[whole])
        all_ends.append(tokens.ends[whole + size - 1])
        all_rows.append(rows[whole])
    joined = np.concatenate(all_rows)
    order = np.argsort(joined, kind="stable")
    counts = np.bincount(joined, minlength=len(tokens.counts))
    values, starts, ends = (np.concatenate(each)[order] for each in (all_values, all_starts, all_ends))
    return Tokens(values, starts, ends, counts)


def ngram_factor(size: int) -> np.int64:
    """Return what the value of the last token of a run of `size` tokens is multiplied by."""
    return np.uint64(pow(PAIR, size - 1, 1 << 64)).astype(np.int64)


def bucket_of(values: np.ndarray, buckets: int) -> np.ndarray:
    """Return the bucket of tokens, int64 (tokens,); `values` know them. Low digits of a value depend on few letters,
    so high ones are mixed in."""
    mixed = (values ^ (values >> 32)) * MIXER
    return (mixed ^ (mixed >> 32)) % buckets


def written(characters: Characters, starts: np.ndarray, ends: np.ndarray, symbols: np.ndarray) -> pa.Array:
    """Return what the characters from `starts` to `ends` write, as text (tokens,).

    Args:
        characters: of texts.
        starts, ends: (tokens,) the places of the first and last characters.
        symbols: of each character, uint32 (UNKNOWN + 1, symbols); zeros are none.
    """
    lengths = ends - starts + 1
    places = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    codes = characters.codes[places]
    rows = symbols[codes]
    is_symbol = rows > 0
    per_token = np.add.reduceat(is_symbol.sum(axis=1), np.cumsum(lengths) - lengths) if len(lengths) else lengths
    text = rows[is_symbol]
    sizes = 1 + (text >= 0x80) + (text >= 0x800) + (text >= 0x10000)
    ends_in_bytes = np.concatenate([[0], np.cumsum(sizes)])[np.concatenate([[0], np.cumsum(per_token)])]
    data = text.astype("<u4").tobytes().decode("utf-32-le").encode()
    return pa.LargeStringArray.from_buffers(
        len(lengths), pa.py_buffer(ends_in_bytes.astype(np.int64)), pa.py_buffer(data)
    )
