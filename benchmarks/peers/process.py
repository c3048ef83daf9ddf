"""A peer: a process that waits for its turn, runs one epoch, and says how long it took and what its loss was.

Two frameworks in one process would fight for the cores: each keeps its own threads, and some spin while they wait.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.cases import Case


class Peer:
    """One that is running.

    Args:
        module: below `benchmarks.peers`.
        case: what it trains.
        directory: where to leave the weights for the process.
        weights: of the model as Keras lists them, to start from; None where the framework has others.
    """

    def __init__(self, module: str, case: Case, directory: Path, weights: list[np.ndarray] | None = None) -> None:
        arguments = [case.name, str(case.rows)]
        if weights is not None:
            np.savez(directory / "weights.npz", *weights)
            arguments.append(str(directory / "weights.npz"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.peers.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "KERAS_BACKEND": "jax"},
        )
        self.loss = float("nan")

    def epoch(self) -> float:
        """Run one epoch; return its seconds."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("epoch\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a peer ended with {self._process.wait()}")
        seconds, self.loss = map(float, line.split())
        return seconds

    def close(self) -> None:
        """End the process."""
        with self._process:  # closes both pipes; a peer ends where its lines do
            pass


def installed(framework: str) -> bool:
    """Return whether a framework can be imported."""
    return importlib.util.find_spec(framework) is not None


def serve(epoch: Callable[[int], float]) -> None:
    """Run `epoch(number)`, which returns its loss, for each line on stdin."""
    for number, _ in enumerate(sys.stdin, start=1):
        started = time.perf_counter()
        loss = epoch(number)
        print(time.perf_counter() - started, loss, flush=True)
