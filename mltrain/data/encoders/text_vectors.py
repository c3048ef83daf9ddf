"""The vectors of a text's vocabulary, from a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import Encoder
from mltrain.data.encoders.text import TokensEncoder
from mltrain.data.features.word_vectors import WordVectors
from mltrain.data.texts.characters import character_table
from mltrain.data.texts.tokens import Characters, of_blocks, tokens_of
from mltrain.data.texts.vector_files import FoundVectors, LookUp, OtherWidthError, read_vectors
from mltrain.data.texts.vocabulary import FIRST_TOKEN, PADDING, symbols_of
from mltrain.errors import DataError, MisfitError
from mltrain.problems import printable


@dataclass(frozen=True)
class TokenVectors:
    """The vectors with which some tokens of a text begin.

    Attributes:
        numbers: (found,) int64: of the tokens.
        values: (found, width) float32.
        found: as it was read.
        words: how many words the vocabulary has.
        share: which share of the tokens of the training rows has a vector; padding does not count.
    """

    numbers: np.ndarray
    values: np.ndarray
    found: FoundVectors
    words: int
    share: float


def token_vectors(encoder: Encoder, vectors: WordVectors, width: int, train: np.ndarray) -> TokenVectors:
    """Return the vectors of the tokens of a text.

    Args:
        encoder: of the text, as numbers of tokens.
        vectors: where they are.
        width: of the layer that looks the tokens up.
        train: the encoded training rows, int32 (rows, length).

    Raises:
        DataError: a file is not there or not readable, or has no word of the vocabulary.
        MisfitError: the vectors have another width than the layer.
    """
    if not isinstance(encoder, TokensEncoder):
        raise TypeError(f"'{encoder.column}' is not encoded as numbers of tokens")
    path = ("data", "features", encoder.column, "vectors")
    try:
        found = read_vectors(vectors.file, vectors.words, _look_up(encoder), width)
    except OtherWidthError as error:
        message = f"its vectors have {error} numbers each, and the layer that looks up '{encoder.column}' has {width}"
        advice = f"set its width (`width` of a model or an encoder, `output_dim` of an Embedding) to {error}"
        raise MisfitError((*path, "file"), f"{message}: {advice}") from error
    words = len(encoder.vocabulary)
    if not len(found.places):
        name = printable(vectors.file.name)
        raise DataError(f"{name}: none of the {words:,} words of '{encoder.column}' is in it; is it of this language?")
    has_vector = np.zeros(FIRST_TOKEN + words, bool)
    has_vector[found.places + FIRST_TOKEN] = True
    share = float(has_vector[train].sum() / max((train != PADDING).sum(), 1))
    return TokenVectors(found.places + FIRST_TOKEN, found.values, found, words, share)


def _look_up(encoder: TokensEncoder) -> LookUp:
    """Return what finds words in the vocabulary: those that the rule of the texts makes one token of, from their first
    character to their last. `</s>` is not the word `s`."""
    table, place_of = character_table(encoder.rule, symbols_of(encoder.vocabulary)), encoder.places()

    def of_block(characters: Characters) -> np.ndarray:
        tokens = tokens_of(characters, table)
        first = np.cumsum(tokens.counts) - tokens.counts
        places = np.full(len(tokens.counts), -1, np.int64)
        single = np.flatnonzero(tokens.counts == 1)
        chosen = first[single]
        begin, end = characters.bounds[:-1][single], characters.bounds[1:][single]
        whole = (tokens.starts[chosen] == begin) & (tokens.ends[chosen] == end - 1)
        places[single[whole]] = place_of(tokens.values[chosen[whole]])
        return places

    def look_up(words: pa.Array) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.int64), *of_blocks(words, encoder.rule.max_characters, of_block)])

    return look_up
