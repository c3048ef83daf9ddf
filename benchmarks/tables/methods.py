"""The methods: each is one command in a process of its own, from the CSV file of a split to predictions of its test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from benchmarks.tables.arrays import PART

LONGEST = 3_600  # seconds of one command
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Method:
    """One way from rows to predictions.

    Attributes:
        name: in the cache and on the command line.
        title: in the tables.
        peer: the module that is run, with its options; none for mltrain.
    """

    name: str
    title: str
    peer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """One file of a split, and how it is worked on.

    Attributes:
        file: the CSV file, in a folder that the method may write to.
        target: the column that is learned.
        task: regression, binary or multiclass.
        seed: of the method.
        threads: that one operation may use; mltrain is told when they are fewer than the cores.
        python: the Python that runs RealMLP-TD.
        model: the type of mltrain's model where the method is mltrain's default.
        options: more of `mltrain train`, for its default.
    """

    file: Path
    target: str
    task: str
    seed: int
    threads: int
    python: str
    model: str
    options: tuple[str, ...] = ()


METHODS = {
    method.name: method
    for method in (
        Method("mltrain", "mltrain's default"),
        Method("mlp", "mltrain's `mlp`"),
        Method("linear", "linear", ("linear",)),
        Method("boosting", "HistGradientBoosting", ("boosting",)),
        Method("boosting_stopped", "HistGradientBoosting, stopped early", ("boosting", "--variant", "stopped")),
        Method("realmlp", "RealMLP-TD", ("realmlp",)),
    )
}


@dataclass(frozen=True)
class Done:
    """What came of it.

    Attributes:
        seconds: of the whole command.
        predictions: of the test rows in the order of the file: numbers, or a probability of each class.
        classes: of the columns of the predictions.
        failed: the last words of a command that failed; nothing was predicted then.
    """

    seconds: float
    predictions: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    failed: str = ""


def run(method: Method, work: Work) -> Done:
    """Run the method on one split, and return its predictions of the test rows."""
    command = _peer_command(method, work) if method.peer else _mltrain_command(method, work)
    started = time.perf_counter()
    try:
        # A Python of another environment finds the peers by PYTHONPATH.
        done = subprocess.run(
            command,
            cwd=work.file.parent,
            env=_surroundings(work),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return Done(LONGEST, failed=f"longer than {LONGEST} s")
    seconds = time.perf_counter() - started
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no words"]
        return Done(seconds, failed=f"exit code {done.returncode}: {words[0][:300]}")
    predictions, classes = _peer_result(work) if method.peer else _mltrain_result(work)
    return Done(seconds, predictions, classes)


def _surroundings(work: Work) -> dict[str, str]:
    repository = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (repository, os.environ.get("PYTHONPATH", ""))))
    return {
        **os.environ,
        **dict.fromkeys(LIBRARIES, str(work.threads)),
        "PYTHONPATH": paths,
        "PYTHONWARNINGS": "ignore",
    }


def _peer_command(method: Method, work: Work) -> list[str]:
    module, *options = method.peer
    python = work.python if module == "realmlp" else sys.executable
    command = [python, "-m", f"benchmarks.tables.{module}", work.file.name, *options]
    command += ["--target", work.target, "--task", work.task, "--out", "predictions.npz"]
    return [*command, "--seed", str(work.seed), "--threads", str(work.threads)]


def _peer_result(work: Work) -> tuple[np.ndarray, tuple[str, ...]]:
    with np.load(work.file.with_name("predictions.npz")) as kept:
        return kept["predictions"], tuple(map(str, kept["classes"]))


def _mltrain_command(method: Method, work: Work) -> list[str]:
    default = method.name == "mltrain"
    config = {
        "version": 1,
        "name": work.file.stem,
        "seed": work.seed,
        "task": work.task,
        "data": {
            "source": {"type": "csv", "path": work.file.name},
            "target": work.target,
            "split": {"type": "column", "column": PART},
        },
        "model": {"type": work.model if default else "mlp"},
    }
    if work.threads < len(os.sched_getaffinity(0)):
        config["threads"] = work.threads
    work.file.with_name("config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "mltrain", "train", "config.yaml", "--quiet"]
    return [*command, "--run-dir", "run", *(work.options if default else ())]


def _mltrain_result(work: Work) -> tuple[np.ndarray, tuple[str, ...]]:
    run_directory = work.file.with_name("run")
    rows = np.load(run_directory / "predictions" / "test.rows.npy")
    predictions = np.load(run_directory / "predictions" / "test.predictions.npy")[np.argsort(rows)]
    if work.task == "regression":
        return predictions.reshape(-1), ()
    classes = tuple(map(str, json.loads((run_directory / "metrics.json").read_text(encoding="utf-8"))["classes"]))
    if work.task == "binary":  # the probability of the second class is kept
        predictions = predictions.reshape(-1)
        predictions = np.column_stack([1 - predictions, predictions])
    return predictions, classes
