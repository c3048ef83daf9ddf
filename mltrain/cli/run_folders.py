"""A folder of runs, for the commands that make one: its options, and what is printed at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mltrain.cli.gates import conclude

if TYPE_CHECKING:
    from mltrain.problems import Place
    from mltrain.run.results import Judgement
    from mltrain.run.run_folder import RunFolder


def refuse_two_places(runs_dir: Path | None, run_dir: Path | None, resume: bool, what: str) -> None:
    """Refuse options on the place that contradict each other.

    Args:
        runs_dir: the folder of all runs.
        run_dir: exactly this place.
        resume: whether to continue there.
        what: what `run_dir` is, such as "the run".

    Raises:
        UsageError: both places are given, or none to continue in.
    """
    from mltrain.errors import UsageError

    if runs_dir is not None and run_dir is not None:
        raise UsageError(
            "--runs-dir and --run-dir were both given: one names the folder of all runs, the other the place of "
            f"{what}; remove one"
        )
    if resume and run_dir is None:
        raise UsageError(f"--resume needs --run-dir: {what} to start or to resume")


def print_together(
    folder: RunFolder,
    found: dict[str, Any],
    text: str,
    judged: Sequence[Judgement],
    places: Sequence[Place | None],
    *,
    junit: Path | None,
    json: bool,
    quiet: bool,
) -> None:
    """Print what the runs of a folder say together, and judge the gates.

    Args:
        folder: of the runs; its path is on stdout already, unless it is for a program.
        found: for a program.
        text: for people.
        judged: the gates.
        places: where they are written.
        junit: as for `conclude`, and so are json and quiet.

    Raises:
        VerdictError: a gate was missed.
    """
    from mltrain.report.terminal import Terminal
    from mltrain.run.json_text import to_json
    from mltrain.run.rundir import RunDirectory

    if json:
        typer.echo(to_json(found).decode(), nl=False)
    Terminal(quiet=quiet).table(text)
    conclude(judged, RunDirectory(folder.path), places, junit=junit, json=json, quiet=quiet)
