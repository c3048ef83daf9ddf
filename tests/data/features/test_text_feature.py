from __future__ import annotations

import pytest
from pydantic import ValidationError

from mltrain.data.features import TextFeature


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoding": "tf_idf", "length": 5}, r"\nlength\n  has no meaning in the encoding 'tf_idf'"),
        ({"ngrams": 2}, r"\nngrams\n  has no meaning in the encoding 'tokens'"),
        ({"encoding": "hashed", "max_tokens": 5}, r"\nmax_tokens\n  has no meaning in the encoding 'hashed'"),
        ({"encoding": "bag_of_words", "buckets": 5}, r"\nbuckets\n  has no meaning"),
        ({"by": "bytes", "encoding": "hashed"}, "'bytes' are for the encoding 'tokens'"),
        ({"by": "bytes", "case": "fold"}, r"\ncase\n  has no meaning by bytes"),
        ({"by": "characters", "punctuation": "split"}, "'split' is for words"),
        ({"length": 5, "quantile": 0.5}, r"\nquantile\n  has no meaning beside a stated length"),
        ({"length": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_have_no_meaning_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        TextFeature(**settings)
