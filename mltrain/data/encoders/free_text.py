"""What all encoders of free text share: how a text becomes tokens, and which of them are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.data.encoders.column import ColumnEncoder, Encoder, Fitted, RawColumn, RawInput, Watched, is_text
from mltrain.data.encoders.number import missing_error
from mltrain.data.encoders.texts import texts_of
from mltrain.data.texts.byte_tokens import byte_lengths
from mltrain.data.texts.characters import CharacterTable, TokenRule, character_table
from mltrain.data.texts.settings import TextSettings
from mltrain.data.texts.tokens import Tokens
from mltrain.data.texts.vocabulary import Counted, choose_tokens, count_tokens, symbols_of, tokenised, values_of
from mltrain.spec import Many
from mltrain.task import Decision


class FreeTextEncoder(ColumnEncoder):
    """What the encoders of free text share: how a text becomes tokens, and which of them are known."""

    column: str
    """Name of the raw column."""
    rule: TokenRule
    """How a text becomes tokens."""
    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    """Runs up to this number of tokens count as tokens."""
    vocabulary: Many[str]
    """The known tokens: the most frequent of the training rows first, those of one count in the order of their bytes.
    Empty where tokens are bytes, or hashed."""
    missing: Literal["blank", "error"]
    """What happens to a missing value."""
    had_missing: bool = False
    """Whether training rows had missing values."""

    @model_validator(mode="after")
    def _tokens_differ(self) -> FreeTextEncoder:
        if len(set(self.known.tolist())) != len(self.vocabulary):
            raise ValueError("the vocabulary has a token twice, or a text that is not a token")
        return self

    @property
    def table(self) -> CharacterTable:
        """What each character does, where these tokens are known."""
        return character_table(self.rule, symbols_of(self.vocabulary))

    @property
    def known(self) -> np.ndarray:
        """The values by which the tokens of the vocabulary are known, int64 (tokens,)."""
        return _known(self.rule, self.ngrams, self.vocabulary)

    @property
    def expects_missing(self) -> bool:
        """Whether training rows had missing texts; each is one without tokens."""
        return self.had_missing

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """The number of tokens of each text, and the share of them that is unknown."""
        names = [f"tokens of {self.column}"]
        if self.vocabulary:
            names.append(share_of_unknown(self.column))
        return tuple((name, "number") for name in names)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the number of tokens, NaN where the text is missing; and the share, NaN where there are none."""
        texts = self.texts(column)
        counts, known = np.zeros(len(texts)), np.zeros(len(texts))
        if self.rule.by == "bytes":
            counts += byte_lengths(texts, self.rule.max_characters)
        else:
            place_of = self.places()

            def counted(tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
                known = tokens.rows[place_of(tokens.values) >= 0]
                return tokens.counts, np.bincount(known, minlength=len(tokens.counts))

            for rows, found in tokenised(texts, self.rule, self.table, 1, counted):
                counts[rows], known[rows] = found
        yield np.where(absent_texts(texts), np.nan, counts)
        if self.vocabulary:
            with np.errstate(invalid="ignore"):
                yield 1 - known / counts

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return text."""
        return {self.column: AS_WRITTEN}

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """One text, empty where missing."""
        return (RawInput(self.column, "string", (1,)),)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return the texts as objects (rows, 1), empty where missing."""
        return (free_texts_of(column).to_numpy(zero_copy_only=False)[:, None],)

    def texts(self, column: RawColumn) -> pa.Array:
        """Return the texts (rows,), empty where missing.

        Raises:
            DataError: a value is missing where that is an error, or is no text.
        """
        texts = free_texts_of(column)
        if self.missing == "error" and absent_texts(texts).any():
            raise missing_error(column, absent_texts(texts))
        return texts

    def places(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return what gives the places of tokens in the vocabulary, int64 (tokens,), -1 for unknown ones; it takes the
        values that know them."""
        known = pa.array(self.known)

        def places(values: np.ndarray) -> np.ndarray:
            return pc.fill_null(pc.index_in(pa.array(values), value_set=known), -1).to_numpy().astype(np.int64)

        return places


@lru_cache(maxsize=16)
def _known(rule: TokenRule, ngrams: int, vocabulary: tuple[str, ...]) -> np.ndarray:
    return values_of(vocabulary, rule, ngrams)


def share_of_unknown(column: str) -> str:
    """Return the name of the share of unknown tokens in the texts of a column."""
    return f"share of unknown tokens of {column}"


def absent_texts(texts: pa.Array) -> np.ndarray:
    """Return whether each text is missing, (rows,) bool."""
    return pc.equal(texts, "").to_numpy(zero_copy_only=False)


def free_texts_of(column: RawColumn) -> pa.Array:
    """Return a column as text (rows,), empty where missing; raises as `texts_of`."""
    values = column.values
    if isinstance(values, np.ndarray) or not is_text(values.type):
        return texts_of(column)
    return pc.fill_null(pc.cast(values, pa.string()), "")  # none of it is a number that is written in two ways


def training_texts(column: RawColumn, settings: TextSettings) -> pa.Array:
    """Return the texts of the training rows, empty where missing.

    Raises:
        DataError: no row has a text, or one is missing where that is an error.
    """
    texts = free_texts_of(column)
    absent = absent_texts(texts)
    if absent.all():
        raise column.failure(
            f"no training row has a value (set data.features.{column.name}: ignore, or split the data otherwise)"
        )
    if settings.missing == "error" and absent.any():
        raise missing_error(column, absent)
    return texts


def vocabulary_of(
    column: RawColumn, texts: pa.Array, settings: TextSettings
) -> tuple[tuple[str, ...], Counted, Decision]:
    """Return the vocabulary, what it was chosen from, and what is said of it.

    Args:
        column: of the training rows.
        texts: they.
        settings: how they are encoded.

    Raises:
        DataError: there is no token to choose.
    """
    most, least = settings.max_tokens, settings.min_count
    counted = count_tokens(texts, settings.rule, settings.ngrams)
    vocabulary = tuple(choose_tokens(texts, counted, settings.rule, most, least))
    if not vocabulary:
        raise column.failure(
            f"no token of the training rows is there {least} times (lower data.features.{column.name}.min_count, or "
            "set it to ignore)"
        )
    known = counted.counts[counted.counts >= least]
    share = np.sort(known)[::-1][:most].sum() / max(counted.counts.sum(), 1)
    reason = (
        f"of {len(counted.values):,} in the training rows, {len(known):,} are there at least {least} times, and "
        f"max_tokens is {most:,}; {share:.1%} of all tokens are known"
    )
    return vocabulary, counted, Decision(f"features.{column.name}", f"{len(vocabulary):,} known tokens", reason)


def with_missing(fitted: Fitted, texts: pa.Array) -> Fitted:
    """Return an encoder of free text that knows whether texts of the training rows are missing, and says how many."""
    absent = int(absent_texts(texts).sum())
    if not absent:
        return fitted
    encoder = cast(FreeTextEncoder, fitted.encoder)
    reason = f"{absent} of {len(texts)} training rows miss it"
    decision = Decision(f"features.{encoder.column}", "a missing value is a text without tokens", reason)
    known = encoder.model_copy(update={"had_missing": True})
    return Fitted(cast(Encoder, known), (*fitted.decisions, decision))
