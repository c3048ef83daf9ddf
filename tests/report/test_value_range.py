"""A range has digits enough to see its width."""

import pytest

from mltrain.report.text import value_range


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.5, 31.25, "1.5000 … 31.25"),
        (0.29998, 0.30004, "0.29998 … 0.30004"),
        (1000.0001, 1000.0002, "1000.0001 … 1000.0002"),
        (0.3, 0.1 + 0.2, "0.29999999999999999 … 0.30000000000000004"),
        (0.3, 0.3, "only value 0.3"),
        (0.1 + 0.2, 0.1 + 0.2, "only value 0.30000000000000004"),
        (-2e9, 3e9, "-2e+09 … 3e+09"),
        (None, None, "–"),
    ],
)
def test_the_ends_differ_where_the_numbers_do(low, high, expected):
    assert value_range(low, high) == expected
