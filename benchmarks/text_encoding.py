"""Encoding 1,000,000 short texts: a vocabulary and the numbers of the tokens, against Keras' TextVectorization.

Both get the same ASCII texts and must find the same vocabulary in the same order of counts, and the same tokens; words
of one count are ordered by their bytes here, and by Keras in another way, so the numbers are compared as words. Rounds
of both take turns; what is printed is how many times as long Keras takes, the median and the range of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time

import keras
import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import RawColumn
from mltrain.data.encoders.text import TokensEncoder
from mltrain.data.features import TextFeature

_WORDS, _LENGTH, _MOST = 50_000, 12, 20_000


def texts(rows: int, seed: int = 0) -> list[str]:
    """Return texts of 4 to 12 words with the frequencies of a language (Zipf), in sentences with their punctuation."""
    draw = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = sorted({"".join(draw.choice(letters, size)) for size in draw.integers(2, 10, _WORDS)})
    shares = 1 / np.arange(1, len(words) + 1)
    chosen = draw.choice(np.array(words, object), (rows, 12), p=shares / shares.sum())
    return [
        " ".join(row[:count]).capitalize() + (". " if count % 2 else ", or so!")
        for row, count in zip(chosen, draw.integers(4, 13, rows), strict=True)
    ]


def with_keras(values: list[str]) -> tuple[float, list[str], np.ndarray]:
    """Return the seconds that Keras takes, its vocabulary, and the numbers of the tokens (rows, length)."""
    given = np.array(values, object)
    began = time.perf_counter()
    layer = keras.layers.TextVectorization(max_tokens=_MOST + 2, output_sequence_length=_LENGTH)
    layer.adapt(given, batch_size=1024)
    numbers = np.concatenate([np.asarray(layer(given[at : at + 8192])) for at in range(0, len(given), 8192)])
    return time.perf_counter() - began, layer.get_vocabulary()[2:], numbers


def with_mltrain(values: list[str]) -> tuple[float, list[str], np.ndarray]:
    """Return the seconds that mltrain takes, its vocabulary, and the numbers of the tokens (rows, length)."""
    column = RawColumn("text", pa.array(values), str, "made")
    feature = TextFeature(punctuation="remove", length=_LENGTH, max_tokens=_MOST, min_count=1)
    began = time.perf_counter()
    encoder = feature.fit(column, "none").encoder
    numbers = encoder.encode(column).values
    seconds = time.perf_counter() - began
    assert isinstance(encoder, TokensEncoder)
    return seconds, list(encoder.vocabulary), numbers


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    values = texts(options.rows)
    with_keras(values[:2000]), with_mltrain(values[:2000])
    ratios = []
    for _ in range(options.rounds):
        theirs, their_words, their_numbers = with_keras(values)
        ours, our_words, our_numbers = with_mltrain(values)
        # At the limit both choose among words of one count, each by its own order.
        both = set(their_words) & set(our_words)
        assert len(both) > 0.9 * len(our_words), "other vocabularies"
        kept = [
            np.array(["", "?", *(word if word in both else "?" for word in each)]) for each in (their_words, our_words)
        ]
        assert (kept[0][their_numbers] == kept[1][our_numbers]).all(), "other tokens"
        ratios.append(theirs / ours)
        print(f"Keras {theirs:.2f} s, mltrain {ours:.2f} s: {ratios[-1]:.2f} times as long")
    print(f"{options.rows:,} texts: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
