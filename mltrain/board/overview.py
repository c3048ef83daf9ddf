"""What the table says of a run, read from a few of its files and kept until one of them changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mltrain.errors import ConfigError, RunError
from mltrain.report.page.charts.lines import LOOK_OF_SPLIT
from mltrain.report.page.facts import headline
from mltrain.run.history import History
from mltrain.run.metrics_form import RecordedGate, RecordedValue
from mltrain.run.record import Record
from mltrain.run.results_form import Results, results
from mltrain.run.rundir import RunDirectory
from mltrain.run.status import Status
from mltrain.yaml_document import decode, parse

# What a status.json can say, and three that it cannot: the process is gone, there is no status yet, a file is wrong.
STATES = ("running", "finished", "interrupted", "failed", "killed", "begun", "damaged")

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class Overview:
    """A run in short; None or empty is what it does not have, yet or for ever.

    Attributes:
        run: its directory.
        state: one of `STATES`.
        faults: what is wrong with its files.
        status: what it says of itself.
        record: how it came about.
        history: what was measured in each epoch.
        results: what came out.
        curve: the name of the objective's column in the history, or what is nearest to it.
    """

    run: RunDirectory
    state: str
    faults: tuple[str, ...]
    status: Status | None
    record: Record | None
    history: History
    results: Results | None
    curve: str | None

    @property
    def reason(self) -> str:
        """Why it is so, in words."""
        return self.faults[0] if self.faults else self.status.reason if self.status else ""

    @property
    def started(self) -> str:
        """When, in UTC."""
        return self.record.started if self.record else ""

    @property
    def epochs(self) -> int:
        """That were completed; status.json learns of it when the training ends, history.csv with each epoch."""
        return len(self.history.rows)

    @property
    def metric(self) -> tuple[str, RecordedValue] | None:
        """The metric that says most, and its value."""
        return headline(self.results) if self.results else None

    @property
    def gates(self) -> tuple[RecordedGate, ...]:
        """What became of its gates."""
        return self.results.gates if self.results else ()


def overview(run: RunDirectory) -> Overview:
    """Return a run in short, whatever state its files are in."""
    faults: list[str] = []

    def read(reading: Callable[[], FoundT]) -> FoundT | None:
        try:
            return reading()
        except RunError as error:
            faults.append(str(error).replace(f"{run.path}/", ""))  # which run it is stands beside it
            return None

    record = read(run.record)
    status = read(run.status) if run.has_status() else None
    history = read(run.history) or History((), ())
    found = read(lambda: results(run.metrics(), "metrics.json")) if run.has_metrics() else None
    state = "damaged" if faults else "begun" if status is None else "killed" if run.is_killed() else status.state
    return Overview(run, state, tuple(faults), status, record, history, found, _curve(run, history, found))


def _curve(run: RunDirectory, history: History, found: Results | None) -> str | None:
    measured = [name for name in history.columns if name.partition(".")[0] in LOOK_OF_SPLIT]
    if not measured:
        return None
    objective = found.objective.metric if found else _stated_objective(run)
    names = [objective, "validation.loss", "train.loss"]
    return next((name for name in names if name in measured), measured[0])


def _stated_objective(run: RunDirectory) -> str:
    """Return the objective of a run without results; "" where its config does not say."""
    try:
        config = parse(*decode(run.resolved(), "config.resolved.yaml")).root.plain()
    except (RunError, ConfigError):
        return ""
    section = config.get("objective") if isinstance(config, dict) else None
    return str(section.get("metric")) if isinstance(section, dict) else ""
