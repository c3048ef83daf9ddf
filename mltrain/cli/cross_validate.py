"""`mltrain cross-validate`: a run for each fold, and what they say together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli.arguments import (
    AllowInexact,
    ConfigPath,
    Json,
    Overrides,
    PluginFiles,
    Quiet,
    RunsDirectory,
    plugins_of,
    runs_directory,
)
from mltrain.cli.gates import GateOptions, JUnit, check_options, conclude, gate_places

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.problems import Place


def cross_validate(
    config: ConfigPath,
    folds: Annotated[
        int | None, typer.Option("--folds", min=2, help="Number of folds. Default: that of the config, or 5.")
    ] = None,
    overrides: Overrides = None,
    plugins: PluginFiles = None,
    runs_dir: RunsDirectory = None,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", metavar="DIR", help="The folder for the folds itself; it must be empty or new."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Start, or resume in --run-dir; finished folds are kept."),
    ] = False,
    allow_inexact: AllowInexact = False,
    gates: GateOptions = None,
    junit: JUnit = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train one run per fold and combine the results. Prints only the folder of the runs on stdout."""
    from mltrain.config.load import load
    from mltrain.errors import UsageError
    from mltrain.procedures.folds.configs import fold_configs
    from mltrain.procedures.folds.cross_validate import cross_validate as run_folds
    from mltrain.report.folds import folds_text
    from mltrain.report.terminal import Terminal
    from mltrain.run.fold_folder import fold_folder
    from mltrain.run.json_text import to_json
    from mltrain.run.rundir import RunDirectory
    from mltrain.training.signals import Interruption

    if runs_dir is not None and run_dir is not None:
        raise UsageError(
            "--runs-dir and --run-dir were both given: one names the folder of runs, the other that of folds"
        )
    if resume and run_dir is None:
        raise UsageError("--resume needs --run-dir: the folder of folds to start or to resume")
    with Interruption().handled() as interruption:
        loaded = load(config, overrides or (), gates or (), plugins_of(plugins))
        check_options(None, 0.0, None, junit, loaded.spec.evaluation.gates)
        configs = fold_configs(loaded, folds, gates or ())
        with interruption.deferred():
            folder = fold_folder(runs_directory(runs_dir), loaded.spec.name, run_dir, go_on=resume)
            if not json:
                typer.echo(folder.path.absolute())
            command = tuple(sys.argv)
            found = run_folds(configs, folder, interruption, command, quiet=quiet, allow_inexact=allow_inexact)
            if json:
                typer.echo(to_json(found.model_dump(mode="json")).decode(), nl=False)
            Terminal(quiet=quiet).table(folds_text(found))
            places = _places(loaded, len(configs))
            conclude(found.gates, RunDirectory(folder.path), places, junit=junit, json=json, quiet=quiet)


def _places(loaded: Loaded, folds: int) -> list[Place | None]:
    """Return where each gate is written that is judged: those of runs once for every fold, then those of folds."""
    each = [place for place in gate_places(loaded) for _ in range(folds)]
    return each + gate_places(loaded, folds=True)
