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
    Parallel,
    PluginFiles,
    Quiet,
    RunsDirectory,
    plugins_of,
    runs_directory,
)
from mltrain.cli.gates import GateOptions, JUnit, check_options, gate_places, skipped_gates
from mltrain.cli.run_folders import print_together, refuse_two_places

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
    parallel: Parallel = None,
    gates: GateOptions = None,
    junit: JUnit = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train one run per fold and combine the results. Prints only the folder of the runs on stdout."""
    from mltrain.cli.train_workers import refuse_within_cluster
    from mltrain.config.load import load
    from mltrain.procedures.folder_training import FolderRequest
    from mltrain.procedures.folds.configs import fold_configs
    from mltrain.procedures.folds.cross_validate import cross_validate as run_folds
    from mltrain.procedures.weight_sources import stating_found_runs
    from mltrain.procedures.worker_count import refuse_several_devices
    from mltrain.report.folds import folds_text
    from mltrain.report.terminal import Terminal
    from mltrain.run.run_folder import FOLDS, run_folder
    from mltrain.training.signals import Interruption

    refuse_two_places(runs_dir, run_dir, resume, "the folder of folds")
    refuse_within_cluster("`cross-validate`")
    with Interruption().handled() as interruption:
        loaded = load(config, overrides or (), gates or (), plugins_of(plugins))
        loaded = stating_found_runs(loaded, runs_directory(runs_dir), gates or ())
        check_options(None, 0.0, None, junit, loaded.spec.evaluation.gates)
        refuse_several_devices(loaded, "`cross-validate`", interruption)
        configs = fold_configs(loaded, folds, gates or ())
        with interruption.deferred():
            folder = run_folder(FOLDS, runs_directory(runs_dir), loaded.spec.name, run_dir, go_on=resume)
            if not json:
                typer.echo(folder.path.absolute())
            for note in skipped_gates(loaded, folds=True, seeds=False):
                Terminal(quiet=quiet).note(note)
            again = "mltrain cross-validate …"
            request = FolderRequest(
                configs,
                folder,
                tuple(sys.argv),
                again,
                allow_inexact=allow_inexact,
                quiet=quiet,
                gates=tuple(gates or ()),
                plugins=tuple(plugins or ()),
                parallel=parallel or 1,
            )
            found = run_folds(request, interruption)
            text, places = folds_text(found), _places(loaded, len(configs))
            content = found.model_dump(mode="json")
            print_together(folder, content, text, found.gates, places, junit=junit, json=json, quiet=quiet)


def _places(loaded: Loaded, folds: int) -> list[Place | None]:
    """Return where each gate is written that is judged: those of runs once for every fold, then those of folds."""
    each = [place for place in gate_places(loaded) for _ in range(folds)]
    return each + gate_places(loaded, lambda gate: gate.of_folds)
