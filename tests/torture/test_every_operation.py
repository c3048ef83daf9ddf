"""Something happens at each operation of the disk in turn, until all have been through: SQLite's way of testing."""

from __future__ import annotations

import random

import pytest

from mltrain.run.checkpoint_files import numbers, read_checkpoint
from tests.torture.comparison import step_on_disk
from tests.torture.experiments import VARIANTS
from tests.torture.forking import KILLED, call

pytestmark = pytest.mark.long

# In the short form one experiment is killed wherever a file has changed (a kill at another operation leaves the same
# files), and every 25th operation has the other faults. In the long form there is a kill at each operation.
SAMPLE = pytest.param("short", 25, id="sample")
EVERY = [pytest.param(name, 1, id=name, marks=pytest.mark.torture) for name in ("short", *VARIANTS)]


def places(battery, experiment, step):
    """Return the numbers of the operations, all or every so many, beginning anywhere."""
    _, whole = battery.whole(experiment)
    assert whole.operations > 100
    return range(1 + random.Random(experiment).randrange(step), whole.operations + 1, step)


# In eight parts, which several processes can share: it is the longest of all tests.
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize(("experiment", "step"), [pytest.param("short", None, id="changes"), *EVERY])
def test_a_kill(battery, experiment, step, part):
    killed_at = battery.after_changes(experiment) if step is None else places(battery, experiment, step)
    assert len(killed_at) > 100
    faults = [{"fault": "SIGKILL", "at": number} for number in killed_at[part::8]]
    runs = []
    for run, ended in battery.interrupted(experiment, faults):
        assert ended.code == KILLED, ended.err
        runs.append(run)
    # Before the first update of the weights there is as much to write as after it.
    assert sum(step > 0 for step in battery.end(experiment, runs)) > len(runs) / 4


@pytest.mark.parametrize(("experiment", "step"), [SAMPLE, *EVERY])
def test_a_kill_in_the_middle_of_a_write(battery, experiment, step):
    faults = [{"fault": "torn", "at": number} for number in places(battery, experiment, step)]
    runs = [run for run, ended in battery.interrupted(experiment, faults) if ended.code == KILLED]
    assert runs  # at other operations nothing happens
    battery.end(experiment, runs)


@pytest.mark.parametrize(("experiment", "step"), [SAMPLE, *EVERY])
def test_a_short_write_is_continued(battery, experiment, step):
    faults = [{"fault": "short", "at": number} for number in places(battery, experiment, step)]
    for _, ended in battery.interrupted(experiment, faults):
        assert ended.code == 0, ended.err


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("fault", ["enospc", "eio"])
@pytest.mark.parametrize(("experiment", "step"), [SAMPLE, *EVERY])
def test_a_disk_that_fails(battery, experiment, step, fault, for_good):
    faults = [{"fault": fault, "at": number, "for_good": for_good} for number in places(battery, experiment, step)]
    runs = []
    for run, ended in battery.interrupted(experiment, faults):
        if ended.code == 0:  # it failed where something was only tidied up
            assert not for_good
            continue
        assert ended.code == 7, ended.err
        assert ended.err.count("\n") == 1
        assert str(run) in ended.err
        assert {"enospc": "the disk is full", "eio": "input/output error"}[fault] in ended.err
        for number in numbers(run / "checkpoints", "state") if run.exists() else ():
            read_checkpoint(run / "checkpoints" / f"state-{number:06d}")
        runs.append(run)
    assert len(runs) > len(faults) / 2
    battery.end(experiment, [run for run in runs if run.exists()])


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize(("experiment", "step"), [SAMPLE, *EVERY])
def test_a_signal(battery, experiment, step, signal, code):
    faults = [{"fault": signal, "at": number} for number in places(battery, experiment, step)]
    runs = []
    for run, ended in battery.interrupted(experiment, faults):
        assert ended.code in (0, code), ended.err  # 0 where nothing was left to be interrupted
        assert ended.err.count("\n") <= 1
        runs.append(run)
    assert sum(step > 0 for step in battery.end(experiment, runs)) > len(runs) / 4


@pytest.mark.parametrize("step", [pytest.param(80, id="sample"), pytest.param(1, id="all", marks=pytest.mark.torture)])
def test_a_kill_while_resuming(battery, step):
    run = battery.killed_in_training("dropout", random.Random(1))
    resumed = battery.copy(run)
    whole = battery.server("resume", resumed, "--quiet")
    assert whole.code == 0, whole.err
    kills = range(1, whole.operations + 1, step)
    runs = [battery.copy(run) for _ in kills]
    calls = [
        call("resume", run, "--quiet", fault="SIGKILL", at=number) for run, number in zip(runs, kills, strict=True)
    ]
    assert {ended.code for ended in battery.server.all(calls)} == {KILLED}
    assert min(battery.end("dropout", runs)) > 0


@pytest.mark.parametrize(
    "experiment", ["dropout", *(pytest.param(name, marks=pytest.mark.torture) for name in VARIANTS)]
)
def test_a_kill_while_pruning(battery, experiment):
    faults = [{"fault": "inside", "within": "rmtree", "at": number} for number in (1, 2)]
    killed = battery.interrupted(experiment, faults)
    assert [ended.code for _, ended in killed] == [KILLED, KILLED]
    assert all(step_on_disk(run) for run, _ in killed)
    assert min(battery.end(experiment, [run for run, _ in killed])) > 0
