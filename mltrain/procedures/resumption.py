"""Whether a run can be resumed exactly: what may change, and what else differs. No TensorFlow here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from mltrain.config.yaml_text import value_text
from mltrain.errors import RunError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.models.model import FIRST_WEIGHTS
from mltrain.run.record import Record, Resumption
from mltrain.run.rundir import RunDirectory
from mltrain.run.status import now
from mltrain.spec import as_plain
from mltrain.wording import counted

# What may change without changing a bit of what was and will be trained.
FREE_OF_FINISHED = ("training.checkpoint", "training.progress_every", "evaluation.gates")
# `device`: what computes is compared as the record has it, so that another GPU of the same machine is no difference.
FREE = ("training.epochs", "training.budget", "device", *FREE_OF_FINISHED)
_STAGES = "training.stages"
_COMPUTED = "the frozen part of stage "


# What differs with the number of workers.
_OF_WORKERS = ("workers: ", "threads: ", "determinism.xla: ")


class Checkpoint(Protocol):
    """What is known of the checkpoint from which the run continues."""

    @property
    def name(self) -> str:
        """Name of its directory."""

    @property
    def state(self) -> dict[str, Any]:
        """What is no array; `step` is the step after which it was written."""

    @property
    def damaged(self) -> tuple[str, ...]:
        """What was wrong with newer ones, a sentence each."""


@dataclass(frozen=True)
class PlannedResumption:
    """A run that is resumed.

    Attributes:
        before: its record so far.
        spec: of its config so far.
        states_rate: whether the command line states a learning rate that is a number.
        differences: in the config, a sentence each.
        allow_inexact: whether to go on where something differs, and mark the run.
        longer: whether more epochs are asked for than before: then a stop that was decided does not count.
        resolved: the config with every value filled in, as it shall be kept from now on; None where it is as before.
        command: the command line.
    """

    before: Record
    spec: ExperimentSpec
    states_rate: bool
    differences: tuple[str, ...]
    allow_inexact: bool
    longer: bool
    resolved: bytes | None
    command: tuple[str, ...]

    @property
    def may_be_inexact(self) -> bool:
        """Whether the run is, or may become, one that was resumed with changes."""
        return self.allow_inexact or any(each.inexact for each in self.before.resumed)

    def checked(
        self, record: Record, saved: Checkpoint | None, refused: tuple[str, ...], more: tuple[str, ...] = ()
    ) -> Record:
        """Return `record` with this resumption in it.

        Args:
            record: of this process, complete.
            saved: the checkpoint from which the run continues, or None where there was none.
            refused: what differs and cannot be used, a sentence each.
            more: what differs from the checkpoint, a sentence each.

        Raises:
            RunError: something differs that cannot be used, or that changes the result and is not allowed.
        """
        settings = (*self.differences, *more)
        found = tuple(record_differences(self.before, record))
        # Other workers compute the same but for rounding: that is what is promised of them.
        expected = _OF_WORKERS if record.workers != self.before.workers else ()
        rounding = tuple(each for each in found if each.startswith(expected))
        if any(each.startswith(_STAGES) for each in settings):  # what is computed once follows from the layers
            found = tuple(each for each in found if not each.startswith(_COMPUTED))
        differences = (*settings, *(each for each in found if each not in rounding))
        if refused:
            also = "; ".join(each for each in differences if each not in refused and not each.startswith("splits: "))
            raise RunError(
                f"the run cannot be resumed with these changes: {'; '.join(refused)}; a training that has begun cannot "
                f"use them: train a new run, or leave them out{f' (also changed: {also})' if also else ''}"
            )
        if differences and not self.allow_inexact:
            raise RunError(
                f"the run cannot be resumed exactly: {'; '.join(differences)}; use --allow-inexact to resume it "
                "anyway; the run is then marked as inexact"
            )
        stopped = saved.state["training"]["position"]["stopped"] if saved and self.longer else None
        longer = [f"the training continued after it had ended: {stopped}"] if stopped else []
        resumption = Resumption(
            time=now(),
            command=self.command,
            step=saved.state["step"] if saved else 0,
            checkpoint=saved.name if saved else None,
            inexact=differences,
            changed=(*settings, *rounding[:1], *longer),
        )
        # It is stated now, and was not: the next resumption needs to know.
        task = [each for each in self.before.decisions if each.what == "task" and self.before.defaults == 1]
        known = task if all(each.what != "task" for each in record.decisions) else ()
        # A training that continues does not look for its first weights again.
        first = [each for each in self.before.decisions if each.what == FIRST_WEIGHTS] if saved else ()
        decisions = (*known, *record.decisions, *first)
        origin = self.before if saved else record
        return record.with_values(
            resumed=(*self.before.resumed, resumption),
            decisions=decisions,
            vectors=dict(origin.vectors),
            first_weights=dict(origin.first_weights),
        )


def config_differences(before: ExperimentSpec, after: ExperimentSpec, free: tuple[str, ...] = FREE) -> tuple[str, ...]:
    """Return what differs between two configs and changes the result, a sentence each.

    Args:
        before: one.
        after: the other.
        free: keys that may differ.
    """
    if before.training.stages and "training.epochs" in free:  # the last stage says how long the training goes on
        free = (*free, f"training.stages[{len(before.training.stages) - 1}].epochs")
    return tuple(
        f"{path}: {value_text(old)} became {value_text(new)}"
        for path, old, new in _changed(as_plain(before), as_plain(after), "")
        if not path.startswith(free)
    )


def resumed_sentence(saved: Checkpoint | None, run: RunDirectory) -> str:
    """Return the sentence that says from where the run continues, and which epochs are trained again: those that had
    ended, so that the history has them, after the checkpoint was written."""
    first = saved.state["training"]["position"]["epoch"] if saved is not None else 1
    last, repeated = 0, ""
    with suppress(RunError):  # a damaged history is replaced by that of the checkpoint
        last = len(run.history().rows)
    if last >= first:
        epochs, verb = (f"epoch {first}", "is") if last == first else (f"epochs {first} to {last}", "are")
        repeated = f"; {epochs} had ended after this step, and {verb} trained again"
    if saved is None:
        return f"resumed from step 0: no checkpoint had been written yet{repeated}"
    damaged = f" (newer ones are damaged: {'; '.join(saved.damaged)})" if saved.damaged else ""
    return f"resumed from step {saved.state['step']}, checkpoint {saved.name}{damaged}{repeated}"


def record_differences(before: Record, after: Record) -> Iterator[str]:
    """Yield what differs in what a run's bits depend on besides its config, a sentence each."""
    if before.workers != after.workers:
        yield f"workers: {before.workers} became {after.workers}"
    for name in ("versions", "environment", "determinism", "seeds"):
        for each in _mapping_differences(name, getattr(before, name), getattr(after, name)):
            yield _in_plain_words(each)
    plugins = [{name: each.origin.words for name, each in record.own_metrics.items()} for record in (before, after)]
    yield from _mapping_differences("own_metrics", *plugins)
    parts = [{f"{each.kind}.{each.name}": each.origin.words for each in of.own_parts} for of in (before, after)]
    yield from _mapping_differences("own_parts", *parts)
    if before.machine.processor != after.machine.processor:
        yield f"processor: {before.machine.processor} became {after.machine.processor}"
    if before.machine.cores != after.machine.cores:
        yield f"cores: {before.machine.cores} became {after.machine.cores}"
    # What a run that died early had not recorded yet cannot differ.
    if before.device is not None and after.device is not None and before.device.value != after.device.value:
        yield f"device: {before.device.value} became {after.device.value}"
    if before.threads is not None and before.threads != after.threads:
        yield f"threads: {before.threads} became {after.threads}"
    if before.data is not None and after.data is not None and before.data.sha256 != after.data.sha256:
        yield f"data: {before.data.source} has changed ({counted(before.data.rows, 'row')} then, {after.data.rows} now)"
    if after.vectors:  # a training that continues does not read them
        files = [
            {name: f"{each.sha256} {each.words_sha256 or ''}".strip() for name, each in record.vectors.items()}
            for record in (before, after)
        ]
        yield from _mapping_differences("vectors", *files)
    if after.first_weights:
        origins = [{name: each.sha256 for name, each in record.first_weights.items()} for record in (before, after)]
        yield from _mapping_differences("first_weights", *origins)
    if before.splits and dict(before.splits) != dict(after.splits):
        yield "splits: other rows than before"


def _mapping_differences(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    # The environment may be empty and mean it; what else is empty was not known yet when the run died.
    if not before and name != "environment":
        return
    # An earlier mltrain recorded fewer packages, and what it did not record is not known to have changed.
    for key in sorted(before.keys() if name == "versions" else before.keys() | after.keys()):
        old, new = before.get(key, "unset"), after.get(key, "unset")
        if old != new:
            yield f"{name}.{key}: {old} became {new}"


def _in_plain_words(difference: str) -> str:
    """Return a difference of records; that a stage keeps outputs has a name there that only we know."""
    kept = re.fullmatch(r"determinism\.stage_(\d+)_kept: (\w+) became (\w+)", difference)
    if kept is None:
        return difference
    words = {"True": "once", "False": "in each step", "unset": "not at all"}
    return f"{_COMPUTED}{kept[1]}: computed {words[kept[2]]} became computed {words[kept[3]]}"


def _changed(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from _changed(before.get(key), after.get(key), inner)
    elif path == _STAGES and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, f"{path}[{number}]")
    elif before != after:
        yield path, before, after
