"""What the table shows of a run, read from a few of its files and kept until one of them changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, TypeVar

from mltrain.config.yaml_document import decode, parse
from mltrain.errors import ConfigError, RunError
from mltrain.report.page.charts.lines import LOOK_OF_SPLIT
from mltrain.report.page.charts.scale import drawable
from mltrain.report.page.facts import headline
from mltrain.report.page.sections.summary import seconds_between
from mltrain.run.history import History
from mltrain.run.record import Record
from mltrain.run.results import Judgement, Results
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import MetricValue
from mltrain.run.status import Status

# What a status.json can say, and three more: the process is gone, there is no status yet, a file is damaged.
STATES = ("running", "finished", "interrupted", "failed", "killed", "begun", "damaged")

# The time per epoch is the median of these.
_LAST_EPOCHS = 5

_ADVICE = re.compile(r"; `mltrain resume [^`]*`[^;`]*$")

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class Overview:
    """A run in short; what it does not have, or not yet, is None or empty.

    Attributes:
        run: its directory.
        state: one of `STATES`.
        faults: what is wrong with its files.
        status: the content of status.json.
        record: how it came about.
        config: every value of its config; empty where it cannot be read.
        history: what was measured in each epoch.
        results: what came out.
        curve: the column of the history that is drawn: that of the objective, or else a loss.
    """

    run: RunDirectory
    state: str
    faults: tuple[str, ...]
    status: Status | None
    record: Record | None
    config: Mapping[str, Any]
    history: History
    results: Results | None
    curve: str | None

    @property
    def reason(self) -> str:
        """The reason of the state, in words."""
        return self.faults[0] if self.faults else without_advice(self.status.reason) if self.status else ""

    @property
    def started(self) -> str:
        """When it started, in UTC."""
        return self.record.started if self.record else ""

    @property
    def epochs(self) -> int:
        """The number of completed epochs. history.csv has a row for each; status.json may be older."""
        return len(self.history.rows)

    @property
    def planned(self) -> int | None:
        """The number of epochs that the config asks for; None where it is not known."""
        training = self.config.get("training")
        epochs = training.get("epochs") if isinstance(training, dict) else None
        return epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else None

    @property
    def seed(self) -> str:
        """The seed of the experiment; "" where it is not known."""
        seeds = self.record.seeds if self.record else {}
        found = seeds.get("experiment", self.config.get("seed", ""))
        return str(found) if isinstance(found, int) else ""

    @property
    def counts_epochs(self) -> bool:
        """Whether `seconds` is the sum of the epochs: it was resumed after a pause, or its end is unknown."""
        measured = self.state in ("running", "finished", "interrupted", "failed")
        return self.record is None or bool(self.record.resumed) or not measured

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken until now; of a run that was resumed or killed, its epochs alone. None if
        unknown."""
        if self.record is not None and not self.counts_epochs:
            now = datetime.now(UTC).isoformat() if self.state == "running" else None
            ended = self.status.updated if self.status and self.state in ("interrupted", "failed") else None
            return seconds_between(self.record.started, self.record.finished or now or ended)
        if "seconds" not in self.history.columns or not self.history.rows:
            return None
        total = sum(self.history.column("seconds"))
        return total if drawable(total) and total >= 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How long the epochs that are left take at most, if they take as long as the last ones; None where unknown."""
        if self.state != "running" or self.planned is None or "seconds" not in self.history.columns:
            return None
        last = [each for each in self.history.column("seconds")[-_LAST_EPOCHS:] if drawable(each)]
        return max(self.planned - self.epochs, 0) * median(last) if last else None

    @property
    def current(self) -> float | None:
        """The last value of `curve`; None where there is no value."""
        values = self.history.column(self.curve) if self.curve is not None else ()
        return values[-1] if values else None

    @property
    def metric(self) -> tuple[str, MetricValue] | None:
        """The most important metric, and its value."""
        return headline(self.results) if self.results else None

    @property
    def gates(self) -> tuple[Judgement, ...]:
        """The outcomes of its gates."""
        return self.results.gates if self.results else ()


def without_advice(reason: str) -> str:
    """Return a reason without the command that resumes the run: the page shows that once."""
    return _ADVICE.sub("", reason)


def overview(run: RunDirectory) -> Overview:
    """Return a run in short, whatever state its files are in."""
    faults: list[str] = []

    def read(reading: Callable[[], FoundT]) -> FoundT | None:
        try:
            return reading()
        except RunError as error:
            # The page names the run.
            faults.append(str(error).removeprefix(f"{run.path}: ").replace(f"{run.path}/", ""))
            return None

    record = read(run.record)
    status = read(run.status) if run.has_status() else None
    history = read(run.history) or History((), ())
    found = read(run.results) if run.has_metrics() else None
    state = "damaged" if faults else "begun" if status is None else "killed" if run.is_killed() else status.state
    config = _config(run)
    return Overview(run, state, tuple(faults), status, record, config, history, found, _curve(config, history, found))


def _curve(config: Mapping[str, Any], history: History, found: Results | None) -> str | None:
    measured = [name for name in history.columns if name.partition(".")[0] in LOOK_OF_SPLIT]
    if not measured:
        return None
    objective = found.objective.metric if found else _stated_objective(config)
    names = [objective, "validation.loss", "train.loss"]
    return next((name for name in names if name in measured), measured[0])


def _config(run: RunDirectory) -> Mapping[str, Any]:
    try:
        config = parse(*decode(run.resolved(), "config.resolved.yaml")).root.plain()
    except (RunError, ConfigError):
        return {}
    return config if isinstance(config, dict) else {}


def _stated_objective(config: Mapping[str, Any]) -> str:
    """Return the objective of a run without results; "" where its config does not state it."""
    section = config.get("objective")
    return str(section.get("metric")) if isinstance(section, dict) else ""
