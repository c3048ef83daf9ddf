"""`mltrain train`: from a YAML file to a run directory."""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import ConfigPath, Json, Overrides, Quiet, RunsDirectory, runs_directory


def train(
    config: ConfigPath,
    overrides: Overrides = None,
    runs_dir: RunsDirectory = None,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", metavar="DIR", help="Exactly this run directory; it must be empty or new."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an experiment. The only line on stdout is the run directory; everything for people goes to stderr."""
    from mltrain.errors import UsageError
    from mltrain.load import load
    from mltrain.procedures.train import train as train_run
    from mltrain.report.terminal import Terminal
    from mltrain.run.rundir import create_run
    from mltrain.training.signals import Interruption

    if runs_dir is not None and run_dir is not None:
        raise UsageError(
            "--runs-dir and --run-dir were both given: one names the folder of runs, the other the run itself"
        )
    with Interruption().handled() as interruption:
        loaded = load(config, overrides or ())
        with create_run(runs_directory(runs_dir), loaded.spec.name, run_dir) as run:
            if not json:
                typer.echo(run.path.absolute())
                sys.stdout.flush()
            terminal = Terminal(quiet=quiet, progress_every=loaded.spec.training.progress_every)
            metrics = train_run(loaded, run, terminal, interruption, command=tuple(sys.argv))
            if json:
                typer.echo(json_format.dumps({"run": str(run.path.absolute()), "metrics": metrics}))
