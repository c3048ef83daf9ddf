"""Several workers train what one trains: each kind of training through the real command, with a process a worker.

The test prints what it finds, a line for each kind: `python -m pytest -m long tests/procedures/test_workers.py`.
"""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import in_process
from tests.own_parts import NETS
from tests.procedures.test_learned_weights import OWN_STEP

pytestmark = pytest.mark.long

BASE = """\
name: together
seed: 3
data: {{source: {source}, split: {{type: random, validation: 0.2, test: 0.2}}{target}}}
model: {model}
training: {{batch_size: {batch}, {training}}}
evaluation: {{baselines: false}}
{more}"""
# 139 of them are training rows: the last batch of 32 has 11.
BLOBS = "{type: synthetic, kind: blobs, rows: 233, noise: 3}"
DENSE = "{type: mlp, units: [16, 8]}"
IMAGES = "{type: npz, path: images.npz}"
# Without a bias before BatchNormalization: its gradient is 0 but for rounding, and Adam makes whole steps of that.
CONVOLUTION = (
    "{type: sequential, layers: [{type: Conv2D, filters: 8, kernel_size: 3, use_bias: false}, BatchNormalization, "
    "{type: Activation, activation: relu}, MaxPooling2D, {type: Conv2D, filters: 8, kernel_size: 3, use_bias: false}, "
    "BatchNormalization, GlobalAveragePooling2D]}"
)
AUGMENTED = (
    "{type: sequential, layers: [RandomFlip, {type: RandomRotation, factor: 0.1}, {type: GaussianNoise, stddev: 0.1}, "
    "{type: Conv2D, filters: 8, kernel_size: 3}, {type: SpatialDropout2D, rate: 0.2}, GlobalAveragePooling2D]}"
)
STAGED = (
    "{type: sequential, layers: [{type: Dense, units: 8, use_bias: false}, BatchNormalization, {type: Dropout, rate: "
    "0.2}, {type: Dense, units: 6}]}"
)
STAGES = (
    "stages: [{train: all, epochs: 2, learning_rate: 0.01}, {train: head, epochs: 2, learning_rate: 0.01}, "
    "{train: {last: 2 layers}, epochs: 2, learning_rate: 0.001}]"
)
CALLBACKS = (
    "epochs: 6, callbacks: [{type: EarlyStopping, patience: 3, min_delta: 0.5}, "
    "{type: ReduceLROnPlateau, patience: 1, min_delta: 0.5}]"
)
RETRY = "epochs: 3, optimizer: {type: SGD, learning_rate: 1.0e+30}, on_divergence: {retry: 2, learning_rate_factor: "
KINDS = {
    "dense": {},
    "last batch of one row": {"batch": 46},
    "class weights": {"training": "epochs: 3, class_weight: balanced"},
    "dropout": {"model": "{type: mlp, units: [16, 8], dropout: 0.3}"},
    "accumulation": {"batch": 8, "training": "epochs: 3, accumulate: 5"},
    "moving average": {"training": "epochs: 3, optimizer: {type: Adam, use_ema: true, ema_momentum: 0.9}"},
    "callbacks": {"training": CALLBACKS},
    "mixed rows": {"training": "epochs: 3, mix: mixup"},
    "members": {"model": "{type: tabular}"},
    "ensemble": {"more": "ensemble: 2\n"},
    "convolution": {"source": IMAGES, "target": ", target: y", "model": CONVOLUTION},
    "augmentation": {"source": IMAGES, "target": ", target: y", "model": AUGMENTED},
    "recurrence": {
        "source": "{type: npz, path: sequences.npz}",
        "target": ", target: y",
        "model": "{type: rnn, units: [8], dropout: 0.2}",
    },
    "several inputs": {"source": "{type: npz, path: both.npz}", "target": ", target: y", "model": "{type: fusion}"},
    "stages": {"model": STAGED, "training": STAGES},
    "retry": {"training": f"{RETRY}1.0e-31}}"},
}
ALSO_FOUR = ("dense", "convolution", "stages")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write data of each kind."""
    folder, draw = tmp_path_factory.mktemp("workers"), np.random.default_rng(0)
    y = draw.integers(0, 3, 233)
    images = (draw.normal(size=(233, 12, 12, 1)) * 40 + 100 + 20 * y[:, None, None, None]).clip(0, 255)
    sequences = (draw.normal(size=(233, 9, 3)) + y[:, None, None]).astype(np.float32)
    names = np.array(["a", "b", "c"])[y]
    np.savez(folder / "images.npz", image=images.astype(np.uint8), y=names)
    np.savez(folder / "sequences.npz", x=sequences, y=names)
    np.savez(folder / "both.npz", image=images.astype(np.uint8), table=sequences[:, 0], y=names)
    return folder


USUAL = {"source": BLOBS, "target": "", "model": DENSE, "batch": 32, "training": "epochs: 3", "more": ""}


def write(folder, name, **parts):
    (folder / name).write_text(BASE.format(**USUAL | parts))


def command(folder, *arguments):
    # `-m`: the command starts its workers as it was started.
    return subprocess.run(
        [sys.executable, "-m", "mltrain", *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=300
    )


def rows_of(run):
    with (run / "history.csv").open() as file:
        return [
            {name: float(value) for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


def difference(one, other):
    """Return the largest difference of two histories, relative to 1 or to the value above it."""
    assert len(one) == len(other)
    pairs = [(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a]
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_is_that_of_one(folder, capsys, kind):
    name = kind.replace(" ", "_")
    write(folder, f"{name}.yaml", **KINDS[kind])
    done = in_process(folder, "train", f"{name}.yaml", "--run-dir", f"{name}-1", "--quiet")
    assert done.code == 0, done.err
    one = rows_of(folder / f"{name}-1")
    for count in (2, 4) if kind in ALSO_FOUR else (2,):
        run = folder / f"{name}-{count}"
        trained = command(folder, "train", f"{name}.yaml", "--run-dir", run.name, "--workers", count, "--quiet")
        assert trained.returncode == 0, trained.stderr
        assert trained.stdout.strip() == str(run)
        found = difference(one, rows_of(run))
        with capsys.disabled():
            sys.stdout.write(f"\n{kind}, {count} workers: the history differs by {found:.1g}")
        assert found <= (1e-7 if kind == "dense" else 1e-6)
    record = json.loads((run / "record.json").read_text())
    assert record["workers"] == count
    assert f"{count} processes on this machine" in [each["value"] for each in record["decisions"]]
    assert sorted(path.name for path in (run / "workers").iterdir()) == [f"worker-{n}.log" for n in range(1, count)]
    # What follows the training is done by one, on the whole model.
    again = in_process(folder, "evaluate", run.name, "--split", "validation", "--json")
    before = json.loads((run / "metrics.json").read_text())["splits"]["validation"]["metrics"]
    assert json.loads(again.out)["splits"]["validation"]["metrics"] == before


def test_another_number_of_workers_resumes_it(folder):
    write(folder, "resumed.yaml", model="{type: mlp, units: [16, 8], dropout: 0.3}")
    done = in_process(folder, "train", "resumed.yaml", "--run-dir", "whole", "--quiet", "--set", "training.epochs=9")
    assert done.code == 0, done.err
    begun = command(folder, "train", "resumed.yaml", "--run-dir", "resumed", "--workers", 2)
    assert begun.returncode == 0, begun.stderr
    alone = in_process(folder, "resume", "resumed", "--epochs", 6)
    assert alone.code == 0, alone.err
    said = "the run was trained by 2 workers so far, and is by 1 from here on: the result is the same but for rounding"
    assert said in alone.err
    more = command(folder, "resume", "resumed", "--epochs", 9, "--workers", 3)
    assert more.returncode == 0, more.stderr
    assert "trained by 1 worker so far, and is by 3 from here on" in more.stderr
    assert difference(rows_of(folder / "whole"), rows_of(folder / "resumed")) <= 1e-6
    changed = [each["changed"] for each in json.loads((folder / "resumed" / "record.json").read_text())["resumed"]]
    assert changed == [["workers: 2 became 1"], ["workers: 1 became 3"]]


def test_a_layer_of_the_user_is_shared_too(folder):
    """Its plugin imports Keras, so that each worker is a process of its own, which is not forked."""
    (folder / "parts.py").write_text(NETS)
    write(folder, "parts.yaml", model="{type: sequential, layers: [{type: Dense, units: 8}, {type: NoisyScale}]}")
    done = command(folder, "train", "parts.yaml", "--plugin", "parts.py", "--run-dir", "parts-1", "--quiet")
    assert done.returncode == 0, done.stderr
    several = ("--run-dir", "parts-2", "--workers", 2, "--quiet")
    done = command(folder, "train", "parts.yaml", "--plugin", "parts.py", *several)
    assert done.returncode == 0, done.stderr
    assert difference(rows_of(folder / "parts-1"), rows_of(folder / "parts-2")) <= 1e-6


def test_a_step_of_the_user_is_refused(folder):
    (folder / "nets.py").write_text(OWN_STEP)
    write(folder, "own.yaml", model="{type: Stepper, network: {type: mlp, units: [4]}}")
    done = command(folder, "train", "own.yaml", "--plugin", "nets.py", "--run-dir", "own", "--workers", 2, "--quiet")
    assert done.returncode == 3
    assert done.stderr.count("error") + done.stderr.count("own.yaml") == 1
    assert "own.yaml:4:1: model: it has a `train_step` of its own, which 2 workers cannot share" in done.stderr


def test_an_error_of_the_config_is_said_once(folder):
    write(folder, "wrong.yaml", source="{type: npz, path: no.npz}")
    done = command(folder, "train", "wrong.yaml", "--run-dir", "wrong", "--workers", 2)
    assert done.returncode == 4
    assert done.stderr.count("no.npz") == 1


def free_addresses(count):
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in listening]
    for each in listening:
        each.close()
    return addresses


def test_a_run_of_two_is_reproduced_by_two(folder):
    write(folder, "again.yaml", model="{type: mlp, units: [16, 8], dropout: 0.3}")
    done = command(folder, "train", "again.yaml", "--run-dir", "again", "--workers", 2, "--quiet")
    assert done.returncode == 0, done.stderr
    found = command(folder, "reproduce", "again", "--run-dir", "twice", "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["verdict"] == "identical"
    assert json.loads((folder / "twice" / "record.json").read_text())["workers"] == 2


@pytest.mark.parametrize(
    ("command_line", "what"),
    [
        (("train", "shared.yaml", "--workers", 2), "--workers"),
        (("train", "shared.yaml", "--seeds", 2), "--seeds"),
        (("cross-validate", "shared.yaml"), "`cross-validate`"),
        (("resume", "latest", "--workers", 2), "--workers"),
    ],
)
def test_workers_of_a_scheduler_start_no_others(folder, monkeypatch, command_line, what):
    write(folder, "shared.yaml")
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    done = in_process(folder, *command_line)
    assert done.code == 2
    assert f"{what} does not go with the 2 workers that TF_CONFIG describes, of which this process is one" in done.err


def in_two_shells(folder, first, second):
    """Return how two processes end that TF_CONFIG describes."""
    addresses, started = free_addresses(2), []
    for number, arguments in enumerate((first, second)):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        line = [sys.executable, "-m", "mltrain", "train", *arguments, "--quiet"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(line, cwd=folder, env=environment, **pipes))
    ended = [each.communicate(timeout=120) for each in started]
    return [(each.returncode, *texts) for each, texts in zip(started, ended, strict=True)]


def test_tf_config_describes_them(folder):
    write(folder, "shells.yaml")
    done = in_process(folder, "train", "shells.yaml", "--run-dir", "shells-1", "--quiet")
    assert done.code == 0, done.err
    first, second = in_two_shells(folder, ("shells.yaml", "--run-dir", "shells-2"), ("shells.yaml",))
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert second[1] == ""
    assert difference(rows_of(folder / "shells-1"), rows_of(folder / "shells-2")) <= 1e-7


def test_workers_that_differ_are_refused(folder):
    write(folder, "differ.yaml")
    other = ("differ.yaml", "--set", "training.batch_size=16", "--set", "data.source.rows=234")
    first, second = in_two_shells(folder, ("differ.yaml", "--run-dir", "differ"), other)
    assert first[0] == 5
    assert "data.source.rows is 233 for worker 0 and 234 for worker 1" in first[2]
    assert "data is " in first[2]
    assert "training.batch_size is 32 for worker 0 and 16 for worker 1" in first[2]
    assert second[0] == 5
    assert second[2].startswith("error: the workers differ: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alone.yaml", "--restarts", 2), "--restarts needs --workers N with N of at least 2"),
        (("alone.yaml", "--workers", 2, "--seeds", 3), "--seeds and --workers were both given"),
        (("-", "--workers", 2), "several workers (--workers, or several devices) need a config in a file"),
    ],
)
def test_options_that_do_not_go_with_workers(folder, arguments, said):
    write(folder, "alone.yaml")
    done = in_process(folder, "train", *arguments)
    assert done.code == 2
    assert said in done.err
