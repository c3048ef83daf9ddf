"""Whether a commit made mltrain slower: `python -m benchmarks.compare_commits OLD NEW [--rounds N] [--script FILE …]`.

Both commits are checked out into temporary worktrees. In every round each runs once, the first one in turns, so the
rounds are pairs that met the same machine. Printed is `old ÷ new`, the median of the rounds, with its 95 % interval: a
new commit that is slower has an interval below 1; where 1 is inside, no difference was seen, and more rounds may tell.

Two things are compared: the whole command on breast_cancer, and an epoch of the loop on the dense net (commit_loop.py,
of this commit for both). With `--script`, files of yours instead: each is run by Python with the commit on its path and
counts from start to end, or prints the seconds that count as its last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from benchmarks.ratios import in_turns, interval, machine

HERE = Path(__file__).parent
ROUNDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD", help="a commit")
    parser.add_argument("new", metavar="NEW", help="another one")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"default: {ROUNDS}")
    parser.add_argument("--script", type=Path, action="append", metavar="FILE", help="compare this; may be repeated")
    arguments = parser.parse_args()
    print(f"{machine()}; {arguments.rounds} rounds\n\n| compared | old ÷ new (95 % interval) |\n|---|---|", flush=True)
    with ExitStack() as stack:
        trees = [stack.enter_context(worktree(commit)) for commit in (arguments.old, arguments.new)]
        runs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if arguments.script:
            compared = {f"`{script}`": _script(script.resolve()) for script in arguments.script}
        else:
            compared = {
                "`mltrain train`, breast_cancer": _whole_command(runs),
                "the loop, dense 784-64-10, an epoch": _script(HERE / "commit_loop.py"),
            }
        for name, measure in compared.items():
            old, new = trees
            seconds = in_turns({"old": lambda: measure(old), "new": lambda: measure(new)}, arguments.rounds)  # noqa: B023
            print(f"| {name} | {interval(seconds['old'], seconds['new'])} |", flush=True)


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check out a commit into a temporary folder.

    Raises:
        SystemExit: git does not know it.
    """
    with tempfile.TemporaryDirectory(prefix="mltrain-commit-") as name:
        tree = Path(name) / "tree"
        _git("worktree", "add", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")


def _whole_command(runs: Path) -> Callable[[Path], float]:
    numbers = count()

    def measure(tree: Path) -> float:
        run = runs / str(next(numbers))
        config = tree / "configs" / "breast_cancer.yaml"
        return _python(tree, "-m", "mltrain", "train", str(config), "--quiet", "--run-dir", str(run))[0]

    return measure


def _script(script: Path) -> Callable[[Path], float]:
    def measure(tree: Path) -> float:
        seconds, said = _python(tree, str(script))
        try:
            return float(said.split()[-1])
        except (IndexError, ValueError):
            return seconds

    return measure


def _python(tree: Path, *arguments: str) -> tuple[float, str]:
    """Run Python with mltrain of one commit; return the seconds and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} in {tree} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - started, done.stdout


if __name__ == "__main__":
    main()
