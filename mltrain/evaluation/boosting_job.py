"""A fit of gradient boosting as a piece of work that another process can do: arrays in, predictions out.

scikit-learn is a second of imports, in which Python runs nothing else: a thread beside a short training makes it longer
by that second. So the process is started where scikit-learn is not there yet. It is

    python -P -m mltrain.evaluation.boosting_job

which reads a `BoostingJob` from its standard input and writes a `BoostingAnswer` to its standard output, both as NPZ.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from mltrain.evaluation.boosting import Learned, Plan, fit_boosting
from mltrain.task import Task

# Held-out rows of which float64 columns are there at a time.
_ROWS_AT_ONCE = 1 << 16
# Numbers that another process is sent. Of more, the training takes so long that a second does not matter.
_MOST_SENT = 5_000_000
# Seconds after which the other process looks whether this one is there.
_LOOK = 0.5


@dataclass(frozen=True)
class BoostingJob:
    """What is fitted, and what is predicted.

    Attributes:
        task: what is learned of each target.
        classes: how many there are; 0 for numbers.
        plan: how much to fit.
        seed: of what is drawn.
        categories: for each column whether its numbers are those of categories.
        train: the rows to learn from; the truth is (rows, targets).
        stop: the rows that stop it, in the same form; None takes a tenth of the training rows.
        held_out: by split, values to predict.
    """

    task: Task
    classes: int
    plan: Plan
    seed: int
    categories: tuple[bool, ...]
    train: Learned
    stop: Learned | None
    held_out: Mapping[str, np.ndarray]

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        rows = [self.train.values, *self.held_out.values(), *([] if self.stop is None else [self.stop.values])]
        return sum(each.size for each in rows)


@dataclass(frozen=True)
class BoostingAnswer:
    """What came of it.

    Attributes:
        guesses: by split, the predictions for each target, (targets, rows) or (targets, rows, classes).
        stopped: whether held-out rows ended each fit, and not the limit of its work.
    """

    guesses: Mapping[str, np.ndarray]
    stopped: bool


def answer(job: BoostingJob) -> BoostingAnswer:
    """Do it in another process where that saves an import, else here: the same bits. Imports scikit-learn."""
    if "sklearn.ensemble" not in sys.modules and job.numbers <= _MOST_SENT:
        found = _answer_elsewhere(job)
        if found is not None:
            return found
    return answer_here(job)


def answer_here(job: BoostingJob) -> BoostingAnswer:
    """Do it in this process."""
    fits = []
    for number in range(job.train.truth.shape[1]):
        train, stop = (None if each is None else _of_target(each, number) for each in (job.train, job.stop))
        fits.append(fit_boosting(job.task, job.classes, cast(Learned, train), stop, job.categories, job.plan, job.seed))
    guesses = {}
    for name, values in job.held_out.items():
        parts = [values[first : first + _ROWS_AT_ONCE] for first in range(0, max(1, len(values)), _ROWS_AT_ONCE)]
        guesses[name] = np.stack([np.concatenate([fit.predict(part) for part in parts]) for fit in fits])
    return BoostingAnswer(guesses, all(fit.stopped for fit in fits))


def _of_target(rows: Learned, number: int) -> Learned:
    return Learned(rows.values, rows.truth[:, number], rows.weights)


def _answer_elsewhere(job: BoostingJob) -> BoostingAnswer | None:
    """Return the answer of another process; None where there is none, whatever the reason: this one can do it, too."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mltrain.evaluation.boosting_job"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for this process, which ends the other one
        )
    except OSError:
        return None
    with process:
        atexit.register(process.kill)
        try:
            output, _ = process.communicate(_packed(_as_arrays(job)))
            return _as_answer(_unpacked(output)) if process.returncode == 0 else None
        except (OSError, ValueError, KeyError):
            return None
        finally:
            process.kill()
            atexit.unregister(process.kill)


def _as_arrays(job: BoostingJob) -> dict[str, np.ndarray]:
    about: dict[str, Any] = {"task": job.task, "classes": job.classes, "seed": job.seed, "splits": list(job.held_out)}
    about |= {"rows": job.plan.rows, "rounds": job.plan.rounds, "categories": job.categories}
    arrays = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
    for name, rows in (("train", job.train), ("stop", job.stop)):
        if rows is not None:
            arrays |= {f"{name}.values": rows.values, f"{name}.truth": rows.truth}
            arrays |= {} if rows.weights is None else {f"{name}.weights": rows.weights}
    return arrays | {f"held_out.{place}": values for place, values in enumerate(job.held_out.values())}


def _as_job(arrays: Mapping[str, np.ndarray]) -> BoostingJob:
    about: dict[str, Any] = json.loads(arrays["about"].tobytes())

    def rows(name: str) -> Learned | None:
        if f"{name}.values" not in arrays:
            return None
        return Learned(arrays[f"{name}.values"], arrays[f"{name}.truth"], arrays.get(f"{name}.weights"))

    return BoostingJob(
        about["task"],
        about["classes"],
        Plan(about["rows"], about["rounds"]),
        about["seed"],
        tuple(about["categories"]),
        cast(Learned, rows("train")),
        rows("stop"),
        {name: arrays[f"held_out.{place}"] for place, name in enumerate(about["splits"])},
    )


def _as_answer(arrays: Mapping[str, np.ndarray]) -> BoostingAnswer:
    guesses = {name.removeprefix("of."): values for name, values in arrays.items() if name.startswith("of.")}
    return BoostingAnswer(guesses, bool(arrays["stopped"]))


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **cast(dict[str, Any], dict(arrays)))
    return packed.getvalue()


def _unpacked(packed: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: nobody waits for the answer any more."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def main() -> None:
    """Read a job, do it, and write the answer."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with suppress(OSError):
        os.nice(5)  # the training comes first
    found = answer_here(_as_job(_unpacked(sys.stdin.buffer.read())))
    arrays = {f"of.{name}": values for name, values in found.guesses.items()}
    sys.stdout.buffer.write(_packed({**arrays, "stopped": np.array(found.stopped)}))


if __name__ == "__main__":
    main()
