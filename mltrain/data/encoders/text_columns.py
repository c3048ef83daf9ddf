"""Texts as columns beside the numbers of a table: counts of tokens, TF-IDF, and hashed tokens."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from mltrain.data.encoders.column import Encoded, Fitted, RawColumn
from mltrain.data.encoders.free_text import FreeTextEncoder, absent_texts, training_texts, vocabulary_of, with_missing
from mltrain.data.texts.characters import CharacterTable, character_table
from mltrain.data.texts.settings import TextSettings
from mltrain.data.texts.tokens import Tokens, bucket_of
from mltrain.data.texts.vocabulary import letters_of, symbols_of, tokenised
from mltrain.spec import Many
from mltrain.task import Decision


class TextColumnsEncoder(FreeTextEncoder):
    """One column for each token of the vocabulary, or for each bucket of tokens."""

    type: Literal["bag_of_words", "tf_idf", "hashed"]
    weights: Many[float] = ()
    """What the count of each token of the vocabulary is multiplied by, in TF-IDF."""
    buckets: Annotated[int, Field(ge=0, le=65536)] = 0
    """How many buckets there are, where tokens are hashed."""
    letters: str = ""
    """Where tokens are hashed: what those of the training rows are written with. A letter beyond them is unknown."""

    @model_validator(mode="after")
    def _parts_fit(self) -> TextColumnsEncoder:
        expected = len(self.vocabulary) if self.type == "tf_idf" else 0
        if len(self.weights) != expected or (self.buckets > 0) != (self.type == "hashed"):
            raise ValueError("the weights or buckets are those of another encoding")
        return self

    @property
    def table(self) -> CharacterTable:
        """What each character does, where these tokens are known."""
        return character_table(self.rule, symbols_of((self.letters,) if self.type == "hashed" else self.vocabulary))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        names = [f"bucket {number}" for number in range(self.buckets)] if self.buckets else self.vocabulary
        return tuple(f"{self.column}={name}" for name in names)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, columns)."""
        texts = self.texts(column)
        width = len(self.names)
        values = np.zeros((len(texts), width), np.float32)
        place_of = self.places()

        def counted(tokens: Tokens) -> np.ndarray:
            places = bucket_of(tokens.values, self.buckets) if self.buckets else place_of(tokens.values)
            inside, rows = places >= 0, len(tokens.counts)
            counts = np.bincount(tokens.rows[inside] * width + places[inside], minlength=rows * width)
            return self._weighted(counts.reshape(rows, width)).astype(np.float32)

        for rows, found in tokenised(texts, self.rule, self.table, self.ngrams, counted):
            values[rows] = found
        absent = int(absent_texts(texts).sum())
        return Encoded(values, {self.column: absent} if absent else {}, {})

    def _weighted(self, counts: np.ndarray) -> np.ndarray:
        """Return counts (rows, columns) as they are, or weighted and divided by the length of each row."""
        if self.type == "bag_of_words":
            return counts
        weighted = counts * np.asarray(self.weights) if self.weights else counts.astype(np.float64)
        lengths = np.sqrt((weighted**2).sum(axis=1, keepdims=True))
        return weighted / np.where(lengths == 0, 1.0, lengths)


def fit_text_columns(column: RawColumn, settings: TextSettings) -> Fitted:
    """Return the encoder of a column of free text of the training rows as columns beside numbers.

    Raises:
        DataError: there are no texts or tokens, or a value is missing where that is an error.
    """
    texts, rule, ngrams = training_texts(column, settings), settings.rule, settings.ngrams
    if settings.encoding == "hashed":
        buckets = settings.buckets
        letters = letters_of(texts, rule)
        reason = f"tokens and runs of up to {ngrams} tokens" if ngrams > 1 else "each token has one of them"
        encoder = TextColumnsEncoder(
            type="hashed",
            column=column.name,
            rule=rule,
            ngrams=ngrams,
            vocabulary=(),
            missing=settings.missing,
            buckets=buckets,
            letters=letters,
        )
        said = Decision(f"features.{column.name}", f"{buckets:,} buckets of tokens", reason)
        return with_missing(Fitted(encoder, (said,)), texts)
    vocabulary, _, decision = vocabulary_of(column, texts, settings)
    encoder = TextColumnsEncoder(
        type="bag_of_words",
        column=column.name,
        rule=rule,
        ngrams=ngrams,
        vocabulary=vocabulary,
        missing=settings.missing,
    )
    if settings.encoding == "tf_idf":
        encoder = encoder.model_copy(update={"type": "tf_idf", "weights": tuple(_weights(encoder, texts).tolist())})
    return with_missing(Fitted(encoder, (decision,)), texts)


def _weights(encoder: TextColumnsEncoder, texts: pa.Array) -> np.ndarray:
    """Return ln((1 + n) / (1 + d)) + 1 of each token, where d of n texts have it: the smooth form of scikit-learn's
    TfidfTransformer."""
    having = np.zeros(len(encoder.vocabulary), np.int64)
    place_of = encoder.places()

    def counted(tokens: Tokens) -> np.ndarray:
        places = place_of(tokens.values)
        inside = places >= 0
        once = np.unique(tokens.rows[inside] * len(having) + places[inside])
        return np.bincount(once % len(having), minlength=len(having))

    for _, rows in tokenised(texts, encoder.rule, encoder.table, encoder.ngrams, counted):
        having += rows
    return np.log((1 + len(texts)) / (1 + having)) + 1
