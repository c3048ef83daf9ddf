"""Making, locking and finding run directories.

`create_run` makes one and holds its lock; `open_run` finds one, to read it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from mltrain.errors import ConfigError, RunExistsError
from mltrain.run import durable
from mltrain.run.former_state import bring_back
from mltrain.run.layout import CONFIG, LOCK, NAME, PARTS, RECORD, RESOLVED, SPLITS, STATUS
from mltrain.run.locked_run import LockedRun
from mltrain.run.references import find_run, list_runs
from mltrain.run.rundir import RunDirectory

_LATEST = "latest"
_GITIGNORE = "*\n!.gitignore\n"


def create_run(runs_dir: Path, name: str, run_dir: Path | None = None) -> LockedRun:
    """Make the directory of a new run and lock it.

    Args:
        runs_dir: the folder of runs; the run becomes `runs_dir/name/<UTC time>-<4 hex>`. `runs_dir/name/latest` points
            to it once it begins to train: see `LockedRun.become_latest`.
        name: of the experiment.
        run_dir: exactly this directory instead; it may be there if it is empty.

    Raises:
        ConfigError: `name` cannot be part of a path.
        RunExistsError: `run_dir` is there and not empty, is no directory, or another process holds it.
        WriteError: it cannot be made.
    """
    if run_dir is not None:
        return _claim(durable.without_links(run_dir.parent) / run_dir.name if run_dir.name else run_dir)
    path = new_directory(runs_dir, name)
    return LockedRun(path, latest=path.parent / _LATEST)


def refuse_taken(path: Path) -> None:
    """Refuse a directory for a new run as `create_run` does, but make nothing.

    Raises:
        RunExistsError: it is there and not empty, or is no directory.
    """
    if path.is_symlink():
        raise RunExistsError(f"{path}: is a symbolic link; give the directory that it points to as --run-dir")
    if path.exists() and not path.is_dir():
        raise RunExistsError(f"{path}: exists and is not a directory; choose another --run-dir")
    if path.exists():
        _require_empty(path)


def new_directory(runs_dir: Path, name: str, prefix: str = "") -> Path:
    """Make a directory `runs_dir/name/<prefix><UTC time>-<4 hex>` that nobody else has; errors as for `create_run`."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"name: {name!r} cannot be the name of a directory; use letters, digits, '.', '_' and '-'")
    runs_dir = durable.without_links(runs_dir)
    if not runs_dir.is_dir():
        durable.make_directories(runs_dir)
        durable.write_file(runs_dir / ".gitignore", _GITIGNORE.encode())
    durable.make_directories(runs_dir / name)
    while True:
        path = runs_dir / name / f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}"
        try:
            durable.make_directory(path)
        except FileExistsError:
            continue  # another run of this second drew the same four digits
        return path


def lock_run(path: Path) -> LockedRun:
    """Lock an existing run to resume it. Nothing in it is written yet.

    Where a process was killed while it wrote the first files of a resumption, the run becomes what it was before.

    Raises:
        RunExistsError: another process holds it.
        WriteError: it cannot be written.
    """
    run = LockedRun(path)
    try:
        bring_back(path)
    except BaseException:
        run.close()
        raise
    run.only_read()
    return run


def start_or_resume(path: Path) -> tuple[LockedRun, bool]:
    """Return the run at exactly `path`, locked, and whether it has begun: else it is to be started.

    A directory that is not there or empty is one to start, and so is one that a kill left half-made: it holds nothing
    but what a run writes first.

    Raises:
        RunExistsError: another process holds it, or there is something in it that no run writes.
        WriteError: it cannot be made.
    """
    path = durable.without_links(path.parent) / path.name if path.name else path
    names = {entry.name for entry in path.iterdir()} if path.is_dir() and not path.is_symlink() else set()
    if not names - {LOCK}:
        return _claim(path), False
    foreign = sorted(name for name in names - PARTS if not name.startswith(durable.TEMPORARY))
    if foreign:
        raise RunExistsError(f"{path}: exists and holds {foreign[0]!r}, which does not belong to a run")
    return lock_run(path), {RESOLVED, RECORD, STATUS} <= names


def open_run(reference: str, runs_dir: Path) -> RunDirectory:
    """Find a run, to read it.

    Args:
        reference: a path; `latest`; `NAME/latest`; or the unique beginning of a run's id, like `2026` or `NAME/2026`.
        runs_dir: the folder of runs.

    Raises:
        RunError: nothing is found, or several are; says which are near.
    """
    return RunDirectory(find_run(reference, runs_dir, marker=CONFIG, begun=SPLITS))


def all_runs(runs_dir: Path) -> list[RunDirectory]:
    """Return every run in the folder of runs, to read it, the oldest first; no link is followed to one."""
    return [RunDirectory(path) for path in list_runs(runs_dir, marker=CONFIG)]


def _claim(path: Path) -> LockedRun:
    """Take exactly this directory, which must be empty or not there."""
    # Looked at before and under the lock: of two starts at once, one locks and the other meets the lock or the files.
    refuse_taken(path)
    durable.make_directories(path)
    run = LockedRun(path)
    try:
        _require_empty(path)
    except RunExistsError:
        run.close()
        raise
    return run


def _require_empty(path: Path) -> None:
    # What a start that died at once left behind is nothing yet.
    entries = [entry.name for entry in path.iterdir() if entry.name != LOCK]
    if any(not name.startswith(durable.TEMPORARY) for name in entries):
        raise RunExistsError(f"{path}: exists and is not empty; choose another --run-dir")
