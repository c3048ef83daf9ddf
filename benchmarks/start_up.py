"""How long the commands that need no TensorFlow take: `python benchmarks/start_up.py`, about a minute.

Each command is a process of its own, compared with one that starts Python and does nothing, and with one that imports
TensorFlow.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ratios import in_turns, machine, ratio

CONFIG = Path(__file__).parent.parent / "configs" / "pass_fail.yaml"
ROUNDS = 9
# What a person does not notice as waiting (--help), and barely (validate).
LIMITS = {"mltrain --help": 0.3, "mltrain validate": 0.6}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        run = f"{directory}/run"
        _process("-m", "mltrain", "train", str(CONFIG), "--run-dir", run, "--quiet")()
        seconds = in_turns(
            {
                "python -c pass": _process("-c", "pass"),
                "import tensorflow": _process("-c", "import tensorflow"),
                "mltrain --help": _process("-m", "mltrain", "--help"),
                "mltrain validate": _process("-m", "mltrain", "validate", str(CONFIG)),
                "mltrain list": _process("-m", "mltrain", "list"),
                "mltrain show": _process("-m", "mltrain", "show", run),
                "mltrain schema": _process("-m", "mltrain", "schema"),
            },
            ROUNDS,
        )
    print(f"{machine()}; medians of {ROUNDS} rounds (lowest to highest)\n")
    print("| command | × `python -c pass` | × `import tensorflow` |\n|---|---|---|")
    for command in list(seconds)[2:]:
        nothing, tensorflow = (ratio(seconds[command], seconds[of]) for of in ("python -c pass", "import tensorflow"))
        print(f"| `{command}` | {nothing} | {tensorflow} |")
    print()
    for command, limit in LIMITS.items():
        held = "yes" if statistics.median(seconds[command]) < limit else "no"
        print(f"{command} in less than {limit} s here: {held}")


def _process(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
