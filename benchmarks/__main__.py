"""Run every benchmark, or those that are named: `python -m benchmarks [PART …] [--quick]`.

Each part is a process of its own, so that none meets the memory, the threads or the traces of another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.ratios import machine

PARTS = (
    "start_up",
    "training_loop",
    "several_inputs",
    "tabular",
    "linear_regression",
    "evaluation",
    "intervals",
    "whole_command",
    "memory",
    "images",
    "growth",
    "checkpoints",
    "transfer",
    "workers",
    "tables",
)
HOURS_LONG = ("tables",)  # measured only when it is named; `--quick` runs it all the same


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(PARTS)}; all but {', '.join(HOURS_LONG)} when none is named",
    )
    parser.add_argument("--quick", action="store_true", help="small data and few rounds: to see that it runs")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(machine(), flush=True)
    parts = arguments.parts or [part for part in PARTS if arguments.quick or part not in HOURS_LONG]
    failed = [part for part in parts if not _run(part, arguments.quick)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(part: str, quick: bool) -> bool:
    print(f"\n## {part}\n", flush=True)
    options = ["--quick"] if quick else []
    return subprocess.run([sys.executable, "-m", f"benchmarks.{part}", *options], check=False).returncode == 0


if __name__ == "__main__":
    main()
