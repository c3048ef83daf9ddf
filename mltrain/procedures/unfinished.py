"""What there is to say of a run that has not finished, where its model is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mltrain.errors import RunError
from mltrain.run.rundir import RunDirectory


def unfinished_sentence(run: RunDirectory, kind: str, epoch: int) -> str:
    """Return that the run is not finished, and which weights are used; empty where it is.

    Args:
        run: whose model is used.
        kind: of its weights: best, last, average or kept.
        epoch: whose weights they are.
    """
    if not run.has_status() or run.status().state == "finished":
        return ""
    which = {"best": ", the best so far,", "last": ", the last so far,", "average": ", averaged up to there,"}.get(
        kind, ""
    )
    return (
        f"the run is not finished ({_state(run)}): the weights of epoch {epoch}{which} are used; "
        f"mltrain resume {run.path} finishes it"
    )


def refuse_without_model(run: RunDirectory, kind: str) -> None:
    """Refuse a run that is not finished and has no weights of this kind yet, as a mean of weights before the first
    epoch that counts.

    Raises:
        RunError: says what finishes the run.
    """
    if run.has_status() and run.status().state in ("running", "interrupted"):
        what = "averaged weights" if kind == "average" else f"{kind} weights"
        finishes = f"mltrain resume {run.path} finishes it"
        raise RunError(f"{run.path}: the run is not finished ({_state(run)}), and has no {what} yet; {finishes}")


@contextmanager
def failure_explained(run: RunDirectory) -> Iterator[None]:
    """Say why the run failed, where a file of it is not there because it did."""
    try:
        yield
    except RunError as error:
        if not run.has_status() or run.status().state != "failed":
            raise
        reason = " ".join(run.status().reason.split())
        raise RunError(f"{run.path}: the run failed, so that its model cannot be used: {reason}") from error


def _state(run: RunDirectory) -> str:
    status = run.status()
    if status.state == "running":
        return "its process was killed" if run.is_killed() else "it is still running"
    reason = " ".join(status.reason.split())
    return f"it failed: {reason}" if status.state == "failed" else f"it was interrupted: {reason}"
