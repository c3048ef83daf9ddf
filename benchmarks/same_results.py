"""Whether two commits train to the same bits: `python -m benchmarks.same_results OLD NEW [CONFIG …] [--epochs N]`.

Each config (by default every one in `configs/` of the new commit) is trained once by each commit. Compared are the
files that hold results, byte for byte: metrics, predictions, splits, fitted preprocessing, weights of the best and the
last epoch, and the history without the column of seconds. Then the new commit evaluates the run of the old one and must
find the numbers of its metrics.json. NEW can be `.`, the working tree. Ends with exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.compare_commits import worktree

REPOSITORY = Path(__file__).parent.parent
RESULTS = ("metrics.json", "preprocessing.json", "reference.json", "audit.json", "decision.json", "model.json")
FOLDERS = ("predictions", "splits", "checkpoints/best-*", "checkpoints/last-*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD", help="a commit")
    parser.add_argument("new", metavar="NEW", help="another one, or . for the working tree")
    parser.add_argument("configs", metavar="CONFIG", nargs="*", type=Path, help="default: all in configs/")
    parser.add_argument("--epochs", type=int, help="train each for this many epochs at most")
    arguments = parser.parse_args()
    configs = [path.resolve() for path in arguments.configs] or sorted((REPOSITORY / "configs").glob("*.yaml"))
    different = 0
    with ExitStack() as stack:
        old = stack.enter_context(worktree(arguments.old))
        new = REPOSITORY if arguments.new == "." else stack.enter_context(worktree(arguments.new))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for config in configs:
            runs = {name: folder / f"{config.stem}-{name}" for name in ("old", "new")}
            for name, tree in (("old", old), ("new", new)):
                _mltrain(tree, "train", config, "--run-dir", runs[name], "--quiet", *_limit(arguments.epochs))
            found = [*_differences(runs["old"], runs["new"]), *_evaluated(new, runs["old"])]
            different += bool(found)
            files = len(_contents(runs["old"]))
            print(
                f"{config.stem}: {'; '.join(found) if found else f'equal in {files} files, evaluate included'}",
                flush=True,
            )
    raise SystemExit(bool(different))


def _limit(epochs: int | None) -> list[str]:
    return [] if epochs is None else ["--set", f"training.epochs={epochs}"]


def _mltrain(tree: Path, *arguments: object) -> str:
    """Run mltrain of one commit, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mltrain", *map(str, arguments)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 10):  # 10: a gate was missed, which few epochs may do
        raise SystemExit(f"mltrain {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _contents(run: Path) -> dict[str, bytes]:
    """Return what is compared of a run, by the name of the file."""
    paths = [run / name for name in RESULTS]
    paths += [path for folder in FOLDERS for found in run.glob(folder) for path in sorted(found.iterdir())]
    contents = {str(path.relative_to(run)): path.read_bytes() for path in paths if path.exists()}
    rows = (run / "history.csv").read_text(encoding="utf-8").splitlines()
    contents["history.csv"] = "\n".join(row.rpartition(",")[0] for row in rows).encode()
    return contents


def _differences(old: Path, new: Path) -> Iterator[str]:
    before, after = _contents(old), _contents(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after or name not in before:
            yield f"{name} is only in the {'old' if name in before else 'new'} run"
        elif before[name] != after[name]:
            yield f"{name} differs"


def _evaluated(new: Path, run: Path) -> Iterator[str]:
    """Yield what the new commit measures differently on a run of the old one."""
    recorded = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["splits"]
    split = next(name for name in ("test", "validation", "train") if name in recorded)
    found = json.loads(_mltrain(new, "evaluate", run, "--split", split, "--json"))["splits"][split]["metrics"]
    for metric, value in recorded[split]["metrics"].items():
        if metric in found and found[metric] != value:
            yield f"evaluate: {split}.{metric} differs"


if __name__ == "__main__":
    main()
