"""A hash of 64 bits for each row of a table: equal rows are found by it without another copy of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.table import Column, FileImages, Table
from mltrain.data.texts.characters import TokenRule, character_table
from mltrain.data.texts.tokens import characters_of, tokens_of

# Words that are mixed at a time: they stay in the cache of a core.
_AT_ONCE = 1 << 15
# Rows and positions from which it is estimated how often two rows agree by chance.
_SAMPLED_ROWS, _SAMPLED_WORDS = 2_000, 512
_NEVER = 1e-15
# Texts of which fewer are different are a choice among some sentences, and their words do not tell how often one comes.
_DIFFERENT = 0.5
# So many characters of a text are looked at to estimate how often two texts agree.
_SAMPLED_CHARACTERS = 4_096
# What stands for a missing value: a number that no column holds but by a chance of 1 in 2**64.
_MISSING = -0x61C8864680B583EB
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class RowHashes:
    """Hashes of all rows, `(rows,)` uint64.

    Two rows that differ have the same one in 1 of 10**19 cases, and for a finding that is as good as never. A row in
    which every feature is missing has one of its own: nothing is no copy of nothing.

    Attributes:
        inputs: of the features.
        examples: of features and target.
        agreement: how likely two rows agree in all features, if the features were independent.
    """

    inputs: np.ndarray
    examples: np.ndarray
    agreement: float


def row_hashes(
    table: Table,
    features: Iterable[str],
    truth: np.ndarray,
    rules: Mapping[str, TokenRule] = MappingProxyType({}),
) -> RowHashes:
    """Return the hashes of the rows of a table; one column after the other.

    Args:
        table: all rows, as they were read.
        features: the columns that count.
        truth: the target (rows,), or several (rows, targets): numbers.
        rules: how texts become tokens, by the name of a column of free text.
    """
    inputs, empty = np.zeros(len(table), np.uint64), np.ones(len(table), bool)
    agreement = all_missing = 1.0
    # Drawn: in a file that has an order, rows at equal distances could be of one kind.
    sampled = np.random.default_rng(0).choice(len(table), min(_SAMPLED_ROWS, len(table)), replace=False, shuffle=False)
    for place, name in enumerate(features):
        read = table.columns[name]
        column, missing = _numbered(read), _missing(read, table.images.get(name))
        _add(inputs, column, place)
        empty &= missing
        if agreement > _NEVER:
            there, share = sampled[~missing[sampled]], float(missing.mean())
            if name in rules and _are_different(read):
                words = _token_words(_taken(read, there), rules[name])
            else:
                words = _words(_taken(column, there))
            agreement *= share**2 + (1 - share) ** 2 * _agreement(words)
            all_missing *= share**2
    inputs[empty] = _mixed(np.arange(int(empty.sum()), dtype=np.uint64) * _GOLDEN)
    examples = inputs.copy()
    _add(examples, truth, -1)
    return RowHashes(inputs, examples, max(agreement - all_missing, 0.0))


def _missing(column: Column, images: FileImages | None) -> np.ndarray:
    """Return whether each row has no value, (rows,)."""
    if isinstance(column, np.ndarray):
        return images.blank if images is not None else np.zeros(len(column), bool)
    return np.asarray(pc.is_null(column))


def _taken(column: Column, rows: np.ndarray) -> Column:
    return column[rows] if isinstance(column, np.ndarray) else column.take(pa.array(rows))


def _are_different(texts: Column) -> bool:
    """Return whether most of the texts stand there once."""
    if isinstance(texts, np.ndarray) or not pa.types.is_string(texts.type):
        return False
    return bool(pc.count_distinct(texts).as_py() >= _DIFFERENT * (len(texts) - texts.null_count))


def _token_words(texts: pa.Array, rule: TokenRule) -> np.ndarray:
    """Return the first tokens of texts as numbers, uint64 (rows, places), 0 after the last.

    A copy of a text must not count as chance. How often two texts agree is taken from their tokens, each place as
    independent of the others, as the pixels of an image are.
    """
    if rule.by == "bytes":
        rule = rule.model_copy(update={"by": "characters"})
    table, words = character_table(rule, None), np.zeros((len(texts), _SAMPLED_WORDS), np.int64)
    for characters in characters_of(texts, min(rule.max_characters, _SAMPLED_CHARACTERS)):
        tokens = tokens_of(characters, table)
        inside = tokens.places < _SAMPLED_WORDS
        words[characters.first_row + tokens.rows[inside], tokens.places[inside]] = tokens.values[inside]
    return words.view(np.uint64)


def _numbered(column: Column) -> Column:
    """Return a column with a number in place of each text: equal texts have equal ones; of a struct, that of each of
    its fields (rows, fields)."""
    if not isinstance(column, np.ndarray) and pa.types.is_struct(column.type):
        fields = [_numbered(column.field(number)) for number in range(column.type.num_fields)]
        return np.concatenate([_words(field) for field in fields], axis=1)
    if isinstance(column, np.ndarray) or not pa.types.is_string(column.type):
        return column
    return column.dictionary_encode().indices


def _add(hashes: np.ndarray, column: Column, place: int) -> None:
    """Add to the hashes what a column says: a sum of mixed words, each by a key of its own (Zobrist, 1970)."""
    width = _words(column[:1]).shape[1]
    keys = _mixed(np.arange(1, width + 1, dtype=np.uint64) * _GOLDEN + np.array([place], np.int64).view(np.uint64))
    step = max(_AT_ONCE // width, 1)
    for first in range(0, len(hashes), step):
        part = slice(first, first + step)
        hashes[part] += _mixed(_words(column[part]) + keys).sum(axis=1, dtype=np.uint64)


def _words(values: Column) -> np.ndarray:
    """Return the values as bits, uint64 (rows, words): equal where the values are."""
    if isinstance(values, np.ndarray):
        flat = np.ascontiguousarray(values).reshape(len(values), -1)
        flat = flat + flat.dtype.type(0) if flat.dtype.kind == "f" else flat  # -0.0 becomes 0.0
        data = flat.view(np.uint8)
        return np.pad(data, ((0, 0), (0, -data.shape[1] % 8))).view(np.uint64) if data.shape[1] % 8 else data.view("u8")
    if pa.types.is_floating(values.type):
        numbers: np.ndarray = values.to_numpy(zero_copy_only=False) + 0.0
        return numbers.view(np.uint64)[:, None]
    whole: np.ndarray = pc.fill_null(values.cast(pa.int64()), _MISSING).to_numpy()
    return whole.view(np.uint64)[:, None]


def _mixed(words: np.ndarray) -> np.ndarray:
    """Return words of which each bit depends on all: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def _agreement(words: np.ndarray) -> float:
    """Return how likely two rows have the same words (rows, words), each taken as independent of the others."""
    rows, width = words.shape
    if rows < 2:
        return 1.0
    product = 1.0
    for place in range(0, width, -(-width // _SAMPLED_WORDS)):
        counts = np.unique(words[:, place], return_counts=True)[1]
        product *= float((counts * (counts - 1)).sum()) / (rows * (rows - 1))
        if product < _NEVER:
            break
    return product
