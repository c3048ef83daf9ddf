"""Runs beside each other: what differs between them, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mltrain.comparison.compared_run import ComparedRun
from mltrain.comparison.pairing import Pair


@dataclass(frozen=True)
class LeftOut:
    """A run that cannot be compared.

    Attributes:
        given: as the user wrote it.
        reason: why.
    """

    given: str
    reason: str


@dataclass(frozen=True)
class SideBySide:
    """Runs beside each other.

    Attributes:
        runs: in the order asked for; the first is what each other one is compared with.
        why_first: why that one, in words.
        config: the values that differ, by their path, one a run; None where a run has no such value.
        pairs: each other run against the first.
        left_out: what could not be compared.
    """

    runs: tuple[ComparedRun, ...]
    why_first: str
    config: dict[str, tuple[Any, ...]]
    pairs: tuple[Pair, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured on the split that nothing was chosen by, as `test.accuracy`, of all runs."""
        names = [f"{run.split}.{name}" for run in self.runs for name in run.measured_on(run.split)]
        return tuple(dict.fromkeys(names))

    @property
    def compared_by(self) -> str:
        """The metric of the verdicts."""
        return self.pairs[0].metric

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "runs": [
                {
                    "run": str(run.directory.path),
                    "name": run.name,
                    "task": run.task,
                    **({"seeds": list(run.seeds)} if run.seeds else {}),
                    "splits": run.results.as_json()["splits"],
                }
                for run in self.runs
            ],
            "compared_with": {"run": str(self.runs[0].directory.path), "why": self.why_first},
            "config": {path: list(values) for path, values in self.config.items()},
            "pairs": [
                {**each.as_json(), "sentence": each.sentence(each.run.name, each.other.name)} for each in self.pairs
            ],
            "left_out": [{"run": each.given, "reason": each.reason} for each in self.left_out],
        }
