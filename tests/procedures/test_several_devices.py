"""A training on several devices, through the real command. The CPU split in two is two devices."""

from __future__ import annotations

import json
import sys

import pytest

from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.tensorflow_start import start_tensorflow
from tests.conftest import in_process
from tests.procedures.test_workers import BASE, USUAL, command, difference, in_two_shells, rows_of

start_tensorflow()
import tensorflow as tf  # noqa: E402

DROPOUT = "{type: mlp, units: [16, 8], dropout: 0.3}"
TWO = "device: [cpu:0, cpu:1]\n"
# A plugin: TensorFlow is told of two GPUs, and computes on the CPU, as it finds none.
TOLD = """\
from types import SimpleNamespace

import keras
import tensorflow as tf


class Unused(keras.layers.Layer):
    pass


GRAPHICS = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in range(2)]
tf.config.list_physical_devices = lambda kind=None: GRAPHICS if kind == "GPU" else []
tf.config.set_visible_devices = lambda which, kind: None
tf.config.experimental.get_device_details = lambda each: {"device_name": f"Model {GRAPHICS.index(each)}"}
tf.config.experimental.get_memory_info = lambda which: {"current": 0, "peak": 0}
"""


def write(folder, name="two.yaml", **parts):
    (folder / name).write_text(BASE.format(**USUAL | {"model": DROPOUT, "more": TWO} | parts))


def record_of(run):
    return json.loads((run / "record.json").read_text())


@pytest.mark.long
def test_the_cpu_in_two_trains_what_one_trains(tmp_path, capsys):
    write(tmp_path)
    one = in_process(tmp_path, "train", "two.yaml", "--run-dir", "one", "--set", "device=cpu", "--quiet")
    assert one.code == 0, one.err
    two = command(tmp_path, "train", "two.yaml", "--run-dir", "two")
    assert two.returncode == 0, two.stderr
    assert two.stdout.strip() == str(tmp_path / "two")
    assert "Warning" not in two.stderr + (tmp_path / "two" / "workers" / "worker-1.log").read_text()
    history = difference(rows_of(tmp_path / "one"), rows_of(tmp_path / "two"))
    old, new = (read_checkpoint(newest(tmp_path / run / "checkpoints", "last"))[0] for run in ("one", "two"))
    weights = max(float(abs(old[name] - new[name]).max()) for name in old)
    with capsys.disabled():
        sys.stdout.write(f"\n[cpu:0, cpu:1]: the history differs by {history:.1g}, the weights by {weights:.1g}")
    assert history <= 1e-6
    assert weights <= 1e-6

    record = record_of(tmp_path / "two")
    processor = record["machine"]["processor"]
    assert record["workers"] == 2
    assert record["devices"] == [f"cpu:0 ({processor})", f"cpu:1 ({processor})"]
    decided = {each["what"]: (each["value"], each["reason"]) for each in record["decisions"]}
    assert decided["device"] == (f"cpu:0 and cpu:1 ({processor})", "one for each worker, in their order")
    assert decided["workers"][0] == "2 processes on this machine"
    assert decided["workers"][1].startswith("one for each device; each computes its rows of every batch, and they add")
    assert f"device: cpu:0 and cpu:1 ({processor})" in two.stderr
    assert f"cpu:1 ({processor})" not in (tmp_path / "two" / "metrics.json").read_text()

    # What is done with the run afterwards is done by one process.
    measured = in_process(tmp_path, "evaluate", "two", "--split", "validation", "--json")
    before = json.loads((tmp_path / "two" / "metrics.json").read_text())["splits"]["validation"]["metrics"]
    assert json.loads(measured.out)["splits"]["validation"]["metrics"] == before
    # `reproduce` starts as many workers, so that the bits are equal.
    again = command(tmp_path, "reproduce", "two", "--run-dir", "again", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["verdict"] == "identical"
    assert record_of(tmp_path / "again")["workers"] == 2


@pytest.mark.long
def test_all_starts_a_worker_for_each_gpu(tmp_path):
    write(tmp_path, more="device: all\n")
    (tmp_path / "told.py").write_text(TOLD)
    done = command(tmp_path, "train", "two.yaml", "--run-dir", "run", "--plugin", "told.py")
    assert done.returncode == 0, done.stderr
    assert "device: gpu:0 (Model 0), gpu:1 (Model 1) (one for each worker, in their order)" in done.stderr
    record = record_of(tmp_path / "run")
    assert record["devices"] == ["gpu:0 (Model 0)", "gpu:1 (Model 1)"]
    assert record["device"]["value"] == "gpu"
    again = command(tmp_path, "resume", "run", "--epochs", 5, "--plugin", "told.py", "--quiet")
    assert again.returncode == 0, again.stderr
    assert record_of(tmp_path / "run")["workers"] == 2
    # On a machine without any.
    other = in_process(tmp_path, "resume", "run", "--epochs", 7)
    assert other.code == 12
    assert other.err.startswith("error: config.resolved.yaml:")
    assert "device: no GPU found (" in other.err
    # `--workers` without naming devices: each takes one.
    write(tmp_path, more="")
    auto = command(tmp_path, "train", "two.yaml", "--run-dir", "auto", "--plugin", "told.py", "--workers", 2, "--quiet")
    assert auto.returncode == 0, auto.stderr
    assert record_of(tmp_path / "auto")["devices"] == ["gpu:0 (Model 0)", "gpu:1 (Model 1)"]


@pytest.mark.long
def test_workers_of_a_scheduler_take_the_devices_of_their_places(tmp_path):
    write(tmp_path)
    first, second = in_two_shells(tmp_path, ("two.yaml", "--run-dir", "run"), ("two.yaml",))
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert [each.partition(" ")[0] for each in record_of(tmp_path / "run")["devices"]] == ["cpu:0", "cpu:1"]
    write(tmp_path, more="device: [cpu:0, cpu:1, cpu:2]\n")
    first, second = in_two_shells(tmp_path, ("two.yaml", "--run-dir", "few"), ("two.yaml",))
    assert (first[0], second[0]) == (12, 13), (first, second)
    said = "two.yaml:7:1: device: 3 devices are asked for, and this machine has 2 workers: start one for each device"
    assert first[2].startswith(f"error: {said} (SLURM: --ntasks-per-node=3)")
    assert said in second[2]


@pytest.mark.long
def test_a_resumption_starts_as_many_workers(tmp_path):
    write(tmp_path)
    whole = command(tmp_path, "train", "two.yaml", "--run-dir", "whole", "--set", "training.epochs=9", "--quiet")
    assert whole.returncode == 0, whole.stderr
    begun = command(tmp_path, "train", "two.yaml", "--run-dir", "run", "--quiet")
    assert begun.returncode == 0, begun.stderr
    more = command(tmp_path, "resume", "run", "--epochs", 6, "--quiet")
    assert more.returncode == 0, more.stderr
    assert record_of(tmp_path / "run")["workers"] == 2
    assert rows_of(tmp_path / "run") == rows_of(tmp_path / "whole")[:6]
    nothing = in_process(tmp_path, "resume", "run")
    assert (nothing.code, nothing.err) == (
        0,
        "nothing to do: the run is finished (all 6 epochs are done); use --epochs to train longer\n",
    )
    # On one device: with another `device`, or with one worker.
    single = in_process(tmp_path, "resume", "run", "--epochs", 7, "--set", "device=cpu")
    assert single.code == 0, single.err
    assert "the run was trained by 2 workers so far, and is by 1 from here on" in single.err
    two = command(tmp_path, "resume", "run", "--epochs", 8, "--set", "device=[cpu:0,cpu:1]", "--restarts", 1)
    assert two.returncode == 0, two.stderr
    alone = in_process(tmp_path, "resume", "run", "--epochs", 9, "--workers", 1)
    assert alone.code == 0, alone.err
    assert difference(rows_of(tmp_path / "whole"), rows_of(tmp_path / "run")) <= 1e-6
    record = record_of(tmp_path / "run")
    assert record["workers"] == 1
    assert [each["changed"] for each in record["resumed"]] == [
        [],
        ["workers: 2 became 1"],
        ["workers: 1 became 2"],
        ["workers: 2 became 1"],
    ]
    assert all(not each["inexact"] for each in record["resumed"])


def test_another_number_of_workers_than_devices_is_refused(tmp_path):
    write(tmp_path)
    for count in (1, 3):
        done = in_process(tmp_path, "train", "two.yaml", "--run-dir", "run", "--workers", count)
        assert done.code == 2
        assert f"--workers {count}, and `device` asks for 2 devices: there is one worker for each device" in done.err
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(("cross-validate", "two.yaml"), "`cross-validate`"), (("train", "two.yaml", "--seeds", 2), "`train --seeds`")],
)
def test_runs_that_one_process_trains_have_one_device(tmp_path, arguments, what):
    write(tmp_path)
    done = in_process(tmp_path, *arguments)
    assert done.code == 3
    assert f"two.yaml:7:1: device: {what} trains each run on one device, and 2 are asked for" in done.err
    assert not (tmp_path / "runs").exists()


def test_stdin_cannot_be_read_by_two(tmp_path, shell):
    write(tmp_path)
    done = shell("mltrain train - < two.yaml")
    assert done.code == 2
    assert "need a config in a file: each worker reads it" in done.err


def test_restarts_need_several_devices(tmp_path):
    write(tmp_path)
    done = in_process(tmp_path, "train", "two.yaml", "--set", "device=cpu", "--restarts", 2)
    assert done.code == 2
    assert "--restarts needs --workers N with N of at least 2, or several devices" in done.err


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


@pytest.mark.parametrize("arguments", [("train",), ("check",), ("cross-validate",), ("train", "--seeds", 2)])
def test_all_needs_a_gpu(tmp_path, no_gpu, arguments):
    write(tmp_path, more="device: all\n")
    name, *options = arguments
    done = in_process(tmp_path, name, "two.yaml", *options)
    assert done.code == 12
    assert done.err.startswith("error: two.yaml:7:9: device: no GPU found (")
    assert done.err.endswith("Set device to auto or cpu\n")
    assert not (tmp_path / "runs").exists()


def test_a_gpu_that_is_not_there_is_said_at_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [object(), object()])
    write(tmp_path, more="device: gpu:2\n")
    for arguments in (("train", "two.yaml", "--run-dir", "run"), ("check", "two.yaml")):
        done = in_process(tmp_path, *arguments, *(("--quiet",) if arguments[0] == "train" else ()))
        assert done.code == 12
        said = "error: two.yaml:7:9: device: there is no gpu:2: this machine has 2 GPUs (gpu:0 to gpu:1); name one of"
        assert said in done.err


def test_check_tries_the_first(tmp_path):
    write(tmp_path)
    done = in_process(tmp_path, "check", "two.yaml")
    assert done.code == 0, done.err
    (line,) = [line for line in done.out.splitlines() if line.split()[1] == "devices"]
    assert "the training has 2 workers, with a device each; the first of them was tried" in line


def test_validate_needs_no_gpu(tmp_path):
    write(tmp_path, more="device: all\n")
    assert in_process(tmp_path, "validate", "two.yaml").code == 0
