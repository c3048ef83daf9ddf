"""`mltrain reproduce`: does training a run again give the same?"""

from __future__ import annotations

import json as json_format
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import Json, PluginFiles, Quiet, RunReference, RunsDirectory, plugins_of, runs_directory


def reproduce(
    run: RunReference,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", metavar="DIR", help="Where to train it again. The directory must be empty or new."),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0.0, help="The largest allowed difference of a metric; above 1, relative."),
    ] = 1e-3,
    runs_dir: RunsDirectory = None,
    plugins: PluginFiles = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a finished run again from its record, in a new run directory, and compare: exit code 10 if different."""
    from mltrain.cli.train_workers import Many, announced, is_launched, is_worker, launched, team_of_cluster
    from mltrain.errors import VerdictError
    from mltrain.problems import printable
    from mltrain.procedures.reproduce import as_recorded, compared
    from mltrain.procedures.train import Place, TrainRequest, train
    from mltrain.procedures.worker_count import workers_for_devices
    from mltrain.run.opening import open_run
    from mltrain.training.signals import Interruption

    with Interruption().handled() as interruption, ExitStack() as stack:
        before = open_run(run, runs_directory(runs_dir))
        loaded = as_recorded(before, plugins_of(plugins))
        # Under another name: `NAME/latest` stays the newest of those that were trained for their own sake.
        name = f"{loaded.spec.name[:58]}-again"
        place = Place(runs_directory(runs_dir), run_dir, name)
        of_devices = None if is_worker() else workers_for_devices(loaded, None, interruption)
        trained_by = before.record().workers
        stated = trained_by if of_devices is None and trained_by > 1 and not is_worker() else None
        if launched(Many(of_devices or stated, stated, lambda: loaded.spec), 0, interruption):
            return
        # Of workers that a scheduler has started, each reproduces by itself.
        team = team_of_cluster(loaded, loaded.plugins, 0, interruption, stack, quiet=quiet) if is_launched() else None
        request = TrainRequest(loaded, place, tuple(sys.argv), quiet=quiet, team=team)
        again = train(request, interruption, announce=announced(None)).run
        found = compared(before, again, tolerance)
    path = again.path.absolute()
    if json:
        typer.echo(json_format.dumps({"run": str(before.path), "again": str(path), **found.as_json()}, indent=2))
    else:
        lines = (
            *(f"changed: {reason}" for reason in found.reasons),
            *found.differences,
            found.sentence,
            f"run  {path}",
        )
        typer.echo("\n".join(map(printable, lines)))
    if found.verdict == "different":
        raise typer.Exit(VerdictError.exit_code)
