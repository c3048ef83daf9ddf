"""What a config says of a column of free text, with the defaults of what it does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mltrain.data.texts.characters import TokenRule


@dataclass(frozen=True)
class TextSettings:
    """How a column of free text is encoded.

    Attributes:
        encoding: as tokens, or as which columns.
        rule: how a text becomes tokens.
        length: tokens of each text; None takes the quantile.
        quantile: the share of training rows that are not cut.
        longest: tokens of each text at most, where no length is stated.
        max_tokens: known tokens at most.
        min_count: how often a known token occurs in the training rows, at least.
        ngrams: runs up to this number of tokens count as tokens.
        buckets: columns where tokens are hashed.
        missing: what happens to a missing value.
    """

    encoding: Literal["tokens", "bag_of_words", "tf_idf", "hashed"]
    rule: TokenRule
    length: int | None
    quantile: float
    longest: int
    max_tokens: int
    min_count: int
    ngrams: int
    buckets: int
    missing: Literal["blank", "error"]
