"""What the calls of a loop say of its pace: what is done for the first time does not count."""

import pytest

from mltrain.procedures.pace import Call, pace_of


def test_the_first_call_does_not_count():
    calls = [Call(1, 1, 5.0, False), Call(1, 8, 0.8, False), Call(1, 10, 1.0, True), Call(2, 20, 2.0, True)]
    pace = pace_of(calls, [(3.5, 6.8), (2.5, 2.0)], 19, 4.0)
    assert (pace.seconds_per_step, pace.seconds_beside) == pytest.approx((0.1, 0.5))
    # 5 seconds of the first call: 4 are compiling, 0.1 its step; and the first validation took 0.2 seconds more.
    assert pace.first == pytest.approx(0.9 + 0.2)


def test_the_first_last_batch_is_compiled_in_its_call():
    calls = [Call(1, 1, 0.1, False), Call(1, 8, 0.8, False), Call(1, 1, 3.0, True), Call(2, 9, 0.9, False)]
    pace = pace_of(calls, [(3.9, 3.9)], 10, 0.0)
    assert (pace.seconds_per_step, pace.first) == pytest.approx((0.1, 2.9))


def test_a_single_slow_step_is_taken_without_compiling():
    pace = pace_of([Call(1, 1, 9.0, False)], [], 100, 4.0)
    assert (pace.seconds_per_step, pace.seconds_beside) == (5.0, None)


def test_epochs_that_share_a_call_have_no_calls_of_their_own():
    pace = pace_of([], [(1.0, 0.0), (0.2, 0.0), (0.4, 0.0)], 2, 0.0)
    assert (pace.seconds_per_step, pace.seconds_beside) == pytest.approx((0.15, 0.0))


def test_one_epoch_of_one_call_has_its_validation_beside():
    pace = pace_of([Call(1, 4, 3.0, True)], [(1.5, 3.0)], 4, 2.0)
    assert (pace.seconds_per_step, pace.seconds_beside) == pytest.approx((0.25, 0.5))
