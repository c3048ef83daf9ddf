"""Two commands on one run directory at the same moment: one of them has it, the other one leaves."""

from __future__ import annotations

import random
import shutil

import pytest

from tests.torture.comparison import compare, resumptions
from tests.torture.forking import call

pytestmark = pytest.mark.long

PAIRS = pytest.mark.parametrize("pairs", [6, pytest.param(200, marks=pytest.mark.torture)])


def both(battery, *arguments):
    """Run a command twice at once; return what the loser said."""
    ended = battery.server.all([call(*arguments)] * 2, at_once=2)
    assert sorted(each.code for each in ended) == [0, 6], [each.err for each in ended]
    (loser,) = (each for each in ended if each.code == 6)
    assert loser.err.count("\n") == 1
    assert loser.chunks == 0
    return loser.err


@PAIRS
def test_two_starts(battery, pairs):
    whole, _ = battery.whole("short")
    for _ in range(pairs):
        run = battery.new("short")
        assert str(run) in both(battery, *battery.training("short", run))
        compare(whole, run)
        shutil.rmtree(run)


@PAIRS
def test_two_resumptions(battery, pairs):
    whole, _ = battery.whole("dropout")
    killed = battery.killed_in_training("dropout", random.Random(5))
    for number in range(pairs):
        run = battery.copy(killed)
        arguments = ("resume", run, "--quiet") if number % 2 else battery.training("dropout", run, "--resume")
        both(battery, *arguments)
        assert resumptions(run)[-1]["step"] > 0
        compare(whole, run)
        shutil.rmtree(run)
