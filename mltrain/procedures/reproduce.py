"""`reproduce`: a finished run is trained again from what it recorded, and the two are compared. No TensorFlow at the
top: `train` imports it when it is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mltrain.config.load import Loaded
from mltrain.config.plugins import Plugins
from mltrain.errors import ConfigError, RunError
from mltrain.procedures.recorded_config import recorded_config, refuse_absent
from mltrain.procedures.resumption import record_differences
from mltrain.procedures.stored_model import resolved_spec
from mltrain.report.text import number
from mltrain.run.checkpoint_files import newest, numbers, read_checkpoint
from mltrain.run.record import Resumption
from mltrain.run.rundir import RunDirectory
from mltrain.wording import counted, in_full

Verdict = Literal["identical", "within tolerance", "different"]

_SECONDS = "seconds"


@dataclass(frozen=True)
class Reproduction:
    """What came of training a run again.

    Attributes:
        verdict: "identical": weights, history and metrics are the same, bit for bit; "within tolerance": no metric of
            any split differs by more.
        tolerance: of a metric: in its own units, above 1 as a part of it.
        reasons: why there may be differences, a sentence each: what of versions, machine, data is not as it was.
        differences: what is not the same, a sentence each.
        largest: the largest difference of a metric, as `tolerance` counts it; infinite where one is missing.
    """

    verdict: Verdict
    tolerance: float
    reasons: tuple[str, ...]
    differences: tuple[str, ...]
    largest: float

    @property
    def sentence(self) -> str:
        """The verdict in a line."""
        if self.verdict == "identical":
            return "identical: weights, history and metrics are the same, bit for bit"
        if math.isinf(self.largest):
            return "different: a metric is missing"
        return f"{self.verdict}: metrics differ by {self.largest:.2g} at most, {in_full(self.tolerance)} is allowed"

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "verdict": self.verdict,
            "tolerance": self.tolerance,
            "largest": self.largest if math.isfinite(self.largest) else None,
            "reasons": list(self.reasons),
            "differences": list(self.differences),
        }


def as_recorded(run: RunDirectory, plugins: Plugins | None = None) -> Loaded:
    """Return the experiment of a finished run, with what was decided for this machine then stated now.

    Raises:
        RunError: the run is damaged, or did not finish.
        PluginError: the plugin of one of its components is not there.
    """
    status, record, spec = run.status(), run.record(), resolved_spec(run, plugins)
    if status.state != "finished":
        raise RunError(f"{run.path}: the run is {status.state}; only a finished one can be reproduced")
    changed = [each for resumed in record.resumed for each in _other_settings(resumed)]
    if changed:
        raise RunError(
            f"{run.path}: it was resumed with changes ({'; '.join(changed)}), so it cannot be reproduced in one go"
        )
    refuse_absent(spec)
    stated = [
        f"{key}={str(record.determinism[recorded]).lower()}"
        for key, asked, recorded in (
            ("precision", spec.precision, "precision"),
            ("training.xla", spec.training.xla, "xla"),
            ("training.unroll", spec.training.unroll, "unrolled"),
            ("training.fuse", spec.training.fuse, "fused"),
        )
        if asked == "auto" and isinstance(record.determinism.get(recorded), bool | str)
    ]
    if record.epochs is not None:
        stated += ["training.budget=null", f"training.epochs={record.epochs}"]
    if record.learning_rate is not None:
        stated.append(f"training.learning_rate={record.learning_rate!r}")
    if spec.device == "auto" and record.device is not None and record.device.value == "cpu":
        stated.append("device=cpu")
    try:
        return recorded_config(run, stated, plugins)
    except ConfigError as error:
        raise RunError(f"{run.path}: record.json names what no experiment can have: {error}") from error


def compared(before: RunDirectory, after: RunDirectory, tolerance: float) -> Reproduction:
    """Compare a run with another one of the same experiment.

    Raises:
        RunError: one of them is damaged.
    """
    record = before.record()
    reasons = [f"the run was resumed inexactly: {each}" for resumed in record.resumed for each in resumed.inexact]
    reasons += record_differences(record, after.record())
    differences = [*_other_weights(before, after), *_other_history(before, after)]
    largest = 0.0
    for name, old, new in _metric_pairs(before, after):
        if old != new:
            differences.append(f"{name}: {_shown(old)} became {_shown(new)}")
            largest = max(largest, _difference(old, new))
    verdict: Verdict = "identical"
    if differences:
        verdict = "within tolerance" if largest <= tolerance else "different"
    return Reproduction(verdict, tolerance, tuple(reasons), tuple(differences), largest)


def _other_settings(resumed: Resumption) -> tuple[str, ...]:
    """Return which settings were changed when a run was resumed; an earlier mltrain did not record them apart."""
    others = (
        "versions.",
        "environment.",
        "determinism.",
        "seeds.",
        "own_metrics.",
        "own_parts.",
        "processor:",
        "cores:",
        "threads:",
    )
    return resumed.changed or tuple(each for each in resumed.inexact if not each.startswith((*others, "data: ")))


def _other_weights(before: RunDirectory, after: RunDirectory) -> Iterator[str]:
    for kind in ("best", "last", "average", "kept"):
        there = [bool(numbers(run.checkpoints, kind)) for run in (before, after)]
        if there[0] != there[1]:
            yield f"only {'the run' if there[0] else 'its repetition'} has {kind} weights"
        if not all(there):
            continue
        (old, was), (new, now) = (read_checkpoint(newest(run.checkpoints, kind)) for run in (before, after))
        if was.get("epoch") != now.get("epoch"):
            yield f"the {kind} weights are those of epoch {now.get('epoch')} instead of {was.get('epoch')}"
        elif old.keys() != new.keys() or any(old[name].shape != new[name].shape for name in old):
            yield f"the {kind} weights are of another model"
        elif any(old[name].tobytes() != new[name].tobytes() for name in old):
            gaps = [np.abs(np.subtract(new[name], old[name], dtype=np.float64)).max(initial=0) for name in old]
            yield f"the {kind} weights differ by up to {max(gaps):.2g}"


def _other_history(before: RunDirectory, after: RunDirectory) -> Iterator[str]:
    """Yield the first place where the histories part."""
    old, new = before.history(), after.history()
    if old.columns != new.columns:
        yield "history.csv has other columns"
        return
    for was, now in zip(old.rows, new.rows, strict=False):
        for name, one, other in zip(old.columns, was, now, strict=True):
            if name != _SECONDS and one != other and not (math.isnan(one) and math.isnan(other)):
                yield f"history.csv differs from epoch {was[0]:.0f} on: {name} {number(one)} became {number(other)}"
                return
    if len(old.rows) != len(new.rows):
        yield f"history.csv has {counted(len(new.rows), 'epoch')} instead of {len(old.rows)}"


def _metric_pairs(before: RunDirectory, after: RunDirectory) -> Iterator[tuple[str, float | None, float | None]]:
    old, new = (_values(run) for run in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def _values(run: RunDirectory) -> dict[str, float | None]:
    splits = run.results().splits
    return {f"{split}.{name}": metric.value for split, part in splits.items() for name, metric in part.metrics.items()}


def _difference(old: float | None, new: float | None) -> float:
    return math.inf if old is None or new is None else abs(new - old) / max(1.0, abs(old))


def _shown(value: float | None) -> str:
    return "no value" if value is None else repr(value)
