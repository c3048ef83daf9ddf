"""What the whole training will take: time, memory and disk, if nothing ends it before its last epoch. Imports
TensorFlow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from mltrain.data.memory import available_memory
from mltrain.procedures.explanation.importance import MOST_ROWS, PERMUTATIONS
from mltrain.procedures.pace import Pace
from mltrain.procedures.preflight.beginning import Beginning
from mltrain.procedures.preflight.seen import in_bytes
from mltrain.procedures.preflight.space import curves_of, device_memory, disk_of_run, held_memory, memory_of_training
from mltrain.procedures.setup import Setup
from mltrain.report.preflight import CheckLine, Estimate
from mltrain.report.text import duration
from mltrain.stopwatch import PhaseName, Stopwatch
from mltrain.task import SPLITS
from mltrain.wording import counted, in_words

# What a training does too, before its first step.
_BEFORE: tuple[PhaseName, ...] = (
    "start-up",
    "importing TensorFlow",
    "reading the data",
    "data audit",
    "building the model",
    "tracing",
)
# The end of a run without its rows, which is pictures most of all, as a share of TensorFlow's import on the same
# machine: of any run, for each curve, and for a table of several classes.
_END, _END_CURVE, _END_CLASSES = 0.3, 0.04, 0.15
# Every row is measured a few times at the end, with intervals and beside baselines.
_PASSES = 4
# What an epoch costs beside its steps and its validation: a row of the history, and the best weights.
_EPOCH = 0.0003
# What ends a training before its last epoch.
_ENDING = ("EarlyStopping", "TerminateOnNaN")


def estimate_of(setup: Setup, pace: Pace, beginning: Beginning, stopwatch: Stopwatch, runs_dir: Path) -> Estimate:
    """Return what the whole training will take.

    Args:
        setup: with the network.
        pace: of its steps.
        beginning: has measured an evaluation.
        stopwatch: that has measured what came before.
        runs_dir: where the run would be written.
    """
    examples, epochs = setup.prepared.examples, setup.network.epochs
    steps_of_epoch = -(-setup.network.updates // epochs)
    validation = examples.get("validation")
    beside = pace.seconds_beside
    if beside is None:
        beside = 0.0 if validation is None else len(validation.rows) * beginning.seconds_per_row
    of_epoch = steps_of_epoch * pace.seconds_per_step + beside + _EPOCH
    laps = stopwatch.laps()
    before = beginning.compiling + pace.first + sum(laps[phase].seconds for phase in _BEFORE if phase in laps)
    end = _end(setup) * laps["importing TensorFlow"].seconds + _passes(setup) * beginning.seconds_per_row
    free = available_memory()
    return Estimate(
        epochs=epochs,
        steps=setup.network.updates,
        seconds_per_step=pace.seconds_per_step,
        seconds_per_epoch=of_epoch,
        seconds=before + epochs * of_epoch + end,
        memory=memory_of_training(setup, epochs * of_epoch),
        free_memory=None if free is None else free + held_memory(),
        device_memory=device_memory(setup.device.kind),
        disk=disk_of_run(setup, epochs * of_epoch),
        free_disk=free_disk(runs_dir),
    )


def estimate_lines(setup: Setup, estimate: Estimate, runs_dir: Path) -> Iterator[CheckLine]:
    """Yield what is said of it."""
    if len(setup.stages) > 1:
        later = f"stages 2 to {len(setup.stages)} train" if len(setup.stages) > 2 else "stage 2 trains"
        seen = f"stage 1 was tried; {later} other layers, so that gradients, time and memory differ there"
        kept = any(stage.keeps for stage in setup.stages)
        advice = "Where outputs are kept, an epoch takes less time than this estimate" if kept else ""
        yield CheckLine(check="stages", verdict="note", seen=seen, advice=advice)
    if setup.device.devices > 1:
        seen = f"the training has {setup.device.devices} workers, with a device each; the first of them was tried"
        yield CheckLine(check="devices", verdict="note", seen=seen, advice="The time is that of this one alone")
    yield _of_time(setup, estimate)
    yield _of_memory(estimate)
    where = f"{in_bytes(estimate.free_disk)} are free in {runs_dir}"
    seen = f"about {in_bytes(estimate.disk)} for the run; {where}"
    if estimate.disk <= estimate.free_disk:
        yield CheckLine(check="disk", verdict="ok", seen=seen)
    else:
        advice = "free some, name another place with --runs-dir, or keep fewer weights (training.checkpoint.keep)"
        yield CheckLine(check="disk", verdict="warning", seen=seen, advice=advice)


def _end(setup: Setup) -> float:
    classes = _END_CLASSES if setup.network.info.task == "multiclass" else 0.0
    return _END + _END_CURVE * curves_of(setup) + classes


def _passes(setup: Setup) -> int:
    """Return how many rows the network sees at the end of a run."""
    examples = setup.prepared.examples
    rows = _PASSES * sum(len(each.rows) for each in examples.values())
    if setup.spec.evaluation.explain:
        held_out = len(next(examples[name] for name in reversed(SPLITS) if name in examples).rows)
        rows += PERMUTATIONS * len(setup.prepared.preprocessing.columns) * min(MOST_ROWS, held_out)
    return rows


def free_disk(path: Path) -> int:
    """Return the bytes that are free where `path` is, or would be made."""
    path = path.absolute()
    return shutil.disk_usage(next(each for each in (path, *path.parents) if each.exists())).free


def _of_time(setup: Setup, estimate: Estimate) -> CheckLine:
    training, rows = setup.spec.training, setup.network.info.train_rows
    epochs, steps = counted(estimate.epochs, "epoch"), counted(estimate.steps, "step")
    of_each = f"{epochs} of {_short(estimate.seconds_per_epoch)}, {steps} of {_short(estimate.seconds_per_step)}"
    seen = f"about {duration(estimate.seconds)} for the whole command: {of_each}"
    ending = [each.type for each in training.callbacks if each.type in _ENDING]
    ending += ["stop_when"] if training.stop_when is not None else []
    if ending:
        seen += f"; {in_words(ending)} may end it earlier"
    if isinstance(training.batch_size, int) and training.batch_size > rows:
        there = counted(rows, "training row")
        advice = f"training.batch_size is {training.batch_size:,}, and there are {there}: an epoch is one step"
        return CheckLine(check="time", verdict="note", seen=seen, advice=advice)
    return CheckLine(check="time", verdict="ok", seen=seen)


def _of_memory(estimate: Estimate) -> CheckLine:
    seen = f"about {in_bytes(estimate.memory)} at most"
    if estimate.free_memory is not None:
        seen += f"; {in_bytes(estimate.free_memory)} are free"
    if estimate.device_memory is not None:
        seen += f"; the GPU held {in_bytes(estimate.device_memory)} at most so far"
    if estimate.free_memory is None or estimate.memory <= estimate.free_memory:
        return CheckLine(check="memory", verdict="ok", seen=seen)
    advice = "use fewer rows, a smaller training.batch_size or a smaller model, or close other programs"
    return CheckLine(check="memory", verdict="warning", seen=seen, advice=advice)


def _short(seconds: float) -> str:
    return (
        f"{seconds * 1e6:.0f} µs"
        if seconds < 1e-3
        else f"{seconds * 1e3:.1f} ms"
        if seconds < 0.01
        else duration(seconds)
    )
