"""`mltrain board`: the runs in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import runs_directory


def board(
    runs_dir: Annotated[
        Path | None, typer.Argument(metavar="RUNS_DIR", help="The folder of runs. Default: $MLTRAIN_RUNS_DIR or runs/.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            help="Use exactly this port; 0 is any free one. Default: 8420 or the next.",
        ),
    ] = None,
) -> None:
    """Show all runs in a browser on this machine: a table, curves while they train, comparisons, reports.

    Prints the address and serves it until Ctrl-C. Writes nothing.
    """
    from mltrain.board.server import served

    with served(runs_directory(runs_dir), port) as server:
        typer.echo(server.url)
        server.serve_forever()
