"""`mltrain train`: from a YAML file to a run directory."""

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
    Profiled,
    Quiet,
    RunsDirectory,
    VerifyExport,
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
    conclude,
    gate_places,
    lines_of_gates,
    refuse_strays,
)

if TYPE_CHECKING:
    from mltrain.comparison.against import Standard
    from mltrain.config.load import Loaded
    from mltrain.problems import Place
    from mltrain.procedures.resume import Finished
    from mltrain.run.rundir import RunDirectory


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
    from mltrain.comparison.against import standard
    from mltrain.config.load import load
    from mltrain.errors import UsageError
    from mltrain.procedures.resume import asked_epochs, finished, take_up
    from mltrain.procedures.train import resume as resume_run
    from mltrain.procedures.train import train as train_run
    from mltrain.report.terminal import Terminal
    from mltrain.run.opening import create_run, open_run, start_or_take_up
    from mltrain.run.rundir import RunDirectory
    from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
    from mltrain.training.signals import Interruption

    if runs_dir is not None and run_dir is not None:
        raise UsageError(
            "--runs-dir and --run-dir cannot be used together: one names the folder of runs, the other the run itself"
        )
    if resume and run_dir is None:
        raise UsageError("--resume needs --run-dir: the run to start or to resume")
    stopwatch = Stopwatch() if profile else NO_STOPWATCH
    with Interruption().handled() as interruption:
        loaded = load(config, overrides or (), gates or (), plugins_of(plugins))
        folder, places = runs_directory(runs_dir), gate_places(loaded)
        refuse_strays(against, tolerance, metric, junit, places)
        other = (
            standard(open_run(against, folder), tolerance, metric, plugins=loaded.plugins)
            if against is not None
            else None
        )
        # From here on a signal waits until the run has its first files: else there would be nothing to resume.
        with interruption.deferred():
            if resume and run_dir is not None:
                ended = finished(RunDirectory(run_dir), asked_epochs(run_dir, loaded))
                if ended is not None:
                    _say_again(RunDirectory(run_dir), ended, loaded, other, places, junit, json, quiet)
                    return
                run, begun = start_or_take_up(run_dir)
            else:
                run, begun = create_run(folder, loaded.spec.name, run_dir), False
            with run:
                if not json:
                    print_run(run, None if begun else loaded)
                stated, every = loaded.spec.evaluation.gates, loaded.spec.training.progress_every
                left = [str(gate) for gate in stated if gate.of_folds]
                # Also the note of --verify-export, and the error of --against.
                below = lines_of_gates(len(stated) - len(left) + bool(other)) + 2 * (
                    bool(other) + verify_export + (begun and allow_inexact)
                )
                terminal = Terminal(quiet=quiet, progress_every=every, below=below)
                if left:
                    terminal.note(
                        f"these gates apply to `mltrain cross-validate` only and were skipped: {'; '.join(left)}"
                    )
                if begun:
                    more = asked_epochs(run.path, loaded)
                    loaded, going_on = take_up(run, loaded, (), more, allow_inexact, tuple(sys.argv))
                    results = resume_run(loaded, run, terminal, interruption, going_on, stopwatch, verify_export)
                else:
                    results = train_run(loaded, run, terminal, interruption, tuple(sys.argv), stopwatch, verify_export)
                judged = results.gates + ((other.judge(run),) if other else ())
                if json:
                    typer.echo(result(run, results, judged))
                conclude(judged, run, places, junit=junit, json=json, quiet=quiet)


def _say_again(
    run: RunDirectory,
    ended: Finished,
    loaded: Loaded,
    other: Standard | None,
    places: list[Place | None],
    junit: Path | None,
    json: bool,
    quiet: bool,
) -> None:
    """Print the result of a run that has nothing left to do.

    The gates may differ from those of the training: they are judged by what was measured then.
    """
    from mltrain.cli.resume import say_finished
    from mltrain.gates.gate import judge

    gates = loaded.spec.evaluation.gates
    judged = (judge(gates, run.results().splits) if gates else ()) + ((other.judge(run),) if other else ())
    say_finished(run, ended, json=json, quiet=quiet, judged=judged)
    conclude(judged, run, places, junit=junit, json=json, quiet=quiet)
