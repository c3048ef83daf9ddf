"""`compare`: what differs between runs, in their configs and in what came out. No TensorFlow here; writes nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from mltrain.comparison.compared_run import ComparedRun, read_run
from mltrain.comparison.compared_seeds import read_compared_seeds
from mltrain.comparison.differences import differences
from mltrain.comparison.pairing import pair
from mltrain.comparison.side_by_side import LeftOut, SideBySide
from mltrain.config.plugins import Plugins
from mltrain.errors import RunError, UsageError
from mltrain.run.opening import open_run
from mltrain.run.run_folder import SEEDS, RunFolder
from mltrain.run.rundir import RunDirectory


def compare(
    references: Sequence[str], runs_dir: Path, sort: str | None = None, plugins: Plugins | None = None
) -> SideBySide:
    """Compare runs.

    Args:
        references: two or more, as `open_run` takes them, or folders of several seeds.
        runs_dir: the folder of runs.
        sort: a metric by which they are ordered, the best first; None keeps the order.
        plugins: with which metrics can be measured again; None takes installed packages alone.

    Raises:
        UsageError: fewer than two, or no run measured `sort`.
        RunError: fewer than two of them can be read; says why for each of the others.
    """
    if len(references) < 2:
        raise UsageError("compare needs two runs or more, and one was given; `mltrain show` shows one")
    runs, left_out = _read(references, runs_dir, plugins)
    if len(runs) < 2:
        reasons = "; ".join(each.reason for each in left_out)
        raise RunError(f"{len(runs)} of {len(references)} runs can be compared: {reasons}")
    why_first = "the first"
    if sort is not None:
        runs, why_first = _sorted(runs, sort)
    pairs = tuple(pair(run, runs[0]) for run in runs[1:])
    return SideBySide(tuple(runs), why_first, differences([run.config for run in runs]), pairs, tuple(left_out))


def _read(
    references: Sequence[str], runs_dir: Path, plugins: Plugins | None
) -> tuple[list[ComparedRun], list[LeftOut]]:
    runs: dict[Path, ComparedRun] = {}
    left_out = []
    for reference in references:
        try:
            of_seeds = RunFolder(Path(reference), SEEDS).has_results()
            path = Path(reference) if of_seeds else open_run(reference, runs_dir).path
            real = path.resolve()
            if real in runs:  # as `runs/name/*`, which names the newest twice
                left_out.append(LeftOut(reference, f"{reference}: is {runs[real].name}, which is listed twice"))
                continue
            runs[real] = read_compared_seeds(path, plugins) if of_seeds else read_run(RunDirectory(path), plugins)
        except RunError as error:
            left_out.append(LeftOut(reference, str(error)))
    return list(runs.values()), left_out


def _sorted(runs: list[ComparedRun], metric: str) -> tuple[list[ComparedRun], str]:
    named, by = _measured_by(runs, metric)
    direction = by.direction(named)
    sign = -1.0 if direction == "max" else 1.0

    def place(run: ComparedRun) -> float:
        value = run.value(named)
        return math.inf if value is None else sign * value

    return sorted(runs, key=place), f"the best by {named}"


def _measured_by(runs: Sequence[ComparedRun], metric: str) -> tuple[str, ComparedRun]:
    """Return the full name of a metric, and the first run that measured it."""
    first_error: UsageError | None = None
    for run in runs:
        try:
            return run.found_metric(metric), run
        except UsageError as error:
            first_error = first_error or error
    raise first_error or UsageError(f"{metric!r} was not measured")
