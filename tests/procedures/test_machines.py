"""Workers on machines of their own: network namespaces with an address each, joined by a bridge, or by a switch that
delays and loses packets. Root may make them; elsewhere these tests are skipped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.conftest import in_process
from tests.procedures.lossy_network import CannotBeMadeError, machines_behind
from tests.procedures.test_workers import difference, rows_of, write

pytestmark = pytest.mark.long

HOSTS = ("10.213.77.1", "10.213.77.2", "10.213.77.3")
PORT = 23456
DROPOUT = "{type: mlp, units: [16, 8], dropout: 0.3}"
SILENT = "is lost: it has been silent for 6 s: it is stopped, or cut off"
# One way; an answer takes twice as long.
DELAY, LOSS = 0.02, 0.01


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def machines():
    """Return the names of three namespaces, each with a link to the others."""
    if shutil.which("ip") is None:
        pytest.skip("the command ip (iproute2) is not installed")
    prefix = f"mlt{os.getpid() % 100_000}"
    bridge, names = f"{prefix}b", [f"{prefix}n{number}" for number in range(len(HOSTS))]
    made = run("ip", "link", "add", bridge, "type", "bridge")
    if made.returncode:
        pytest.skip(f"network namespaces cannot be made here: {made.stderr.strip()}")
    try:
        steps = [("ip", "link", "set", bridge, "up")]
        for number, name in enumerate(names):
            inner, outer = f"{prefix}i{number}", f"{prefix}o{number}"
            steps += [
                ("ip", "netns", "add", name),
                ("ip", "link", "add", outer, "type", "veth", "peer", "name", inner),
                ("ip", "link", "set", outer, "master", bridge, "up"),
                ("ip", "link", "set", inner, "netns", name),
                ("ip", "-n", name, "link", "set", inner, "name", "eth0", "up"),
                ("ip", "-n", name, "link", "set", "lo", "up"),
                ("ip", "-n", name, "address", "add", f"{HOSTS[number]}/24", "dev", "eth0"),
            ]
        for step in steps:
            done = run(*step)
            if done.returncode:
                pytest.skip(f"network namespaces cannot be made here: {' '.join(step)}: {done.stderr.strip()}")
        yield names
    finally:
        for name in names:
            run("ip", "netns", "delete", name)
        run("ip", "link", "delete", bridge)


@pytest.fixture
def far_machines():
    """Return the names of three namespaces, and the switch between them."""
    try:
        with machines_behind(HOSTS, delay=DELAY, loss=LOSS, seed=7) as made:
            yield made
    except CannotBeMadeError as error:
        pytest.skip(f"network namespaces with TUN devices cannot be made here: {error}")


def started(folder, machines, rank, *arguments):
    addresses = [f"{host}:{PORT}" for host in HOSTS]
    task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
    first = ("--run-dir", "run") if rank == 0 else ()
    line = [sys.executable, "-m", "mltrain", "train", "config.yaml", "--quiet", *first, *arguments]
    return subprocess.Popen(
        ["ip", "netns", "exec", machines[rank], *line],
        cwd=folder,
        env={**os.environ, "TF_CONFIG": json.dumps(task)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(workers, within):
    try:
        texts = [each.communicate(timeout=within) for each in workers]
    finally:
        for each in workers:
            each.kill()
    return [(each.returncode, err) for each, (_, err) in zip(workers, texts, strict=True)]


def wait_for_epochs(folder, first, count):
    """Wait until the first worker has written so many rows of the history."""
    history, deadline = folder / "run" / "history.csv", time.monotonic() + 200
    while not (history.exists() and history.read_text().count("\n") > count):
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_three_machines_train_what_one_trains(machines, tmp_path):
    write(tmp_path, "config.yaml", model=DROPOUT)
    done = in_process(tmp_path, "train", "config.yaml", "--run-dir", "one", "--quiet")
    assert done.code == 0, done.err
    found = ended([started(tmp_path, machines, rank) for rank in range(3)], 200)
    assert [code for code, _ in found] == [0, 0, 0], found
    assert difference(rows_of(tmp_path / "one"), rows_of(tmp_path / "run")) <= 1e-6
    decisions = json.loads((tmp_path / "run" / "record.json").read_text())["decisions"]
    assert "3 processes on 3 machines" in [each["value"] for each in decisions]


@pytest.mark.parametrize("rank", [0, 2])
def test_a_cut_link_ends_all(machines, tmp_path, rank):
    """In the middle of an epoch; no connection is closed, as the packets of both sides get lost."""
    write(tmp_path, "config.yaml", model=DROPOUT)
    workers = [started(tmp_path, machines, number, "--set", "training.epochs=1000000") for number in range(3)]
    wait_for_epochs(tmp_path, workers[0], 5)
    cut = ("ip", "-n", machines[rank], "link", "set", "eth0")
    assert run(*cut, "down").returncode == 0
    try:
        found = ended(workers, 60)  # they know it after 6 s; a machine with other work to do needs longer to end
    finally:
        run(*cut, "up")
    assert [code for code, _ in found] == [13, 13, 13], found
    assert all(SILENT in err for _, err in found), found


def trained_by_one(folder):
    write(folder, "config.yaml", model=DROPOUT, training="epochs: 6")
    done = in_process(folder, "train", "config.yaml", "--run-dir", "one", "--quiet")
    assert done.code == 0, done.err
    return rows_of(folder / "one")


def test_packets_that_are_late_and_lost_change_nothing(far_machines, tmp_path):
    machines, switch = far_machines
    one = trained_by_one(tmp_path)
    found = ended([started(tmp_path, machines, rank) for rank in range(3)], 200)
    assert [code for code, _ in found] == [0, 0, 0], found
    assert switch.lost > 3
    assert difference(one, rows_of(tmp_path / "run")) <= 1e-6


@pytest.mark.torture
def test_where_every_fourth_packet_is_lost_it_goes_on_or_ends(far_machines, tmp_path):
    machines, switch = far_machines
    switch.loss = 0.25
    one = trained_by_one(tmp_path)
    found = ended([started(tmp_path, machines, rank) for rank in range(3)], 200)
    codes = [code for code, _ in found]
    assert codes in ([0, 0, 0], [13, 13, 13]), found
    assert not any("Traceback" in err for _, err in found), found
    rows = rows_of(tmp_path / "run") if (tmp_path / "run" / "history.csv").exists() else []
    assert len(rows) == len(one) or codes[0] == 13
    assert difference(one[: len(rows)], rows) <= 1e-6 if rows else codes[0] == 13


def test_a_short_cut_is_survived_and_a_long_one_ends_all(far_machines, tmp_path):
    machines, switch = far_machines
    write(tmp_path, "config.yaml", model=DROPOUT)
    workers = [started(tmp_path, machines, number, "--set", "training.epochs=1000000") for number in range(3)]
    wait_for_epochs(tmp_path, workers[0], 3)
    switch.loss = 1.0
    time.sleep(1)
    switch.loss = LOSS
    done = len(rows_of(tmp_path / "run"))
    wait_for_epochs(tmp_path, workers[0], done + 3)
    switch.loss = 1.0
    found = ended(workers, 60)
    assert [code for code, _ in found] == [13, 13, 13], found
    assert all(SILENT in err for _, err in found), found
