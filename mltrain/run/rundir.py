"""A run directory: the only module that knows a file name inside a run.

`create_run` makes one and holds its lock. `open_run` finds one and only reads: no lock, no write; a read-only tree or a
run that still goes or died is fine. What a run does not have (yet) is a RunError that names the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import ValidationError

from mltrain.errors import ConfigError, RunError, RunExistsError
from mltrain.run import durable
from mltrain.run.history import History, HistoryFile
from mltrain.run.json_text import from_json, to_json
from mltrain.run.lock import Lock
from mltrain.run.profile import Profile
from mltrain.run.reading import MEBIBYTE, read_file, wrong_form
from mltrain.run.record import Record
from mltrain.run.references import find_run
from mltrain.run.status import Status
from mltrain.spec import Spec

if TYPE_CHECKING:  # NumPy costs 80 ms, and `show` of a run needs none
    import numpy as np

SpecT = TypeVar("SpecT", bound=Spec)

# What becomes part of a path: no separators, no leading dot or dash, nothing that another system reserves.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_CONFIG = "config.yaml"
_RESOLVED = "config.resolved.yaml"
_RECORD = "record.json"
_STATUS = "status.json"
_SPLITS = "splits"
_PREPROCESSING = "preprocessing.json"
_HISTORY = "history.csv"
_METRICS = "metrics.json"
_PROFILE = "profile.json"
_PLOTS = "plots"
_MODEL = "model.keras"
_CHECKPOINTS = "checkpoints"
_LOG = "log.txt"
_LOCK = ".lock"

_PARTS = {
    _CONFIG,
    _RESOLVED,
    _RECORD,
    _STATUS,
    _SPLITS,
    _PREPROCESSING,
    _HISTORY,
    _METRICS,
    _PROFILE,
    _PLOTS,
    _MODEL,
    _CHECKPOINTS,
    _LOG,
    _LOCK,
}

_LATEST = "latest"
_GITIGNORE = "*\n!.gitignore\n"


def create_run(runs_dir: Path, name: str, run_dir: Path | None = None) -> LockedRun:
    """Make the directory of a new run and lock it.

    Args:
        runs_dir: the folder of runs; the run becomes `runs_dir/name/<UTC time>-<4 hex>`, and `runs_dir/name/latest`
            points to it.
        name: of the experiment.
        run_dir: exactly this directory instead; it may be there if it is empty.

    Raises:
        ConfigError: `name` cannot be part of a path.
        RunExistsError: `run_dir` is there and not empty, is no directory, or another process holds it.
        WriteError: it cannot be made.
    """
    if run_dir is not None:
        return _claim(durable.without_links(run_dir.parent) / run_dir.name if run_dir.name else run_dir)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name: {name!r} cannot be the name of a directory; use letters, digits, '.', '_' and '-'")
    runs_dir = durable.without_links(runs_dir)
    if not runs_dir.is_dir():
        durable.make_directories(runs_dir)
        durable.write_file(runs_dir / ".gitignore", _GITIGNORE.encode())
    durable.make_directories(runs_dir / name)
    path = _new_directory(runs_dir / name)
    run = LockedRun(path)
    durable.point(path.parent / _LATEST, path.name)
    return run


def lock_run(path: Path) -> LockedRun:
    """Take an existing run to go on with it, and remove what a kill left half-written in it.

    Raises:
        RunExistsError: another process holds it.
        WriteError: it cannot be written.
    """
    run = LockedRun(path)
    for directory in (path, path / _CHECKPOINTS, path / _PLOTS):
        durable.remove_leftovers(directory)
    return run


def start_or_take_up(path: Path) -> tuple[LockedRun, bool]:
    """Return the run at exactly `path`, locked, and whether it has begun: else it is to be started.

    A directory that is not there or empty is one to start, and so is one that a kill left half-made: it holds nothing
    but what a run writes first.

    Raises:
        RunExistsError: another process holds it, or there is something in it that no run writes.
        WriteError: it cannot be made.
    """
    path = durable.without_links(path.parent) / path.name if path.name else path
    names = {entry.name for entry in path.iterdir()} if path.is_dir() and not path.is_symlink() else set()
    if not names - {_LOCK}:
        return _claim(path), False
    foreign = sorted(name for name in names - _PARTS if not name.startswith(durable.TEMPORARY))
    if foreign:
        raise RunExistsError(f"{path}: is there already and holds {foreign[0]!r}, which is no part of a run")
    return lock_run(path), {_RESOLVED, _RECORD, _STATUS} <= names


def open_run(reference: str, runs_dir: Path) -> RunDirectory:
    """Find a run, to read it.

    Args:
        reference: a path; `latest`; `NAME/latest`; or the unique beginning of a run's id, as `2026` or `NAME/2026`.
        runs_dir: the folder of runs.

    Raises:
        RunError: nothing is found, or several are; says which are near.
    """
    return RunDirectory(find_run(reference, runs_dir, marker=_CONFIG))


class RunDirectory:
    """A run that is there, read-only.

    Every reading method raises a RunError that names the file when it is missing, damaged, or no plain file.

    Attributes:
        path: the directory.
        checkpoints: the directory of checkpoints, for `checkpoint_files`.
        model: the path of the archive for users of Keras.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / _CHECKPOINTS
        self.model = path / _MODEL

    def config(self) -> bytes:
        """Return the text that was given, byte for byte."""
        return read_file(self.path, _CONFIG, limit=MEBIBYTE)

    def resolved(self) -> bytes:
        """Return the config with every value filled in."""
        return read_file(self.path, _RESOLVED, limit=16 * MEBIBYTE)

    def record(self) -> Record:
        """Return what was recorded when the run began, and since."""
        return self._read_spec(_RECORD, Record)

    def status(self) -> Status:
        """Return what the run is doing, or how it ended."""
        return self._read_spec(_STATUS, Status)

    def has_begun(self) -> bool:
        """Return whether the files are there without which nothing can be gone on with."""
        return self._has(_RESOLVED) and self._has(_RECORD)

    def has_status(self) -> bool:
        """Return whether the run got as far as its first phase."""
        return self._has(_STATUS)

    def splits(self) -> dict[str, np.ndarray]:
        """Return the row ids (int64) of each split, in the order of train, validation, test."""
        import numpy as np

        from mltrain.run.arrays import from_npy
        from mltrain.task import SPLITS

        splits = {}
        for split in SPLITS:
            name = f"{_SPLITS}/{split}.npy"
            if not self._has(name):
                continue
            try:
                rows = from_npy(read_file(self.path, name, limit=1024 * MEBIBYTE))
            except ValueError as error:
                raise RunError(f"{self.path / name}: not row ids: {error}") from error
            if rows.dtype != np.int64 or rows.ndim != 1:
                raise RunError(f"{self.path / name}: expected a list of int64, found {rows.dtype} {rows.shape}")
            splits[str(split)] = rows
        if not splits:
            raise RunError(f"{self.path / _SPLITS}: no split is there; the run ended before the data was split")
        return splits

    def has_splits(self) -> bool:
        """Return whether the row ids of the splits are written."""
        return (self.path / _SPLITS).is_dir()

    def preprocessing(self) -> dict[str, Any]:
        """Return what was fitted on the training rows, for `Preprocessing.from_json`."""
        return self._read_json(_PREPROCESSING)

    def history(self) -> History:
        """Return what was measured in each epoch; empty before the first ends."""
        if not self._has(_HISTORY):
            return History((), ())
        return History.from_csv(read_file(self.path, _HISTORY, limit=256 * MEBIBYTE), self.path / _HISTORY)

    def metrics(self) -> dict[str, Any]:
        """Return the results on every split."""
        return self._read_json(_METRICS)

    def profile(self) -> Profile | None:
        """Return where the time of the process went; None where that was not asked for."""
        return self._read_spec(_PROFILE, Profile) if self._has(_PROFILE) else None

    def plots(self) -> tuple[Path, ...]:
        """Return the pictures that are there, by name."""
        return tuple(sorted((self.path / _PLOTS).glob("*.png")))

    def _has(self, name: str) -> bool:
        return os.path.lexists(self.path / name)  # a link, wherever it leads, is there: reading it says what is wrong

    def _read_json(self, name: str) -> dict[str, Any]:
        return from_json(read_file(self.path, name, limit=64 * MEBIBYTE), self.path / name)

    def _read_spec(self, name: str, spec: type[SpecT]) -> SpecT:
        place = self.path / name
        data = read_file(self.path, name, limit=64 * MEBIBYTE)
        values = from_json(data, place)
        known = spec.model_fields["format"].default
        if values.get("format") != known:
            raise RunError(f"{place}: format {values.get('format')!r}; this version of mltrain reads format {known}")
        try:
            return spec.model_validate_json(data)
        except ValidationError as error:
            raise wrong_form(place, error) from error


class LockedRun(RunDirectory):
    """A run that this process makes: it holds the lock until `close`, and can write every part.

    Every writing method raises WriteError and leaves what was there before.

    Attributes:
        history_file: where each epoch is appended.

    Raises:
        RunExistsError: another process holds the run.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._lock = Lock(path / _LOCK)
        self.history_file = HistoryFile(path / _HISTORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def write_config(self, text: bytes) -> None:
        """Keep the text that was given, byte for byte."""
        durable.write_file(self.path / _CONFIG, text)

    def write_resolved(self, text: bytes) -> None:
        """Keep the config with every value filled in."""
        durable.write_file(self.path / _RESOLVED, text)

    def write_record(self, record: Record) -> None:
        """Keep what is known of how the run came about."""
        durable.write_file(self.path / _RECORD, to_json(record.model_dump(mode="json")))

    def write_status(self, status: Status) -> None:
        """Say what the run is doing. Two flushes of the disk: for phases and checkpoints, not for every quick epoch."""
        durable.write_file(self.path / _STATUS, to_json(status.model_dump(mode="json")))

    def write_splits(self, splits: Mapping[str, np.ndarray]) -> None:
        """Keep the row ids of every split, once."""
        import numpy as np

        from mltrain.run.arrays import to_npy

        files = {f"{_safe(split)}.npy": to_npy(np.asarray(rows, dtype=np.int64)) for split, rows in splits.items()}
        durable.write_directory(self.path / _SPLITS, files)

    def write_preprocessing(self, values: Mapping[str, Any]) -> None:
        """Keep what was fitted on the training rows; NaN or infinity there is a ValueError."""
        durable.write_file(self.path / _PREPROCESSING, to_json(values, exact=True))

    def write_metrics(self, values: Mapping[str, Any]) -> None:
        """Keep the results on every split; NaN becomes null. No times belong here: equal runs give equal bytes."""
        durable.write_file(self.path / _METRICS, to_json(values))

    def write_profile(self, profile: Profile) -> None:
        """Keep where the time of this process went."""
        durable.write_file(self.path / _PROFILE, to_json(profile.model_dump(mode="json")))

    def write_plot(self, name: str, png: bytes) -> Path:
        """Keep a picture; `name` is without ending. Returns its path."""
        durable.make_directories(self.path / _PLOTS)
        path = self.path / _PLOTS / f"{_safe(name)}.png"
        durable.write_file(path, png)
        return path

    def write_model(self, archive: bytes) -> None:
        """Keep the model for users of Keras, the content of a `.keras` file."""
        durable.write_file(self.model, archive)

    def rewrite_history(self, history: History) -> None:
        """Replace the history: a training goes on from an earlier epoch than it had reached."""
        durable.write_file(self.path / _HISTORY, history.to_csv())
        self.history_file = HistoryFile(self.path / _HISTORY, history.columns)

    def log(self, text: str) -> None:
        """Add to the log; control characters are escaped, so that showing the log cannot drive a terminal."""
        safe = "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)
        durable.append(self.path / _LOG, f"{safe.rstrip()}\n".encode())


def _claim(path: Path) -> LockedRun:
    """Take exactly this directory, which must be empty or not there."""
    if path.is_symlink():
        raise RunExistsError(f"{path}: is a symbolic link; give --run-dir the directory itself")
    if path.exists() and not path.is_dir():
        raise RunExistsError(f"{path}: is there already and is no directory; choose another --run-dir")
    durable.make_directories(path)
    # Looked at before and under the lock: of two starts at once, one locks and the other meets the lock or the files.
    _require_empty(path)
    run = LockedRun(path)
    try:
        _require_empty(path)
    except RunExistsError:
        run.close()
        raise
    return run


def _require_empty(path: Path) -> None:
    # What a start that died at once left behind is nothing yet.
    entries = [entry.name for entry in path.iterdir() if entry.name != _LOCK]
    if any(not name.startswith(durable.TEMPORARY) for name in entries):
        raise RunExistsError(f"{path}: is there already and not empty; choose another --run-dir")


def _new_directory(parent: Path) -> Path:
    while True:
        path = parent / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}"
        try:
            durable.make_directory(path)
        except FileExistsError:
            continue  # another run of this second drew the same four digits
        return path


def _safe(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a file name")
    return name
