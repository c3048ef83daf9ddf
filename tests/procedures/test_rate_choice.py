"""The rules that choose a learning rate, by hand."""

import math

import pytest

from mltrain.procedures.rate_choice import chosen, has_diverged, of_interest, smoothed

RATES = [10.0**power for power in range(-6, 4)]


def test_the_running_mean_has_no_bias_of_its_beginning():
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    # (0.98 * 0.02 * 1 + 0.02 * 2) / (1 - 0.98 ** 2)
    assert smoothed([1.0, 2.0])[1] == pytest.approx((0.98 * 0.02 + 0.04) / (1 - 0.98**2))


def test_steepest_is_where_the_loss_falls_fastest_over_the_logarithm():
    means = [2.0, 2.0, 1.9, 1.5, 0.9, 0.7, 0.6, 0.7, 2.0, 4.0]
    assert chosen("steepest", RATES, means) == RATES[3]


def test_valley_is_half_way_down_the_longest_fall():
    # It falls at the places 2 to 8, with the point before them as the first: seven long, from 1 to 8 as fastai counts.
    means = [2.0, 3.0, 2.9, 2.8, 2.5, 2.0, 1.5, 1.0, 0.9, 4.0]
    # The longest falling subsequence has 8 points and ends at 8: begin 0, third 8 / 3, so 0 + 2 + 1.
    assert chosen("valley", RATES, means) == RATES[3]
    # A fall that a bump interrupts is one fall.
    bump = [3.0, 2.9, 2.8, 3.5, 2.5, 2.0, 1.5, 1.0, 0.9, 4.0]
    assert chosen("valley", RATES, bump) == RATES[3]


@pytest.mark.parametrize("rule", ["valley", "steepest"])
def test_nothing_is_chosen_where_the_loss_does_not_fall(rule):
    assert chosen(rule, RATES, [1.0 + number for number in range(10)]) is None
    assert chosen(rule, RATES[:2], [2.0, 1.0]) is None


def test_the_ends_do_not_decide():
    assert of_interest(100, 100) == range(10, 95)
    assert list(of_interest(100, 12)) == []


def test_it_ends_at_four_times_the_smallest():
    assert not has_diverged([2.0, 1.0, 4.0])
    assert has_diverged([2.0, 1.0, 4.1])
    assert not math.isnan(smoothed([1.0])[0])
