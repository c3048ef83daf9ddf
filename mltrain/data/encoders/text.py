"""Texts as the numbers of their tokens, for an Embedding layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import Field, PrivateAttr

from mltrain.aligned import aligned_empty
from mltrain.data.encoders.column import Encoded, Fitted, OwnInputEncoder, RawColumn
from mltrain.data.encoders.free_text import FreeTextEncoder, absent_texts, training_texts, vocabulary_of, with_missing
from mltrain.data.texts.byte_tokens import BYTE_TOKENS, byte_lengths, byte_numbers
from mltrain.data.texts.characters import character_table
from mltrain.data.texts.settings import TextSettings
from mltrain.data.texts.tokens import Tokens
from mltrain.data.texts.vocabulary import FIRST_TOKEN, PADDING, UNKNOWN_TOKEN, CountedBlock, tokenised
from mltrain.task import Decision


class _Counted:
    """The tokens of texts that are not encoded yet. They make no two encoders different.

    Args:
        texts: the values of the column.
        blocks: their tokens.
    """

    def __init__(self, texts: object = None, blocks: Sequence[CountedBlock] = ()) -> None:
        self.texts = texts
        self.blocks = blocks

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Counted)

    __hash__ = None  # type: ignore[assignment]


class TokensEncoder(OwnInputEncoder, FreeTextEncoder):
    """The numbers of the first tokens of a text: 0 is padding, 1 an unknown token, then those of the vocabulary. A text
    without tokens, as a missing one, is one unknown token."""

    type: Literal["tokens"] = "tokens"
    length: Annotated[int, Field(ge=1)]
    """Tokens of each text."""
    # The tokens of the texts that it was fitted on, until these are encoded: to find them takes most of the time.
    _counted: _Counted = PrivateAttr(default_factory=_Counted)

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
        counted = self._counted
        if counted.blocks and counted.texts is column.values and self._ends_as_counted():
            self._counted = _Counted()
            values = self._of_counted(counted.blocks, len(texts))
        else:
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

    def _ends_as_counted(self) -> bool:
        """Return whether ASCII texts have the same tokens where all characters are known, as they were counted."""
        return np.array_equal(self.table.kinds[:128], character_table(self.rule, None).kinds[:128])

    def _of_counted(self, blocks: Sequence[CountedBlock], rows: int) -> np.ndarray:
        """Return what `_numbers` returns, from tokens that were counted."""
        values = aligned_empty((rows, self.length), np.int32)
        values[...] = PADDING
        place_of = self.places()
        for block in blocks:
            number_of = np.maximum(place_of(block.values) + FIRST_TOKEN, UNKNOWN_TOKEN).astype(np.int32)
            ends = np.cumsum(block.counts)
            # Where each token belongs, if texts had as many places as tokens.
            places = np.arange(len(block.numbers)) - np.repeat(ends - block.counts, block.counts)
            inside = places < self.length
            of_rows = np.repeat(np.arange(len(block.counts)), block.counts)
            flat = values[block.first_row : block.first_row + len(block.counts)].reshape(-1)
            flat[of_rows[inside] * self.length + places[inside]] = number_of[block.numbers[inside]]
        return values


def fit_tokens(column: RawColumn, settings: TextSettings) -> Fitted:
    """Return the encoder of a column of free text of the training rows as numbers of tokens.

    Raises:
        DataError: there are no texts or tokens, or a value is missing where that is an error.
    """
    texts, rule = training_texts(column, settings), settings.rule
    decisions: list[Decision] = []
    vocabulary: tuple[str, ...] = ()
    blocks: tuple[CountedBlock, ...] | None = None
    if rule.by == "bytes":
        lengths = byte_lengths(texts, rule.max_characters)
    else:
        vocabulary, counted, decision = vocabulary_of(column, texts, settings)
        lengths, blocks = counted.lengths, counted.blocks
        decisions.append(decision)
    length, decision = _length(column.name, lengths, settings)
    encoder = TokensEncoder(
        column=column.name, rule=rule, vocabulary=vocabulary, missing=settings.missing, length=length
    )
    fitted = with_missing(Fitted(encoder, (*decisions, decision)), texts)
    if blocks is not None:
        cast(TokensEncoder, fitted.encoder)._counted = _Counted(column.values, blocks)
    return fitted


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
