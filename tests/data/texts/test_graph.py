"""Raw texts through a graph of plain Keras, against the NumPy encoders, as it is and from its archive."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.data.features import TextFeature
from mltrain.data.raw_model import graph_of
from tests.data.tables import column
from tests.data.texts.hostile import hostile_texts

# TensorFlow's tensors do not take NumPy 2's `copy`, which Keras' saving of a vocabulary runs into.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
TRAIN, ROWS = hostile_texts(400, seed=0), hostile_texts(200, seed=1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"length": 3, "punctuation": "token", "case": "keep", "accents": "remove"},
        {"length": 500, "punctuation": "remove", "max_characters": 15},
        {"by": "characters", "length": 25},
        {"by": "characters", "accents": "remove", "punctuation": "remove", "case": "keep"},
        {"by": "bytes", "length": 30, "max_characters": 20},
        {"encoding": "bag_of_words", "ngrams": 2, "max_tokens": 200},
        {"encoding": "tf_idf", "by": "characters", "max_tokens": 100},
        {"encoding": "hashed", "ngrams": 3, "buckets": 77},
    ],
    ids=str,
)
def test_the_graph_computes_the_bits_of_the_encoder(settings, tmp_path):
    encoder = TextFeature(**settings).fit(column(TRAIN), "none").encoder
    graph = graph_of(encoder)
    model = keras.Model(graph.inputs[0], graph.encoded)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")  # in safe mode, without custom objects
    expected = encoder.encode(column(ROWS)).values
    assert np.unique(expected).size > 2
    texts = tf.constant([[text.encode()] for text in ROWS])
    for each in (model, loaded):
        found = each(texts).numpy()
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()


def test_one_long_text_among_short_ones():
    encoder = TextFeature(length=4, max_characters=50_000, min_count=1).fit(column(["a b c"]), "none").encoder
    graph = graph_of(encoder)
    model = keras.Model(graph.inputs[0], graph.encoded)
    rows = ["c", "x" * 49_998 + " a b", "b " * 1_000_000]
    assert (
        model(tf.constant([[text] for text in rows])).numpy().tolist() == encoder.encode(column(rows)).values.tolist()
    )
    assert encoder.encode(column(rows)).values.tolist() == [[4, 0, 0, 0], [1, 2, 0, 0], [3, 3, 3, 3]]
