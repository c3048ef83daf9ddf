"""What was read and built, in short. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mltrain.config.load import Loaded
from mltrain.data.memory import in_gib
from mltrain.procedures.preflight.space import bytes_of_examples
from mltrain.procedures.setup import Setup
from mltrain.report.audit import audit_short
from mltrain.report.preflight import CheckLine, DataSeen, DecisionSeen, ModelSeen
from mltrain.report.text import duration
from mltrain.run.audit import Audit
from mltrain.stopwatch import Stopwatch
from mltrain.wording import counted

# Decisions that are said; --json has all of them.
_SAID = ("task", "head", "training.loss", "device", "precision", "objective")
MIB = 1 << 20


@dataclass(frozen=True)
class Seen:
    """What is known before the first step.

    Attributes:
        data: what was read.
        decisions: what was decided.
        model: what was built.
        audit: what is wrong with the data.
    """

    data: DataSeen
    decisions: tuple[DecisionSeen, ...]
    model: ModelSeen
    audit: Audit

    @classmethod
    def of(cls, setup: Setup, stopwatch: Stopwatch) -> Seen:
        """Return it for an experiment whose data is read and whose network is built."""
        prepared, architecture = setup.prepared, setup.architecture
        laps = stopwatch.laps()
        seconds = sum(laps[name].seconds for name in ("reading the data", "data audit") if name in laps)
        return cls(
            DataSeen(
                source=prepared.source,
                rows=prepared.rows,
                splits={name: len(rows) for name, rows in prepared.splits.items()},
                inputs={each.name: each.shape for each in prepared.info.inputs},
                seconds=seconds,
                bytes=bytes_of_examples(setup),
            ),
            tuple(DecisionSeen(what=each.what, value=each.value, reason=each.reason) for each in setup.decisions),
            ModelSeen(
                parameters=setup.network.model.count_params(),
                trained=architecture.trainable,
                layers=len(architecture.layers),
            ),
            prepared.audited.audit,
        )

    def lines(self, loaded: Loaded) -> Iterator[CheckLine]:
        """Yield what is said of it."""
        yield CheckLine(check="config", verdict="ok", seen=f"{loaded.spec.name}: every key and value is valid")
        yield self._of_data()
        yield self._of_splits()
        yield self._of_audit()
        yield self._of_decisions()
        yield self._of_model()

    def _of_data(self) -> CheckLine:
        inputs = ", ".join(f"{name} {' × '.join(map(str, shape))}" for name, shape in self.data.inputs.items())
        seen = (
            f"{self.data.source}: {counted(self.data.rows, 'row')} of {inputs}, {in_bytes(self.data.bytes)} in memory"
        )
        return CheckLine(check="data", verdict="ok", seen=f"{seen}, read in {duration(self.data.seconds)}")

    def _of_splits(self) -> CheckLine:
        splits = ", ".join(f"{count:,} {name}" for name, count in self.data.splits.items())
        missing = [name for name in ("validation", "test") if name not in self.data.splits]
        seen = f"{splits} rows"
        if not missing:
            return CheckLine(check="splits", verdict="ok", seen=seen)
        why = {
            "validation": "Without validation rows nothing shows when a training overfits",
            "test": "Without test rows no number says how good the model is on new rows",
        }
        return CheckLine(check="splits", verdict="note", seen=seen, advice=". ".join(why[name] for name in missing))

    def _of_audit(self) -> CheckLine:
        seen = audit_short(self.audit).removeprefix("audit: ")
        if not self.audit.warnings:
            return CheckLine(check="audit", verdict="ok", seen=seen)
        return CheckLine(check="audit", verdict="warning", seen=seen, advice=self.audit.warnings[0].line)

    def _of_decisions(self) -> CheckLine:
        said = [f"{each.what} {each.value}" for what in _SAID for each in self.decisions if each.what == what]
        more = len(self.decisions) - len(said)
        seen = "; ".join([*said, *([f"{more} more"] if more > 0 else [])]) or "everything is stated"
        return CheckLine(check="decisions", verdict="ok", seen=seen)

    def _of_model(self) -> CheckLine:
        model = self.model
        frozen = (
            f", {model.parameters - model.trained:,} of them not trained" if model.trained < model.parameters else ""
        )
        seen = f"{counted(model.parameters, 'parameter')}{frozen}, in {counted(model.layers, 'layer')}"
        return CheckLine(check="model", verdict="ok", seen=seen)


def in_bytes(count: float) -> str:
    """Return bytes in words: `1.2 MiB`, `3.4 GiB`."""
    if count < 100 * 1024:
        return f"{count / 1024:.1f} KiB"
    return f"{count / MIB:.1f} MiB" if count < 1000 * MIB else in_gib(count)
