"""Texts as the numbers of their tokens, for an Embedding layer."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from mltrain.aligned import aligned_empty
from mltrain.data.encoders.column import Encoded, Fitted, OwnInputEncoder, RawColumn
from mltrain.data.encoders.free_text import FreeTextEncoder, absent_texts, training_texts, vocabulary_of, with_missing
from mltrain.data.texts.byte_tokens import BYTE_TOKENS, byte_lengths, byte_numbers
from mltrain.data.texts.settings import TextSettings
from mltrain.data.texts.tokens import Tokens
from mltrain.data.texts.vocabulary import FIRST_TOKEN, PADDING, UNKNOWN_TOKEN, tokenised
from mltrain.task import Decision


class TokensEncoder(OwnInputEncoder, FreeTextEncoder):
    """The numbers of the first tokens of a text: 0 is padding, 1 an unknown token, then those of the vocabulary. A text
    without tokens, as a missing one, is one unknown token."""

    type: Literal["tokens"] = "tokens"
    length: Annotated[int, Field(ge=1)]
    """Tokens of each text."""

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """As many numbers as a text has places."""
        return (self.length,)

    @property
    def encoded_dtype(self) -> Literal["float32", "int32"]:
        """That of index numbers."""
        return "int32"

    @property
    def indices(self) -> int | None:
        """Padding, the unknown token and the known ones."""
        return BYTE_TOKENS if self.rule.by == "bytes" else FIRST_TOKEN + len(self.vocabulary)

    def encode(self, column: RawColumn) -> Encoded:
        """Return int32 (rows, length)."""
        texts = self.texts(column)
        absent = int(absent_texts(texts).sum())
        values = self._numbers(texts)
        # A text without tokens is one unknown token: the mean of no token, or attention to none, would be NaN.
        values[:, 0] = np.maximum(values[:, 0], UNKNOWN_TOKEN)
        return Encoded(values, {self.column: absent} if absent else {}, {})

    def _numbers(self, texts: pa.Array) -> np.ndarray:
        if self.rule.by == "bytes":
            return byte_numbers(texts, self.rule.max_characters, self.length)
        values = aligned_empty((len(texts), self.length), np.int32)
        values[...] = PADDING
        place_of = self.places()

        def numbered(tokens: Tokens) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            places = tokens.places
            inside = places < self.length
            known = place_of(tokens.values[inside])
            return tokens.rows[inside], places[inside], np.where(known < 0, UNKNOWN_TOKEN, known + FIRST_TOKEN)

        for rows, (row, place, number) in tokenised(texts, self.rule, self.table, 1, numbered):
            values[rows][row, place] = number
        return values


def fit_tokens(column: RawColumn, settings: TextSettings) -> Fitted:
    """Return the encoder of a column of free text of the training rows as numbers of tokens.

    Raises:
        DataError: there are no texts or tokens, or a value is missing where that is an error.
    """
    texts, rule = training_texts(column, settings), settings.rule
    decisions: list[Decision] = []
    vocabulary: tuple[str, ...] = ()
    if rule.by == "bytes":
        lengths = byte_lengths(texts, rule.max_characters)
    else:
        vocabulary, counted, decision = vocabulary_of(column, texts, settings)
        lengths = counted.lengths
        decisions.append(decision)
    length, decision = _length(column.name, lengths, settings)
    encoder = TokensEncoder(
        column=column.name, rule=rule, vocabulary=vocabulary, missing=settings.missing, length=length
    )
    return with_missing(Fitted(encoder, (*decisions, decision)), texts)


def _length(name: str, lengths: np.ndarray, settings: TextSettings) -> tuple[int, Decision]:
    """Return how many tokens of each text are taken, and what is said of it."""
    length, why = settings.length, "as stated"
    if length is None:
        length = max(1, int(np.ceil(np.quantile(lengths, settings.quantile, method="inverted_cdf"))))
        why = f"{100 * settings.quantile:.4g} % of the training rows are not longer"
        if length > settings.longest:
            why = f"{why} than {length:,}, which is limited (state data.features.{name}.length for more)"
            length = settings.longest
    cut = lengths > length
    reason = f"{why}; {cut.mean():.1%} of the training rows are cut, the longest has {lengths.max():,}"
    return length, Decision(f"features.{name}", f"{length:,} {settings.rule.by} of each text", reason)
