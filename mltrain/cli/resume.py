"""`mltrain resume`: continue a run that did not finish, bit for bit."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli.arguments import (
    Json,
    Overrides,
    PluginFiles,
    Profiled,
    Quiet,
    Restarts,
    RunReference,
    RunsDirectory,
    VerifyExport,
    Workers,
    plugins_of,
    print_run,
    result,
    runs_directory,
)
from mltrain.wording import counted

if TYPE_CHECKING:
    from mltrain.procedures.train import Outcome


def resume(
    run: RunReference,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Train to this number of epochs, also a finished run.")
    ] = None,
    overrides: Overrides = None,
    plugins: PluginFiles = None,
    allow_inexact: Annotated[
        bool, typer.Option("--allow-inexact", help="Continue although something differs, and mark the run.")
    ] = False,
    runs_dir: RunsDirectory = None,
    workers: Workers = None,
    restarts: Restarts = 0,
    verify_export: VerifyExport = False,
    profile: Profiled = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Resume a run from its newest valid checkpoint. The result is the same as without the interruption."""
    from mltrain.cli.gates import conclude, lines_of_gates
    from mltrain.cli.train_workers import (
        Many,
        announced,
        is_worker,
        launched,
        refuse_restarts,
        refuse_within_cluster,
        team_of_cluster,
    )
    from mltrain.errors import VerdictError
    from mltrain.procedures.resume import finished, resumed_experiment, stated_epochs
    from mltrain.procedures.train import Place, TrainRequest, train
    from mltrain.procedures.worker_count import workers_of_run
    from mltrain.run.opening import open_run
    from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
    from mltrain.training.signals import Interruption

    if workers is not None:
        refuse_within_cluster("--workers")
    stopwatch = Stopwatch() if profile else NO_STOPWATCH
    known = plugins_of(plugins)
    with Interruption().handled() as interruption, ExitStack() as stack:
        folder = runs_directory(runs_dir)
        found = open_run(run, folder)
        asked = stated_epochs(found, overrides or (), known) if epochs is None else epochs
        count = workers
        if not is_worker(workers) and finished(found, asked) is None:
            count = workers_of_run(found, overrides or (), known, workers, interruption)
        refuse_restarts(count, restarts)
        many = Many(count, workers, lambda: resumed_experiment(found, overrides or (), asked, known))
        if launched(many, restarts, interruption):
            return
        team = team_of_cluster(None, known, restarts, interruption, stack, quiet=quiet)
        request = TrainRequest(
            None,
            Place(folder, found.path, resume=True),
            tuple(sys.argv),
            overrides=tuple(overrides or ()),
            epochs=asked,
            allow_inexact=allow_inexact,
            verify_export=verify_export,
            quiet=quiet,
            lines_of_gates=lines_of_gates,
            plugins=known,
            team=team,
        )
        outcome = train(request, interruption, stopwatch, announced(None if json else print_run))
        ended = outcome.finished
        if ended is not None:
            print_finished(outcome, json=json, quiet=quiet, asked=request.epochs)
        elif json:
            typer.echo(result(outcome))
        if ended is None or ended.exit_code == VerdictError.exit_code:  # what was missed stays missed
            conclude(outcome.judged, outcome.run, junit=None, json=json, quiet=quiet)
        raise typer.Exit(ended.exit_code if ended is not None else 0)


def print_finished(outcome: Outcome, *, json: bool, quiet: bool, asked: int | None = None) -> None:
    """Print what there is of a run that had nothing left to do; `asked` is the number of epochs that was asked for."""
    typer.echo(result(outcome) if json else outcome.run.path.absolute())
    if outcome.finished is not None and not quiet:
        why = f"the run is finished ({outcome.finished.reason}); use --epochs to train longer"
        if asked is not None:
            why = f"the run already has {counted(outcome.finished.epochs, 'epoch')}"
        typer.echo(f"nothing to do: {why}", err=True)
