"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

ConfigPath = Annotated[
    str, typer.Argument(metavar="CONFIG", help="The YAML file of the experiment; - is standard input.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value, as training.epochs=3; may be repeated."),
]
RunReference = Annotated[
    str, typer.Argument(metavar="RUN", help="A run: its path, 'latest', 'NAME/latest' or the beginning of its id.")
]
RunsDirectory = Annotated[
    Path | None,
    typer.Option("--runs-dir", metavar="DIR", help="Where runs are kept. Default: $MLTRAIN_RUNS_DIR or runs/."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]


def runs_directory(given: Path | None) -> Path:
    """Return where runs are kept: as given, else `$MLTRAIN_RUNS_DIR`, else `runs`."""
    return given or Path(os.environ.get("MLTRAIN_RUNS_DIR") or "runs")
