"""`mltrain train`: from a YAML file to a run directory."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import (
    AllowInexact,
    ConfigPath,
    Json,
    Overrides,
    Parallel,
    PluginFiles,
    Profiled,
    Quiet,
    Restarts,
    RunsDirectory,
    VerifyExport,
    Workers,
    plugins_of,
    print_run,
    result,
    runs_directory,
)
from mltrain.cli.gates import (
    Against,
    AgainstMetric,
    GateOptions,
    JUnit,
    Tolerance,
    check_options,
    conclude,
    gate_places,
    lines_of_gates,
    skipped_gates,
)
from mltrain.cli.run_folders import refuse_two_places


def train(
    config: ConfigPath,
    overrides: Overrides = None,
    plugins: PluginFiles = None,
    runs_dir: RunsDirectory = None,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", metavar="DIR", help="Use exactly this run directory. It must be empty or new."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Start, or resume the run in --run-dir: for machines that can stop at any time."),
    ] = False,
    allow_inexact: AllowInexact = False,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="N",
            help="Train N runs on the same rows: with the config's seed and the N - 1 after it, or those of a list "
            "(1,2,3). Gates are judged by the means.",
        ),
    ] = None,
    parallel: Parallel = None,
    workers: Workers = None,
    restarts: Restarts = 0,
    gates: GateOptions = None,
    against: Against = None,
    tolerance: Tolerance = 0.0,
    metric: AgainstMetric = None,
    junit: JUnit = None,
    verify_export: VerifyExport = False,
    profile: Profiled = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an experiment. Prints only the run directory on stdout; everything else goes to stderr."""
    from mltrain.cli.resume import print_finished
    from mltrain.cli.train_seeds import FolderOptions, Output, refuse_parallel, train_seeds
    from mltrain.cli.train_workers import (
        Many,
        announced,
        is_worker,
        launched,
        refuse_restarts,
        refuse_workers,
        taken_up,
        team_of_cluster,
    )
    from mltrain.comparison.against import reference_run
    from mltrain.config.load import load
    from mltrain.errors import UsageError
    from mltrain.procedures.train import Place, TrainRequest
    from mltrain.procedures.train import train as train_run
    from mltrain.procedures.weight_sources import with_found_runs
    from mltrain.procedures.worker_count import refuse_several_devices, workers_for_devices
    from mltrain.run.opening import open_run, refuse_taken
    from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
    from mltrain.training.signals import Interruption

    refuse_two_places(runs_dir, run_dir, resume, "the run" if seeds is None else "the folder of seeds")
    if seeds is not None and against is not None:
        raise UsageError(
            "--seeds and --against were both given: remove --against, and compare afterwards, with "
            "`mltrain compare RUN FOLDER`"
        )
    refuse_parallel(parallel, seeds, workers)
    from_stdin = str(config) == "-"
    refuse_workers(workers, from_stdin=from_stdin, seeds=seeds is not None)
    stopwatch = Stopwatch() if profile else NO_STOPWATCH
    with Interruption().handled() as interruption, ExitStack() as stack:
        loaded = with_found_runs(
            load(config, overrides or (), gates or (), plugins_of(plugins)), runs_directory(runs_dir)
        )
        if seeds is not None:
            refuse_restarts(workers, restarts)
            refuse_several_devices(loaded, "`train --seeds`", interruption)
            check_options(None, tolerance, metric, junit, gate_places(loaded, lambda gate: not gate.of_folds))
            asked = FolderOptions(
                runs_directory(runs_dir),
                run_dir,
                resume,
                tuple(gates or ()),
                allow_inexact,
                verify_export,
                profile,
                tuple(plugins or ()),
                parallel or 1,
            )
            train_seeds(loaded, seeds, asked, interruption, Output(junit, json, quiet))
            return
        count = workers if is_worker(workers) else workers_for_devices(loaded, workers, interruption)
        refuse_workers(count, from_stdin=from_stdin)
        refuse_restarts(count, restarts)
        if run_dir is not None and not resume and not is_worker(workers):
            refuse_taken(run_dir)  # before the workers' data are read
        if launched(Many(count, workers, lambda: loaded.spec), restarts, interruption):
            return
        team = team_of_cluster(loaded, loaded.plugins, restarts, interruption, stack, quiet=quiet)
        again = taken_up()
        folder, places = runs_directory(runs_dir), gate_places(loaded)
        check_options(against, tolerance, metric, junit, places)
        other = None
        if against is not None:
            other = reference_run(open_run(against, folder), tolerance, metric, plugins=loaded.plugins)
        request = TrainRequest(
            loaded,
            Place(folder, again or run_dir, resume=resume or again is not None),
            tuple(sys.argv),
            allow_inexact=allow_inexact,
            verify_export=verify_export,
            against=other,
            quiet=quiet,
            notes=skipped_gates(loaded, folds=False, seeds=False),
            lines_of_gates=lines_of_gates,
            team=team,
        )
        outcome = train_run(request, interruption, stopwatch, announced(None if json else print_run))
        if outcome.finished is not None:
            print_finished(outcome, json=json, quiet=quiet)
        elif json:
            typer.echo(result(outcome))
        conclude(outcome.judged, outcome.run, places, junit=junit, json=json, quiet=quiet)
