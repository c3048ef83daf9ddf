"""The recipes of docs/workers.md, run with the variables that SLURM and Kubernetes would set. Neither is here: a script
in place of `srun` starts the tasks, and network namespaces are the pods."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, in_process
from tests.procedures.test_machines import HOSTS, machines  # noqa: F401 - a fixture
from tests.procedures.test_workers import command, difference, rows_of, write

pytestmark = pytest.mark.long

PAGE = (REPOSITORY / "docs" / "workers.md").read_text(encoding="utf-8")
COMMANDS = str(Path(sys.executable).parent)
DROPOUT = "{type: mlp, units: [16, 8], dropout: 0.3}"
LASTING = {"model": DROPOUT, "training": "epochs: 80, checkpoint: {every: 7 steps}"}
# It starts a task for each rank, with what srun sets, and starts one again that was ended by a signal.
SRUN = """\
#!{python}
import os, subprocess, sys

def start(rank):
    step = {{"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "localhost", "SLURM_STEP_TASKS_PER_NODE": "2"}}
    task = subprocess.Popen(sys.argv[1:], env={{**os.environ, **step, "SLURM_PROCID": str(rank)}})
    with open("tasks", "a") as file:
        file.write(f"{{rank}} {{task.pid}}\\n")
    return task.pid

tasks, codes = {{start(rank): rank for rank in range(2)}}, []
while tasks:
    process, status = os.wait()
    rank = tasks.pop(process)
    if os.WIFSIGNALED(status):
        tasks[start(rank)] = rank
    else:
        codes.append(os.waitstatus_to_exitcode(status))
sys.exit(max(codes))
"""


def block(heading, language):
    """Return the first block below a heading of the page."""
    return re.search(rf"^### {heading}$.*?^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def job_with_free_ports():
    """Return a number of a job whose two ports nobody has."""
    for number in range(os.getpid() % 9_000, 10_000, 2):
        try:
            for port in (20_000 + number, 20_001 + number):
                socket.create_server(("localhost", port)).close()
        except OSError:
            continue
        return str(120_000 + number)
    raise AssertionError("no port is free")


def wait_for_epochs(run, count):
    history, deadline = run / "history.csv", time.monotonic() + 120
    while not (history.exists() and history.read_text().count("\n") > count):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the run of two workers that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    write(folder, "config.yaml", **LASTING)
    done = command(folder, "train", "config.yaml", "--run-dir", "whole", "--workers", 2, "--quiet")
    assert done.returncode == 0, done.stderr
    return folder / "whole"


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.torture), 1])
def test_tasks_of_slurm_train_together_and_come_back(whole, tmp_path, rank):
    """The script of the page, and a task that is lost in the middle."""
    write(tmp_path, "config.yaml", **LASTING)
    (tmp_path / "srun").write_text(SRUN.format(python=sys.executable))
    (tmp_path / "srun").chmod(0o755)
    (tmp_path / "job").write_text(block("SLURM", "sh"))
    places = {"PATH": f"{tmp_path}:{COMMANDS}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    job = subprocess.Popen(
        ["sh", "job"], cwd=tmp_path, env={**os.environ, **places, "SLURM_JOB_ID": job_with_free_ports()}, **streams
    )
    run = tmp_path / "runs" / "digits"
    wait_for_epochs(run, 5)
    started = [line.split() for line in (tmp_path / "tasks").read_text().splitlines()]
    os.kill(next(int(process) for number, process in started if int(number) == rank), signal.SIGKILL)
    out, err = job.communicate(timeout=200)
    assert job.returncode == 0, err
    assert set(out.split()) == {str(run)}
    assert f"worker {rank} of 2 is lost: its process has ended; this worker starts again, and waits" in err
    assert len((tmp_path / "tasks").read_text().splitlines()) == 3
    record = json.loads((run / "record.json").read_text())
    assert "2 processes on this machine" in [each["value"] for each in record["decisions"]]
    assert record["resumed"]
    assert rows_of(run) == rows_of(whole)
    assert (run / "metrics.json").read_bytes() == (whole / "metrics.json").read_bytes()


@pytest.fixture
def named_machines(machines):  # noqa: F811 - a fixture
    """Return the namespaces, in which the names of the pods are known: what a headless service does."""
    known = "".join(f"{host} digits-{number}.digits\n" for number, host in enumerate(HOSTS))
    folders = [Path("/etc/netns") / name for name in machines]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{known}")
        yield machines
    finally:
        for folder in folders:
            (folder / "hosts").unlink(missing_ok=True)
            folder.rmdir()


def test_pods_of_kubernetes_train_together(named_machines, tmp_path):
    """The command and the variables of the manifest of the page, in as many pods as it says."""
    write(tmp_path, "digits.yaml", model=DROPOUT)
    job = next(each for each in yaml.safe_load_all(block("Kubernetes", "yaml")) if each["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    line = [
        part.replace("/config", str(tmp_path)).replace("/runs", f"{tmp_path}/runs") for part in container["command"]
    ]
    said = {each["name"]: each.get("value", "a secret") for each in container["env"]}
    pods = []
    for index, machine in zip(range(job["spec"]["completions"]), named_machines, strict=True):
        own = {"JOB_COMPLETION_INDEX": str(index), "HOSTNAME": f"{job['metadata']['name']}-{index}"}
        environment = {**os.environ, **said, **own, "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        pods.append(subprocess.Popen(["ip", "netns", "exec", machine, *line], env=environment, **streams))
    try:
        ended = [pod.communicate(timeout=200) for pod in pods]
    finally:
        for pod in pods:
            pod.kill()
    assert [pod.returncode for pod in pods] == [0, 0, 0], ended
    run = tmp_path / "runs" / "digits"
    assert [out.strip() for out, _ in ended] == [str(run), "", ""]
    assert "3 processes on 3 machines" in [
        each["value"] for each in json.loads((run / "record.json").read_text())["decisions"]
    ]
    done = in_process(tmp_path, "train", "digits.yaml", "--run-dir", "alone", "--quiet")
    assert done.code == 0, done.err
    assert difference(rows_of(tmp_path / "alone"), rows_of(run)) <= 1e-6
