"""Arguments and options that several commands share."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mltrain.config.load import Loaded
    from mltrain.gates.gate import Judgement
    from mltrain.run.locked_run import LockedRun
    from mltrain.run.rundir import RunDirectory


def _readable(given: str | list[str]) -> str | list[str]:
    # At once, before anything is made: a standard input that is closed is None, and no file of the user's.
    if "-" in ([given] if isinstance(given, str) else given) and sys.stdin is None:
        from mltrain.errors import UsageError

        raise UsageError("cannot read the config from standard input: it is closed")
    return given


def _registered(given: list[Path] | None) -> list[Path] | None:
    # Also where none is given: a second command of one process has none of the plugins of the first.
    from mltrain.evaluation.catalogue import OWN_METRICS
    from mltrain.plugins import from_file

    OWN_METRICS.register([offered for path in given or () for offered in from_file(path)])
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
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Run this Python file and use the metrics it defines; may be repeated.",
        callback=_registered,
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


def result(run: RunDirectory, metrics: dict[str, Any], judged: Sequence[Judgement] = ()) -> str:
    """Return what `train` and `resume` print with --json: the run, where it was resumed, its results and its gates."""
    resumed = [{"step": each.step, "checkpoint": each.checkpoint} for each in run.record().resumed]
    gates = {"gates": [each.as_json() for each in judged]} if judged else {}
    return json.dumps({"run": str(run.path.absolute()), "resumed": resumed, "metrics": metrics, **gates})


def runs_directory(given: Path | None) -> Path:
    """Return where runs are kept: as given, else `$MLTRAIN_RUNS_DIR`, else `runs`."""
    return given or Path(os.environ.get("MLTRAIN_RUNS_DIR") or "runs")
