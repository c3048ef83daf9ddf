"""A run directory while its lock is held: to write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mltrain.run import durable, layout
from mltrain.run.audit import Audit
from mltrain.run.former_state import FormerState
from mltrain.run.history import History, HistoryFile
from mltrain.run.json_text import to_json
from mltrain.run.layout import safe_name
from mltrain.run.lock import Lock
from mltrain.run.looks import count_look
from mltrain.run.profile import Profile
from mltrain.run.record import Record
from mltrain.run.results import Results
from mltrain.run.rundir import RunDirectory
from mltrain.run.status import Status

if TYPE_CHECKING:  # NumPy costs 80 ms, each form some, and `show` of a run needs none of these
    import numpy as np

    from mltrain.run.architecture import Architecture
    from mltrain.run.decision import DecisionRule
    from mltrain.run.examples import WorstExamples
    from mltrain.run.explanation import Explanation
    from mltrain.run.learned import LearnedCurve
    from mltrain.run.predictions import StoredPredictions
    from mltrain.run.rate_test import RateTest


class LockedRun(RunDirectory):
    """A run that this process makes: it holds the lock until `close`, and can write every part.

    Every writing method raises WriteError and leaves what was there before.

    Args:
        path: of the run.
        latest: the link that shall point to it; None for a run in a place of its own.

    Attributes:
        history_file: where each epoch is appended.

    Raises:
        RunExistsError: another process holds the run.
    """

    def __init__(self, path: Path, latest: Path | None = None) -> None:
        super().__init__(path)
        self._latest = latest
        self._lock = Lock(path / layout.LOCK)
        self._former: FormerState | None = None
        self._as_found = False
        self.history_file = HistoryFile(path / layout.HISTORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back; where nothing was written, its file is what it was, too."""
        if self._as_found:
            self._lock.restore()
        self._lock.release()

    def only_read(self) -> None:
        """Note that the run exists, and that nothing is written until `begin_writing` or `keep_former_state`."""
        self._as_found = True

    def begin_writing(self) -> None:
        """Note that the run is written from now on, and remove what a kill left half-written in it."""
        self._as_found = False
        for directory in (self.path, self.checkpoints, self.path / layout.PLOTS):
            durable.remove_leftovers(directory)

    def keep_former_state(self) -> FormerState:
        """Keep what the run is now, before a resumption writes its first byte."""
        self._former = FormerState(self.path)
        self.begin_writing()
        return self._former

    def bring_back_former_state(self) -> None:
        """Make the run what `keep_former_state` kept, and what it was found as."""
        if self._former is not None:
            self._former.bring_back()
            self._as_found = True

    def become_latest(self) -> None:
        """Make `latest` point to the run, as it begins to train: a start that fails leaves the link as it was."""
        if self._latest is not None:
            durable.point(self._latest, self.path.name)

    def write_config(self, text: bytes) -> None:
        """Keep the text that was given, byte for byte."""
        durable.write_file(self.path / layout.CONFIG, text)

    def write_resolved(self, text: bytes) -> None:
        """Keep the config with every value filled in."""
        durable.write_file(self.path / layout.RESOLVED, text)

    def write_record(self, record: Record) -> None:
        """Keep what is known of how the run came about."""
        durable.write_file(self.path / layout.RECORD, to_json(record.model_dump(mode="json")))

    def write_status(self, status: Status) -> None:
        """Say what the run is doing. Two flushes of the disk: for phases and checkpoints, not for every quick epoch."""
        durable.write_file(self.path / layout.STATUS, to_json(status.model_dump(mode="json")))

    def write_progress(self, status: Status) -> None:
        """Say how far the training is: a hundred times faster than `write_status`, and lost with the machine."""
        durable.write_soon(self.path / layout.STATUS, to_json(status.model_dump(mode="json")))

    def write_splits(self, splits: Mapping[str, np.ndarray]) -> None:
        """Keep the row ids of every split, once."""
        import numpy as np

        from mltrain.run.arrays import to_npy

        files = {f"{safe_name(split)}.npy": to_npy(np.asarray(rows, dtype=np.int64)) for split, rows in splits.items()}
        durable.write_directory(self.path / layout.SPLITS, files)

    def write_preprocessing(self, values: Mapping[str, Any]) -> None:
        """Keep what was fitted on the training rows; NaN or infinity there is a ValueError."""
        durable.write_file(self.path / layout.PREPROCESSING, to_json(values, exact=True))

    def write_reference(self, values: Mapping[str, Any]) -> None:
        """Keep what the columns of the training rows looked like; NaN or infinity there is a ValueError."""
        durable.write_file(self.path / layout.REFERENCE, to_json(values, exact=True))

    def write_audit(self, audit: Audit) -> None:
        """Keep what the audit of the data found."""
        durable.write_file(self.path / layout.AUDIT, to_json(audit.model_dump(mode="json")))

    def write_results(self, results: Results) -> None:
        """Keep the results on every split; NaN becomes null. No times belong here: equal runs give equal bytes."""
        durable.write_file(self.path / layout.METRICS, to_json(results.as_json()))

    def write_decision(self, rule: DecisionRule) -> None:
        """Keep how probabilities become decisions."""
        durable.write_file(self.path / layout.DECISION, to_json(rule.as_json(), exact=True))

    def write_predictions(self, predictions: Mapping[str, StoredPredictions]) -> None:
        """Keep what was predicted for the rows of each split given, in place of what a shorter training kept."""
        from mltrain.run.predictions import prediction_files

        if self._has(layout.PREDICTIONS):
            durable.remove_tree(self.path / layout.PREDICTIONS)
        durable.write_directory(self.path / layout.PREDICTIONS, prediction_files(predictions))

    def count_look(self, command: Sequence[str]) -> None:
        """Count that the test rows are looked at, by this command line."""
        count_look(self.path, command)

    def write_profile(self, profile: Profile) -> None:
        """Keep where the time of this process went."""
        durable.write_file(self.path / layout.PROFILE, to_json(profile.model_dump(mode="json")))

    def write_plot(self, name: str, png: bytes) -> Path:
        """Keep a picture; `name` is without ending. Returns its path."""
        durable.make_directories(self.path / layout.PLOTS)
        path = self.path / layout.PLOTS / f"{safe_name(name)}.png"
        durable.write_file(path, png)
        return path

    def write_drawings(self, drawings: Mapping[str, bytes]) -> None:
        """Keep charts as SVG; names are without ending."""
        durable.make_directories(self.path / layout.PLOTS)
        durable.write_files(self.path / layout.PLOTS, {f"{safe_name(name)}.svg": svg for name, svg in drawings.items()})

    def write_architecture(self, architecture: Architecture) -> None:
        """Keep the layers of the model."""
        durable.write_file(self.path / layout.LAYERS, to_json(architecture.as_json()))

    def write_rate_test(self, test: RateTest) -> None:
        """Keep how the learning rate was found."""
        durable.write_file(self.path / layout.RATE_TEST, to_json(test.model_dump(mode="json"), exact=True))

    def write_learned(self, learned: LearnedCurve) -> None:
        """Keep the curve of the model over its one input."""
        durable.write_file(self.path / layout.LEARNED, to_json(learned.model_dump(mode="json"), exact=True))

    def write_examples(self, examples: WorstExamples) -> None:
        """Keep the inputs of the worst rows."""
        durable.write_file(self.path / layout.EXAMPLES, to_json(examples.model_dump(mode="json"), exact=True))

    def write_explanation(self, explanation: Explanation) -> None:
        """Keep what the predictions depend on, in place of what was found for an earlier model."""
        durable.write_file(self.path / layout.EXPLANATION, to_json(explanation.model_dump(mode="json"), exact=True))

    def write_report(self, html: bytes, markdown: bytes) -> None:
        """Keep what people read: the page and the model card."""
        durable.write_files(self.path, {layout.CARD: markdown, layout.PAGE: html})

    def write_model(self, archive: bytes) -> None:
        """Keep the model for users of Keras, the content of a `.keras` file."""
        durable.write_file(self.model, archive)

    def rewrite_history(self, history: History) -> None:
        """Replace the history: a training continues from an earlier epoch than it had reached."""
        durable.write_file(self.path / layout.HISTORY, history.to_csv())
        self.history_file = HistoryFile(self.path / layout.HISTORY, history.columns)

    def log(self, text: str) -> None:
        """Add to the log; control characters are escaped, so that showing the log cannot drive a terminal."""
        safe = "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)
        durable.append(self.path / layout.LOG, f"{safe.rstrip()}\n".encode())
