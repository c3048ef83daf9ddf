"""`mltrain report`: the page of a run and its model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import RunReference, RunsDirectory, runs_directory


def report(
    run: RunReference,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page to FILE and leave the run unchanged.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--md", metavar="FILE", help="Write the model card to FILE and leave the run unchanged."),
    ] = None,
    runs_dir: RunsDirectory = None,
) -> None:
    """Make report.html and report.md of a run again, in the run or in other files. Prints the paths."""
    from mltrain.procedures.report import report as make
    from mltrain.procedures.report import write_report
    from mltrain.run import durable
    from mltrain.run.locked_run import LockedRun
    from mltrain.run.opening import open_run

    found = open_run(run, runs_directory(runs_dir))
    made = make(found)
    if html is None and markdown is None:
        with LockedRun(found.path) as locked:
            write_report(locked, made)
            typer.echo(locked.page)
    for path, text in ((html, made.html), (markdown, made.markdown)):
        if path is not None:
            durable.write_file(durable.without_links(path), text)
            typer.echo(path)
