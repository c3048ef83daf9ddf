"""What `mltrain check` estimates, beside what the training then takes: `python -m benchmarks.preflight [CONFIG …]`.

Each config is checked, and then trained for all of its epochs, without callbacks and without stop_when, each in a
process of its own. The table has the seconds of both, and the estimates as multiples of what was measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import FreshRuns
from benchmarks.ratios import machine

CONFIGS = Path(__file__).parent.parent / "configs"
ALL_EPOCHS = ("--set", "training.callbacks=[]", "--set", "training.stop_when=null")


@dataclass(frozen=True)
class Compared:
    """One config.

    Attributes:
        name: of the config.
        check: seconds of the check, and of its processor time.
        training: seconds of the training.
        time: the estimate of the seconds as a multiple of them.
        memory: likewise, of the peak.
        disk: likewise, of the size of the run.
        warnings: what the check warned of.
    """

    name: str
    check: float
    training: float
    time: float
    memory: float
    disk: float
    warnings: tuple[str, ...]

    def line(self) -> str:
        warned = ", ".join(self.warnings) or "none"
        seconds = f"{self.check:.1f} s | {self.training:.1f} s"
        return f"| {self.name} | {seconds} | {self.time:.2f} | {self.memory:.2f} | {self.disk:.2f} | {warned} |"


def main() -> None:
    print(machine(), flush=True)
    print("| config | check | training | time | memory | disk | warnings |\n|---|---|---|---|---|---|---|")
    for config in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(CONFIGS.glob("*.yaml")):
        print(compared(config).line(), flush=True)


def compared(config: Path, *options: str) -> Compared:
    """Check a config, train it, and return both beside each other."""
    seconds, found = checked(config, *ALL_EPOCHS, *options)
    with tempfile.TemporaryDirectory() as place:
        runs = FreshRuns(Path(place))
        trained = runs.train(config, *ALL_EPOCHS, *options)
        size = sum(each.stat().st_size for each in runs.last.rglob("*") if each.is_file())
    estimate = found["estimate"]
    return Compared(
        config.stem,
        seconds,
        trained.seconds,
        estimate["seconds"] / trained.seconds,
        estimate["memory"] / (trained.megabytes * 2**20),
        estimate["disk"] / size,
        tuple(each["check"] for each in found["checks"] if each["verdict"] == "warning"),
    )


def checked(config: Path, *options: str) -> tuple[float, dict[str, Any]]:
    """Return the seconds of `mltrain check` of a config, and what it found."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mltrain", "check", str(config), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - started, json.loads(done.stdout)


if __name__ == "__main__":
    main()
