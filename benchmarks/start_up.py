"""How long a person waits: `python -m benchmarks.start_up`, three minutes.

The commands that need no TensorFlow, each a process of its own, are held against what a person takes for at once, and
shown as multiples of `import tensorflow`; then from Enter to the end of the first epoch of breast_cancer (11 steps and
their validation, so a little more than the first step) against a bare `import tensorflow`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from benchmarks.processes import command
from benchmarks.ratios import Row, in_turns, quick, ratio, show

CONFIGS = Path(__file__).parent.parent / "configs"
ROUNDS, QUICK_ROUNDS = 9, 2
_GRAPH = "validate GRAPH"
_NODES = 200
# Seconds that each may take on two cores, or None.
LIMITS = {
    **{"--help": 0.25, "validate": 0.5, _GRAPH: 0.7, "show": 0.6, "TAB completion": 0.25},
    **{"list": None, "schema": None},
}
_IN_WORDS = {
    "TAB completion": "TAB after `mltrain `",
    _GRAPH: f"`mltrain validate`, a graph of {_NODES} nodes",
}


def main() -> None:
    show(measured(QUICK_ROUNDS if quick(__doc__) else ROUNDS))


def measured(rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as name:
        config, run = str(CONFIGS / "pass_fail.yaml"), f"{name}/run"
        command("-m", "mltrain", "train", config, "--run-dir", run, "--quiet")()
        actions = {
            "--help": command("-m", "mltrain", "--help"),
            "validate": command("-m", "mltrain", "validate", config),
            _GRAPH: command("-m", "mltrain", "validate", graph(Path(name))),
            "show": command("-m", "mltrain", "show", run),
            "TAB completion": _completion,
            "list": command("-m", "mltrain", "list"),
            "schema": command("-m", "mltrain", "schema"),
        }
        tensorflow = {"import": command("-c", "import tensorflow"), "first step": _first_step(Path(name))}
        seconds = in_turns({**actions, **tensorflow}, rounds)
    for each in actions:
        limit, work = LIMITS[each], _IN_WORDS.get(each, f"`mltrain {each}`")
        if limit is not None:
            yield Row(work, f"the limit of {limit} s", 1, ratio([limit] * rounds, seconds[each]))
        yield Row(work, "`import tensorflow`", None, ratio(seconds["import"], seconds[each]))
    first = ratio(seconds["import"], seconds["first step"])
    yield Row("from Enter to the first step, breast_cancer", "`import tensorflow`", 1, first)


def graph(folder: Path) -> str:
    """Write a config with a graph of many nodes, of which every fourth joins two, and return its path."""
    nodes = ["{name: n0, from: table, type: Dense, units: 16, activation: relu}"]
    for number in range(1, _NODES):
        layer = (
            f"type: Add, from: [n{number - 1}, n{number - 4}]",
            "type: Dense, units: 16, activation: gelu, kernel_regularizer: {type: L2, l2: 1e-4}",
            "type: BatchNormalization, momentum: 0.9",
            "type: Dropout, rate: 0.1",
        )[number % 4]
        nodes.append(f"{{name: n{number}, {layer}}}")
    lines = "".join(f"    - {node}\n" for node in nodes)
    config = folder / "graph.yaml"
    config.write_text(
        f"data: {{source: {{type: csv, path: rows.csv}}, target: y}}\nmodel:\n  type: graph\n  layers:\n{lines}"
    )
    return str(config)


def _completion() -> None:
    """Do what bash does when TAB is pressed behind `mltrain `.

    Raises:
        SystemExit: no command is offered.
    """
    # As the installed `mltrain` would be called: the name of the variable follows from that of the program.
    program = "import sys; sys.argv = ['mltrain']; from mltrain.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "_MLTRAIN_COMPLETE": "complete_bash", "COMP_WORDS": "mltrain ", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "train" not in done.stdout:
        raise SystemExit(f"TAB offers nothing: {done.stdout!r} {done.stderr!r}")


def _first_step(place: Path) -> Callable[[], float]:
    numbers = count()

    def run() -> float:
        directory = str(place / f"first-{next(numbers)}")
        arguments = ["train", str(CONFIGS / "breast_cancer.yaml"), "--run-dir", directory, "--set", "training.epochs=1"]
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "mltrain", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr
            for line in process.stderr:
                if line.startswith("epoch 1/"):
                    seconds = time.perf_counter() - started
                    process.stderr.read()  # the rest of the run is not counted
                    return seconds
        raise SystemExit(f"mltrain train ended with {process.returncode} before its first epoch")

    return run


if __name__ == "__main__":
    main()
