"""A run directory, to read it: no lock, no write; a read-only tree or a run that still goes or died is fine.

What a run does not have (yet) is a RunError that names the file. `locked_run.py` writes, `opening.py` finds, makes and
locks them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mltrain.errors import RunError
from mltrain.run import layout
from mltrain.run.audit import Audit
from mltrain.run.checkpoint_files import KEPT, numbers
from mltrain.run.history import History
from mltrain.run.json_text import from_json
from mltrain.run.layout import safe_name
from mltrain.run.lock import was_killed
from mltrain.run.looks import Look, read_looks
from mltrain.run.profile import Profile
from mltrain.run.reading import MEBIBYTE, read_file, read_spec
from mltrain.run.record import Record
from mltrain.run.results import Results
from mltrain.run.status import Status
from mltrain.spec import Spec

if TYPE_CHECKING:  # NumPy costs 80 ms, each form some, and `show` of a run needs none of these
    import numpy as np

    from mltrain.run.architecture import Architecture
    from mltrain.run.decision import DecisionRule
    from mltrain.run.examples import WorstExamples
    from mltrain.run.explanation import Explanation
    from mltrain.run.learned import LearnedCurve
    from mltrain.run.predictions import StoredPredictions
    from mltrain.run.rate_test import RateTest
SpecT = TypeVar("SpecT", bound=Spec)


class RunDirectory:
    """A run that is there, read-only.

    Every reading method raises a RunError that names the file when it is missing, damaged, or no plain file.

    Attributes:
        path: the directory.
        checkpoints: the directory of checkpoints, for `checkpoint_files`.
        model: the path of the archive for users of Keras.
        page: the path of the report.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / layout.CHECKPOINTS
        self.model = path / layout.MODEL
        self.page = path / layout.PAGE

    def config(self) -> bytes:
        """Return the text that was given, byte for byte."""
        return read_file(self.path, layout.CONFIG, limit=MEBIBYTE)

    def resolved(self) -> bytes:
        """Return the config with every value filled in."""
        return read_file(self.path, layout.RESOLVED, limit=16 * MEBIBYTE)

    def record(self) -> Record:
        """Return what was recorded when the run began, and since."""
        return self._read_spec(layout.RECORD, Record)

    def status(self) -> Status:
        """Return what the run is doing, or how it ended."""
        return self._read_spec(layout.STATUS, Status)

    def has_begun(self) -> bool:
        """Return whether the files are there that a resumption needs."""
        return self._has(layout.RESOLVED) and self._has(layout.RECORD)

    def has_status(self) -> bool:
        """Return whether the run got as far as its first phase."""
        return self._has(layout.STATUS)

    def splits(self) -> dict[str, np.ndarray]:
        """Return the row ids (int64) of each split, in the order of train, validation, test."""
        import numpy as np

        from mltrain.run.arrays import from_npy
        from mltrain.task import SPLITS

        splits = {}
        for split in SPLITS:
            name = f"{layout.SPLITS}/{split}.npy"
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
            raise RunError(f"{self.path / layout.SPLITS}: there are no splits; the run ended before the data was split")
        return splits

    def has_splits(self) -> bool:
        """Return whether the row ids of the splits are written."""
        return (self.path / layout.SPLITS).is_dir()

    def preprocessing(self) -> dict[str, Any]:
        """Return what was fitted on the training rows, for `Preprocessing.from_json`."""
        return self._read_json(layout.PREPROCESSING)

    def has_preprocessing(self) -> bool:
        """Return whether what was fitted on the training rows is written."""
        return self._has(layout.PREPROCESSING)

    def reference(self) -> dict[str, Any] | None:
        """Return what the columns of the training rows looked like, for `TrainingColumns.from_json`; None where an
        earlier version trained."""
        return self._read_json(layout.REFERENCE) if self._has(layout.REFERENCE) else None

    def audit(self) -> Audit | None:
        """Return what the audit of the data found; None where there was none (yet)."""
        return self._read_spec(layout.AUDIT, Audit) if self._has(layout.AUDIT) else None

    def history(self) -> History:
        """Return what was measured in each epoch; empty before the first ends."""
        if not self._has(layout.HISTORY):
            return History((), ())
        return History.from_csv(read_file(self.path, layout.HISTORY, limit=256 * MEBIBYTE), self.path / layout.HISTORY)

    def results(self) -> Results:
        """Return the results on every split."""
        return Results.read(self._read_json(layout.METRICS), f"{self.path}: {layout.METRICS}")

    def decision(self) -> DecisionRule:
        """Return how probabilities become decisions; nothing is done to them where the run has no such file."""
        from mltrain.run.decision import AS_IT_IS, DecisionRule

        return self._read_spec(layout.DECISION, DecisionRule) if self.has_decision() else AS_IT_IS

    def has_decision(self) -> bool:
        """Return whether a threshold or a temperature is kept."""
        return self._has(layout.DECISION)

    def predictions(self, split: str) -> StoredPredictions | None:
        """Return what was predicted for the rows of a split; None where the run keeps no predictions for it."""
        from mltrain.run.predictions import MAY_BE_THERE, read_predictions

        if not self._has(f"{layout.PREDICTIONS}/{safe_name(split)}.rows.npy"):
            return None
        more = [part for part in MAY_BE_THERE if self._has(f"{layout.PREDICTIONS}/{split}.{part}.npy")]
        return read_predictions(split, lambda name: read_file(self.path, name, limit=4096 * MEBIBYTE), self.path, more)

    def has_groups(self) -> bool:
        """Return whether rows that it keeps predictions of belong together."""
        from mltrain.task import SPLITS

        return any(self._has(f"{layout.PREDICTIONS}/{split}.groups.npy") for split in SPLITS)

    def looks(self) -> tuple[Look, ...]:
        """Return each time that its test rows were looked at, the first one first."""
        return read_looks(self.path) if self._has(layout.LOOKS) else ()

    def profile(self) -> Profile | None:
        """Return where the time of the process went; None where that was not asked for."""
        return self._read_spec(layout.PROFILE, Profile) if self._has(layout.PROFILE) else None

    def kept_epochs(self) -> tuple[int, ...]:
        """Return the epochs whose weights a ModelCheckpoint has kept, the first one first."""
        return tuple(numbers(self.checkpoints, KEPT))

    def has_metrics(self) -> bool:
        """Return whether the run got as far as its results."""
        return self._has(layout.METRICS)

    def architecture(self) -> Architecture | None:
        """Return the layers of the model; None before it was built."""
        from mltrain.run.architecture import Architecture

        return self._read_spec(layout.LAYERS, Architecture) if self._has(layout.LAYERS) else None

    def rate_test(self) -> RateTest | None:
        """Return how the learning rate was found; None where it was not looked for."""
        from mltrain.run.rate_test import RateTest

        return self._read_spec(layout.RATE_TEST, RateTest) if self._has(layout.RATE_TEST) else None

    def learned(self) -> LearnedCurve | None:
        """Return the curve of the model; None where there is not one numeric input."""
        from mltrain.run.learned import LearnedCurve

        return self._read_spec(layout.LEARNED, LearnedCurve) if self._has(layout.LEARNED) else None

    def examples(self) -> WorstExamples | None:
        """Return the inputs of the worst rows; None where they are not kept."""
        from mltrain.run.examples import WorstExamples

        return self._read_spec(layout.EXAMPLES, WorstExamples) if self._has(layout.EXAMPLES) else None

    def explanation(self) -> Explanation | None:
        """Return what the predictions depend on; None if it was not measured."""
        from mltrain.run.explanation import Explanation

        return self._read_spec(layout.EXPLANATION, Explanation) if self._has(layout.EXPLANATION) else None

    def target_column(self) -> str | None:
        """Return the column that is learned, or the columns in a row; None before it was found."""
        target = self.preprocessing().get("target") if self._has(layout.PREPROCESSING) else None
        parts = target.get("parts", [target]) if isinstance(target, dict) else ()
        columns = [part.get("column") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        names = [column for column in columns if isinstance(column, str)]
        return ", ".join(names) if names else None

    def plots(self) -> tuple[Path, ...]:
        """Return the pictures that are there, by name."""
        return tuple(sorted((self.path / layout.PLOTS).glob("*.png")))

    def for_people(self) -> tuple[str, ...]:
        """Return the names of the files that are there to be read or looked at, as `report.html`, `plots/loss.png`."""
        return (*filter(self._has, layout.FOR_PEOPLE), *(f"{layout.PLOTS}/{path.name}" for path in self.plots()))

    def file_for_people(self, name: str) -> bytes:
        """Return one of them; a RunError for any other name."""
        if name not in self.for_people():
            raise RunError(f"{self.path}: the run has no file {name!r} to show")
        return read_file(self.path, name, limit=64 * MEBIBYTE)

    def stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Return what differs when the course or the results of the run have changed: cheaper than to read them."""
        return tuple(self._stamp(name) for name in (layout.STATUS, layout.RECORD, layout.HISTORY, layout.METRICS))

    def is_killed(self) -> bool:
        """Return whether its process is surely gone; its status, which says that it runs, was its last word."""
        return self.status().state == "running" and was_killed(self.path / layout.LOCK)

    def _stamp(self, name: str) -> tuple[int, int, int] | None:
        try:
            found = (self.path / name).lstat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _has(self, name: str) -> bool:
        return os.path.lexists(self.path / name)  # a link, wherever it leads, is there: reading it says what is wrong

    def _read_json(self, name: str) -> dict[str, Any]:
        return from_json(read_file(self.path, name, limit=64 * MEBIBYTE), self.path / name)

    def _read_spec(self, name: str, spec: type[SpecT]) -> SpecT:
        return read_spec(self.path, name, spec)
