"""Which run is meant: a path, `latest`, `NAME/latest`, or the unique beginning of a run's id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mltrain.errors import RunError
from mltrain.run.layout import FOLDS_PREFIX, SEEDS_PREFIX
from mltrain.run.reading import read_file
from mltrain.spec import suggest
from mltrain.wording import counted

_LATEST = "latest"
_SHOWN = 5
_FOLDERS = (FOLDS_PREFIX, SEEDS_PREFIX)


def find_run(reference: str, runs_dir: Path, *, marker: str, begun: str = "") -> Path:
    """Return the directory of the run that `reference` means.

    `latest` is the newest run that began to train: a start that failed, for example by an error in the data, is meant
    only where no run began.

    Args:
        reference: what a user wrote.
        runs_dir: the folder of runs.
        marker: the file that every run has.
        begun: what those have in them that began to train; empty where all count.

    Raises:
        RunError: nothing is found, or several are; says which.
    """
    name, _, beginning = reference.rpartition("/")
    if reference not in ("", _LATEST):  # Path("") is the current directory
        path = _as_path(reference, marker)
        if path is not None:
            return path
    runs = list_runs(runs_dir, marker=marker)
    if name:
        runs = [run for run in runs if run.parent.name == name]
    if beginning == _LATEST:
        if not runs:
            of_name = f" of {name!r}" if name else ""
            raise RunError(f"{reference}: found no run{of_name} in {runs_dir}; `mltrain train` makes one")
        return ([run for run in runs if (run / begun).exists()] or runs)[-1]
    found = [run for run in runs if beginning and run.name.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RunError(f"{reference}: {len(found)} runs begin with this: {_named(found)}; write more of the id")
    raise _nothing(reference, runs_dir, marker)


def list_runs(runs_dir: Path, *, marker: str) -> list[Path]:
    """Return every run in the folder of runs, the oldest first."""
    return sorted(_runs(runs_dir, marker), key=lambda run: (*_created(run, marker), run.name))


def _as_path(reference: str, marker: str) -> Path | None:
    with suppress(OSError, ValueError, RuntimeError, RunError):  # no such path, or no path at all: then it is an id
        path = Path(reference).expanduser()
        if path.is_file() and path.name == _LATEST:  # where the file system has no links
            path = path.parent / Path(read_file(path.parent, _LATEST, limit=1024).decode("utf-8").strip()).name
        if path.is_symlink():
            path = path.resolve(strict=True)
        if _is_run(path, marker):
            return path
    return None


def _is_run(path: Path, marker: str) -> bool:
    with suppress(PermissionError):  # one folder that may not be read hides no other
        return (path / marker).is_file()
    return False


def _runs(runs_dir: Path, marker: str) -> Iterator[Path]:
    for entry in _directories(runs_dir):
        if _is_run(entry, marker):  # made with --run-dir
            yield entry
        else:
            for inner in _directories(entry):
                if _is_run(inner, marker):
                    yield inner
                elif inner.name.startswith(_FOLDERS):
                    yield from (run for run in _directories(inner) if _is_run(run, marker))


def _directories(path: Path) -> Iterator[Path]:
    with suppress(OSError):
        for entry in sorted(path.iterdir()):
            if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
                yield entry


def _created(run: Path, marker: str) -> tuple[str, int]:
    """Return the second in which a run was made, and what orders the runs of one second."""
    modified = 0
    with suppress(OSError):  # removed meanwhile
        modified = (run / marker).stat().st_mtime_ns
    stamp = run.name.partition("-")[0]
    with suppress(ValueError):
        datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return stamp, modified
    return f"{datetime.fromtimestamp(modified // 10**9, UTC):%Y%m%dT%H%M%SZ}", modified


def _named(runs: Sequence[Path]) -> str:
    names = [f"{run.parent.name}/{run.name}" for run in runs]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[-_SHOWN:]) + more


def _nothing(reference: str, runs_dir: Path, marker: str) -> RunError:
    with suppress(OSError, ValueError):
        if reference and Path(reference).is_dir():
            inside = [run.name for run in _directories(Path(reference)) if _is_run(run, marker)]
            if inside:
                example = f"name one of its {counted(len(inside), 'run')}, such as {Path(reference) / inside[0]}"
                return RunError(f"{reference}: is a folder of runs, and one run is needed: {example}")
            return RunError(f"{reference}: it has no {marker}, so it is not a run, or the run died before it began")
    runs = list_runs(runs_dir, marker=marker)
    if not runs:
        return RunError(
            f"{reference or repr(reference)}: no such run, and {runs_dir} has no runs; `mltrain train` makes one"
        )
    names = [run.name for run in runs] + [f"{run.parent.name}/{run.name}" for run in runs]
    names += sorted({f"{run.parent.name}/{_LATEST}" for run in runs})
    near = suggest(reference, names) or f" (the newest: {_named(runs[-1:])})"
    return RunError(f"{reference or repr(reference)}: no such run, neither a path nor in {runs_dir}{near}")
