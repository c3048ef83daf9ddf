"""A folder of runs of one experiment, and what they say together: the folds of a cross-validation, or several seeds."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mltrain.errors import RunExistsError
from mltrain.run import durable, layout
from mltrain.run.opening import new_directory


@dataclass(frozen=True)
class FolderKind:
    """What the runs of a folder are.

    Attributes:
        whole: all of them together, in words.
        part: what each of them is; its directory is this with its number: `fold-1`, `seed-42`.
        prefix: what the name of a folder begins with.
        results: the file of what they say together.
        card: the same as a text.
    """

    whole: str
    part: str
    prefix: str
    results: str
    card: str

    def holds(self, name: str) -> bool:
        """Return whether a file or a directory of that name may be in the folder."""
        ours = name in (self.results, self.card, layout.LOGS) or name.startswith(durable.TEMPORARY)
        return ours or re.fullmatch(rf"{self.part}-(0|[1-9][0-9]*)", name) is not None


FOLDS = FolderKind("a cross-validation", "fold", layout.FOLDS_PREFIX, layout.FOLDS, layout.FOLDS_CARD)
SEEDS = FolderKind("a training with several seeds", "seed", layout.SEEDS_PREFIX, layout.SEEDS, layout.SEEDS_CARD)


class RunFolder:
    """A folder of runs."""

    def __init__(self, path: Path, kind: FolderKind) -> None:
        self.path = path
        self.kind = kind

    def run(self, number: int) -> Path:
        """Return the run directory of a fold or a seed, which may not exist yet."""
        return self.path / f"{self.kind.part}-{number}"

    def log(self, number: int) -> Path:
        """Return the file of what the process of a fold or a seed says, where it has one of its own."""
        return self.path / layout.LOGS / f"{self.kind.part}-{number}.txt"

    def numbers(self) -> set[int]:
        """Return the folds or seeds of which there is a directory."""
        names = (entry.name for entry in self.path.iterdir() if self.kind.holds(entry.name))
        return {int(name.rpartition("-")[2]) for name in names if name.startswith(f"{self.kind.part}-")}

    def has_results(self) -> bool:
        """Return whether all runs were finished once."""
        return os.path.lexists(self.path / self.kind.results)

    def write_results(self, content: bytes, markdown: bytes) -> None:
        """Keep what its runs say together. No times belong here: equal runs give equal bytes."""
        durable.write_files(self.path, {self.kind.card: markdown, self.kind.results: content})


def run_folder(kind: FolderKind, runs_dir: Path, name: str, path: Path | None, *, go_on: bool) -> RunFolder:
    """Make a folder of runs, or open one to continue.

    Args:
        kind: what its runs are.
        runs_dir: the folder of all runs; it becomes `runs_dir/name/<prefix><UTC time>-<4 hex>`.
        name: of the experiment.
        path: exactly this folder instead.
        go_on: whether there may be runs in it already.

    Raises:
        RunExistsError: `path` is not a folder, or has something in it that may not be there.
        ConfigError: `name` cannot be part of a path.
        WriteError: it cannot be made.
    """
    if path is None:
        return RunFolder(new_directory(runs_dir, name, kind.prefix), kind)
    path = durable.without_links(path)
    if path.exists() and not path.is_dir():
        raise RunExistsError(f"{path}: exists and is not a directory; choose another --run-dir")
    durable.make_directories(path)
    names = sorted(entry.name for entry in path.iterdir())
    if layout.CONFIG in names:
        raise RunExistsError(f"{path}: is the directory of one run, not of {kind.whole}; choose another --run-dir")
    foreign = [name for name in names if not kind.holds(name)]
    if foreign:
        raise RunExistsError(f"{path}: already exists and contains {foreign[0]!r}, which is not part of {kind.whole}")
    if names and not go_on:
        raise RunExistsError(f"{path}: already exists and is not empty; choose another --run-dir, or use --resume")
    durable.remove_leftovers(path)
    return RunFolder(path, kind)
