"""SIGKILL at random times to one of two workers, and faults at operations of the disk, which the first one alone does.
The end is that of two workers of which none was interrupted.

The short form has 30 kills of one experiment and a kill in some others. The long one has 200, and a kill in all others:
`python -m pytest -m torture tests/torture/test_several_workers.py`. Workers are forked, see `forked_workers.py`.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time

import pytest

from tests.torture.comparison import compare, resumptions
from tests.torture.experiments import VARIANTS

pytestmark = pytest.mark.long

# What workers share in different ways: means of the batch, and parts of a training with numbers that are drawn.
OFTEN = ("batch_norm", "stages")
# `xla` is not compiled by several workers.
SHARED = [name for name in VARIANTS if name not in ("xla", "tabular_xla")]
GONE_WITHIN = 10


@pytest.mark.parametrize(
    "experiment", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.torture) for name in SHARED]
)
def test_one_kill(battery_by_two, experiment):
    run = battery_by_two.killed_in_training(experiment, random.Random(experiment))
    assert min(battery_by_two.end(experiment, [run])) > 0


@pytest.mark.parametrize("step", [pytest.param(40, id="sample"), pytest.param(1, id="all", marks=pytest.mark.torture)])
@pytest.mark.parametrize(
    ("fault", "code"),
    [("SIGKILL", 13), *(pytest.param(*each, marks=pytest.mark.torture) for each in [("enospc", 7), ("SIGTERM", 143)])],
)
def test_the_first_worker_at_an_operation_of_the_disk(battery_by_two, fault, code, step):
    """The first worker alone writes. The other one ends with it, and the run goes on."""
    _, whole = battery_by_two.whole("short")
    assert whole.operations > 100
    places = range(1 + random.Random(fault).randrange(step), whole.operations + 1, step)
    faults = [{"victims": [(0, {"fault": fault, "at": number})]} for number in places]
    runs = []
    for run, ended in battery_by_two.interrupted("short", faults):
        assert ended.code in (0, code), ended.err  # 0 where nothing was left to be done
        assert ended.err.count("\n") <= 1, ended.err
        runs += [run] if ended.code else []
    assert len(runs) > len(faults) / 2
    battery_by_two.end("short", [run for run in runs if run.exists()])


@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.torture)])
def test_kills_from_the_start_to_the_end(battery_by_two, tmp_path, capsys, kills):
    """Each worker in turn, in commands with `--restarts`, until there were so many kills."""
    seed = 22
    drawn, battery, log = random.Random(seed), battery_by_two, tmp_path / "log"
    began = time.monotonic()
    whole, _ = battery.whole("together")
    seconds = time.monotonic() - began
    killed, resumed, gone_within, told = 0, 0, [0.0], f"seed {seed}"
    while killed < kills:
        victims = [((killed + n) % 2, {"from_start": drawn.uniform(0, seconds)}) for n in range(kills - killed)]
        run = battery.new("together")
        training = battery.training("together", run, "--restarts", str(kills))
        log.unlink(missing_ok=True)
        ended = battery.server(*training, victims=victims, log=str(log))
        deaths = [json.loads(line) for line in log.read_text().splitlines()]
        moments = {start: moment for what, start, _, moment in deaths if what == "killed"}
        killed += len(moments)
        told = f"seed {seed}, kill {killed}: {ended.err}"
        assert ended.code == 0, told
        assert "Traceback" not in ended.err, told
        for start, moment in moments.items():
            gone = [each for what, number, _, each in deaths if what == "gone" and number == start]
            assert len(gone) == 2, told
            gone_within.append(max(gone) - moment)
        compare(whole, run)
        resumed += len(resumptions(run))
    with capsys.disabled():
        sys.stdout.write(
            f"\n{killed} kills, {resumed} resumptions; both workers were gone within {max(gone_within):.1f} s, and "
            f"{statistics.median(gone_within):.1f} s in the median"
        )
    assert max(gone_within) < GONE_WITHIN, told
    assert resumed > kills / 4, told
