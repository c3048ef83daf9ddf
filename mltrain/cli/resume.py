"""`mltrain resume`: continue a run that did not finish, bit for bit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli.arguments import (
    Json,
    Overrides,
    PluginFiles,
    Profiled,
    Quiet,
    RunReference,
    RunsDirectory,
    VerifyExport,
    plugins_of,
    print_run,
    result,
    runs_directory,
)
from mltrain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mltrain.procedures.resume import Finished
    from mltrain.run.results import Judgement
    from mltrain.run.rundir import RunDirectory


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
    verify_export: VerifyExport = False,
    profile: Profiled = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Resume a run from its newest valid checkpoint. The result is the same as without the interruption."""
    from mltrain.cli.gates import conclude, lines_of_gates
    from mltrain.errors import VerdictError
    from mltrain.procedures.resume import finished, refuse_without_effect, stated_epochs, take_up
    from mltrain.procedures.train import resume as resume_run
    from mltrain.report.terminal import Terminal
    from mltrain.run.opening import lock_run, open_run
    from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
    from mltrain.training.signals import Interruption

    stopwatch = Stopwatch() if profile else NO_STOPWATCH
    known = plugins_of(plugins)
    with Interruption().handled() as interruption:
        found = open_run(run, runs_directory(runs_dir))
        more = stated_epochs(found, overrides or (), known) if epochs is None else epochs
        ended = finished(found, more)
        if ended is not None:
            refuse_without_effect(found, overrides or (), known)
            say_finished(found, ended, json=json, quiet=quiet, asked=more)
            if ended.exit_code == VerdictError.exit_code:  # what was missed stays missed
                conclude(found.results().gates, found, junit=None, json=json, quiet=quiet)
            raise typer.Exit(ended.exit_code)
        # A signal waits until the run says what it is doing: one that was left half-made has no status.
        with interruption.deferred(), lock_run(found.path) as locked:
            if not json:
                print_run(locked)
            loaded, going_on = take_up(locked, None, overrides or (), more, allow_inexact, tuple(sys.argv), known)
            gates = [gate for gate in loaded.spec.evaluation.gates if not gate.of_folds]
            below = lines_of_gates(len(gates)) + 2 * (verify_export + going_on.may_be_inexact)
            terminal = Terminal(quiet=quiet, progress_every=loaded.spec.training.progress_every, below=below)
            results = resume_run(loaded, locked, terminal, interruption, going_on, stopwatch, verify_export)
            if json:
                typer.echo(result(locked, results, results.gates))
            conclude(results.gates, locked, junit=None, json=json, quiet=quiet)


def say_finished(
    run: RunDirectory,
    ended: Finished,
    *,
    json: bool,
    quiet: bool,
    judged: Sequence[Judgement] = (),
    asked: int | None = None,
) -> None:
    """Print what there is of a run that has nothing left to do; `asked` is the number of epochs that was asked for."""
    if json:
        results = run.results()
        typer.echo(result(run, results, judged or results.gates))
    else:
        typer.echo(run.path.absolute())
    if not quiet:
        why = f"the run is finished ({ended.reason}); use --epochs to train longer"
        if asked is not None:
            why = f"the run already has {counted(ended.epochs, 'epoch')}"
        typer.echo(f"nothing to do: {why}", err=True)
