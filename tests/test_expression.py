"""Comparisons: what is read is what the user wrote, digit by digit."""

import pytest

from mltrain.expression import Comparison


@pytest.mark.parametrize("number", ["0.98", "0.123456789", "1234567.5", "3", "-0.25", "1e-07", "0.30000000000000004"])
def test_a_comparison_keeps_its_number_however_often_it_is_read(number):
    read = Comparison.parse(f"val_loss < {number}")
    assert read.number == float(number)
    assert str(read) == f"validation.loss < {number}"
    assert Comparison.parse(str(read)) == read


def test_a_number_that_is_no_number_for_python_is_refused():
    with pytest.raises(ValueError, match="expected 'split"):
        Comparison.parse("validation.loss < 1e999")
