"""The tokens of the training rows: counted, chosen and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.texts.characters import (
    LEFT_OUT,
    SEPARATES,
    UNKNOWN,
    CharacterTable,
    TokenRule,
    character_table,
    written_symbols,
)
from mltrain.data.texts.tokens import Characters, Tokens, characters_of, of_blocks, tokens_of, with_ngrams, written

# The numbers of tokens: 0 fills up a text, 1 is any unknown token, and the known ones follow.
PADDING, UNKNOWN_TOKEN, FIRST_TOKEN = 0, 1, 2
# Tokens of training rows that are kept until the rows are encoded, so that they are not found twice; 128 MB.
_MOST_KEPT = 1 << 25
T = TypeVar("T")


@dataclass(frozen=True)
class CountedBlock:
    """The tokens of a block of texts, one after the other.

    Attributes:
        first_row: the number of the first text.
        counts: (rows,) int64: tokens of each text.
        values: the numbers that know the different tokens, int64.
        numbers: (tokens,) int32, the place of each token among `values`.
    """

    first_row: int
    counts: np.ndarray
    values: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Counted:
    """The tokens of some texts.

    Attributes:
        values: (tokens,) int64, the numbers that know the different tokens.
        counts: (tokens,) int64, how often each occurs.
        rows, starts, ends: (tokens,) int64: the text where each occurs first, and the places of its first and last
            characters there.
        lengths: (rows,) int64: tokens of each text, n-grams not counted.
        blocks: all of them in their order; None where they are too many to keep, have n-grams, or are not all ASCII.
    """

    values: np.ndarray
    counts: np.ndarray
    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray
    blocks: tuple[CountedBlock, ...] | None = None


def tokenised(
    texts: pa.Array, rule: TokenRule, table: CharacterTable, longest: int, work: Callable[[Tokens], T]
) -> Iterator[tuple[slice, T]]:
    """Yield the rows of each block of texts, and what `work` makes of their tokens.

    Args:
        texts: (rows,) without nulls.
        rule: how they become tokens.
        table: what each character does.
        longest: runs of up to so many tokens count as tokens.
        work: for several blocks at the same time.
    """

    def of_block(characters: Characters) -> tuple[slice, T]:
        tokens = with_ngrams(tokens_of(characters, table), longest)
        rows = slice(characters.first_row, characters.first_row + len(tokens.counts))
        return rows, work(tokens)

    return of_blocks(texts, rule.max_characters, of_block)


def count_tokens(texts: pa.Array, rule: TokenRule, longest: int) -> Counted:
    """Return the tokens of texts, and runs of up to `longest` tokens, with their counts."""
    table = character_table(rule, None)
    unknown = table.is_unknown

    def of_block(characters: Characters) -> tuple[np.ndarray, tuple[np.ndarray, ...], CountedBlock | None]:
        tokens = tokens_of(characters, table)
        counted = _of_known(characters, with_ngrams(tokens, longest), unknown)
        different, numbers = _different(characters, counted)
        # Of other scripts, where a token ends follows from which characters the vocabulary has.
        ascii_only = counted is tokens and characters.codes.dtype == np.uint8
        kept = CountedBlock(characters.first_row, tokens.counts, different[0], numbers) if ascii_only else None
        return tokens.counts, different, kept

    blocks = list(of_blocks(texts, rule.max_characters, of_block))
    lengths, found = [np.zeros(0, np.int64), *(counts for counts, *_ in blocks)], [each for _, each, _ in blocks]
    kept = [each for *_, each in blocks if each is not None]
    all_kept = len(kept) == len(blocks) and sum(len(each.numbers) for each in kept) <= _MOST_KEPT
    values, counts, rows, starts, ends = (
        (np.concatenate(each) for each in zip(*found, strict=True) if found) if found else [np.zeros(0, np.int64)] * 5
    )
    different, first, place = np.unique(values, return_index=True, return_inverse=True)
    total = np.bincount(place, counts, len(different)).astype(np.int64)
    return Counted(
        *(different, total, rows[first], starts[first], ends[first], np.concatenate(lengths)),
        blocks=tuple(kept) if all_kept else None,
    )


def _of_known(characters: Characters, tokens: Tokens, is_unknown: np.ndarray) -> Tokens:
    """Return tokens without those that have an unknown character: it could be any, so they have no name."""
    if characters.codes.dtype == np.uint8 and 0 not in characters.codes.tobytes():
        return tokens  # of ASCII only the null is unknown
    unknown = is_unknown[characters.codes]
    if not unknown.any():
        return tokens
    before = np.concatenate([[0], np.cumsum(unknown)])
    known = before[tokens.ends + 1] == before[tokens.starts]
    counts = np.bincount(tokens.rows[known], minlength=len(tokens.counts))
    return Tokens(tokens.values[known], tokens.starts[known], tokens.ends[known], counts)


def _different(characters: Characters, tokens: Tokens) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return the values, counts, rows, starts and ends of the different tokens of a block, and the place of each token
    among them."""
    encoded = pa.array(tokens.values).dictionary_encode()
    place = encoded.indices.to_numpy()
    values = encoded.dictionary.to_numpy()
    first = np.empty(len(values), np.int64)
    first[place[::-1]] = np.arange(len(place))[::-1]  # of a place that is written several times the last one stays
    rows = tokens.rows[first]
    begins = characters.bounds[rows]
    counts = np.bincount(place, minlength=len(values))
    found = values, counts, rows + characters.first_row, tokens.starts[first] - begins, tokens.ends[first] - begins
    return found, place


def choose_tokens(texts: pa.Array, counted: Counted, rule: TokenRule, most: int | None, min_count: int) -> list[str]:
    """Return the tokens of a vocabulary: the most frequent first, those of one count in the order of their bytes.

    Args:
        texts: the training rows.
        counted: their tokens.
        rule: how they were found.
        most: so many at most; None takes all.
        min_count: a token that occurs less often is left out.
    """
    chosen = np.flatnonzero(counted.counts >= min_count)
    if most is not None and len(chosen) > most:
        # Those of the count at the limit are all written down, since their bytes decide.
        limit = np.partition(counted.counts[chosen], -most)[-most]
        chosen = chosen[counted.counts[chosen] >= limit]
    names = _names(texts, counted, chosen, rule)
    order = pc.sort_indices(
        pa.table({"times": counted.counts[chosen], "name": names}),
        sort_keys=[("times", "descending"), ("name", "ascending")],
    )
    return names.take(order[:most] if most is not None else order).to_pylist()


def _names(texts: pa.Array, counted: Counted, chosen: np.ndarray, rule: TokenRule) -> pa.Array:
    """Return the chosen tokens as texts, in the order of `chosen`. Accents are characters of their own in them: to
    compose them could change their order, and so the token."""
    symbols = written_symbols(rule).copy()
    kinds = character_table(rule, None).kinds
    symbols[kinds == LEFT_OUT] = 0
    symbols[kinds == SEPARATES] = [ord(" "), 0, 0, 0]
    rows, place = np.unique(counted.rows[chosen], return_inverse=True)
    parts, order = [pa.array([], pa.large_string())], [np.zeros(0, np.int64)]
    for characters in characters_of(texts.take(pa.array(rows)), rule.max_characters):
        last = characters.first_row + len(characters.bounds) - 1
        here = np.flatnonzero((place >= characters.first_row) & (place < last))
        begins = characters.bounds[place[here] - characters.first_row]
        starts, ends = counted.starts[chosen[here]] + begins, counted.ends[chosen[here]] + begins
        parts.append(written(characters, starts, ends, symbols))
        order.append(here)
    names = pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(order))))
    if rule.by == "words":
        names = pc.replace_substring_regex(names, " +", " ")  # between the words of an n-gram
    return names


def symbols_of(tokens: tuple[str, ...]) -> frozenset[int]:
    """Return what tokens are written with, as code points."""
    return frozenset(map(ord, set("".join(tokens))))


def values_of(vocabulary: tuple[str, ...], rule: TokenRule, longest: int) -> np.ndarray:
    """Return the values by which tokens are known, int64 (tokens,).

    Raises:
        ValueError: one of them is no token, nor a run of up to `longest` tokens.
    """
    table, values = character_table(rule, symbols_of(vocabulary)), [np.zeros(0, np.int64)]
    # Not cut: an n-gram may have more characters than are read of a text that has ends of words left out.
    for characters in characters_of(pa.array(vocabulary, pa.string()), 1 << 30):
        tokens = tokens_of(characters, table)
        if (tokens.counts < 1).any() or (tokens.counts > longest).any():
            raise ValueError("the vocabulary has a text that is no token")
        runs = with_ngrams(tokens, longest)
        values.append(runs.values[np.cumsum(runs.counts) - 1])  # the longest run of a text is its last
    return np.concatenate(values)


def letters_of(texts: pa.Array, rule: TokenRule) -> str:
    """Return what the tokens of texts are written with, in the order of the code points."""
    seen, table, symbols = np.zeros(UNKNOWN + 1, bool), character_table(rule, None), written_symbols(rule)
    for characters in characters_of(texts, rule.max_characters):
        seen[characters.codes] = True
    silent = (table.kinds == SEPARATES) | (table.kinds == LEFT_OUT)
    found = np.unique(symbols[seen & ~silent & ~table.is_unknown])
    return "".join(chr(code) for code in found if code)
