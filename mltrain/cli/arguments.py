"""Arguments and options that several commands share."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.config.plugins import Plugins
    from mltrain.procedures.train import Outcome
    from mltrain.run.locked_run import LockedRun


def _readable(given: str | list[str]) -> str | list[str]:
    # At once, before anything is made: a standard input that is closed is None, and no file of the user's.
    if "-" in ([given] if isinstance(given, str) else given) and sys.stdin is None:
        from mltrain.errors import UsageError

        raise UsageError("cannot read the config from standard input: it is closed")
    return given


ConfigPath = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="The YAML file of the experiment; - is standard input.", callback=_readable),
]
ConfigPaths = Annotated[
    list[str], typer.Argument(metavar="CONFIG…", help="YAML files; - is standard input.", callback=_readable)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value, such as training.epochs=3. Quote a name with a dot: 'data.features.\"a.b\"=ignore'. "
        "May be repeated.",
    ),
]
PluginFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Run this Python file and use what it defines: metrics, layers, losses, optimizers, schedules, models. It "
        "may be repeated.",
    ),
]
RunReference = Annotated[
    str, typer.Argument(metavar="RUN", help="A run: its path, 'latest', 'NAME/latest', or the beginning of its id.")
]
RunsDirectory = Annotated[
    Path | None,
    typer.Option("--runs-dir", metavar="DIR", help="Where runs are kept. Default: $MLTRAIN_RUNS_DIR or runs/."),
]
KeptEpoch = Annotated[
    int | None,
    typer.Option(
        "--epoch", metavar="N", min=1, help="Use the weights of epoch N, which a ModelCheckpoint of the run has kept."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")]

AllowInexact = Annotated[
    bool,
    typer.Option("--allow-inexact", help="With --resume: continue although something differs, and mark the run."),
]

Profiled = Annotated[
    bool,
    typer.Option("--profile", help="Show where the time was spent; also in profile.json of the run."),
]

VerifyExport = Annotated[
    bool,
    typer.Option(
        "--verify-export", help="Open model.keras with plain Keras in another process, and compare its predictions."
    ),
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Train one model with N processes of this machine, each with its rows of every batch.",
    ),
]

Parallel = Annotated[
    int | None,
    typer.Option(
        "--parallel",
        metavar="N",
        min=1,
        help="Train up to N runs at once on this machine, each in a process of its own with its share of the cores.",
    ),
]

Restarts = Annotated[
    int,
    typer.Option(
        "--restarts",
        metavar="K",
        min=0,
        help="With several workers: start again from the last checkpoint where one is lost, up to K times.",
    ),
]


def plugins_of(files: list[Path] | None) -> Plugins:
    """Run the files of `--plugin`, and return what they define."""
    from mltrain.config.plugins import Plugins

    return Plugins.of_files(files or ())


def print_run(run: LockedRun, loaded: Loaded | None = None) -> None:
    """Print the run directory on stdout, of a new run before anything else is done with it.

    Args:
        run: it.
        loaded: the experiment of a new run: when stdout cannot be written, the run says that it failed so.

    Raises:
        WriteError: stdout cannot be written.
        ReaderLeftError: nobody reads it.
    """
    from mltrain.errors import MltrainError
    from mltrain.run.status import status

    try:
        typer.echo(run.path.absolute())
    except MltrainError as error:
        if loaded is not None:
            run.write_config(loaded.text)
            run.write_status(status("failed", str(error), epoch=0, step=0, exit_code=error.exit_code))
        raise


def result(outcome: Outcome) -> str:
    """Return what `train` and `resume` print with --json: the run, where it was resumed, its results and its gates."""
    run = outcome.run
    resumed = [{"step": each.step, "checkpoint": each.checkpoint} for each in run.record().resumed]
    gates = {"gates": [each.as_json() for each in outcome.judged]} if outcome.judged else {}
    metrics = outcome.results.as_json()
    return json.dumps({"run": str(run.path.absolute()), "resumed": resumed, "metrics": metrics, **gates})


def runs_directory(given: Path | None) -> Path:
    """Return where runs are kept: as given, else `$MLTRAIN_RUNS_DIR`, else `runs`."""
    return given or Path(os.environ.get("MLTRAIN_RUNS_DIR") or "runs")
