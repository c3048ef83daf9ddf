"""`mltrain compare`: what differs between runs, and whether one is better."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from mltrain.cli.arguments import Json, PluginFiles, RunsDirectory, plugins_of, runs_directory


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN…", help="Two or more runs, named as for `mltrain show`.")],
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="METRIC", help="Show the best run by this metric first, e.g. test.f1."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with tables and curves.")
    ] = None,
    runs_dir: RunsDirectory = None,
    plugins: PluginFiles = None,
    json: Json = False,
) -> None:
    """Compare runs with the first one: configs, metrics, and which is better on the same test rows."""
    from mltrain.comparison.text import comparison_text
    from mltrain.problems import printable
    from mltrain.procedures.compare import compare as compare_runs

    found = compare_runs(runs, runs_directory(runs_dir), sort, plugins_of(plugins))
    if html is not None:
        from mltrain.cli.output_file import write_output
        from mltrain.comparison.page import comparison_page

        write_output(html, comparison_page(found), "--html")
    typer.echo(json_format.dumps(found.as_json(), indent=2) if json else comparison_text(found))
    for each in found.left_out:
        typer.echo(f"left out: {printable(each.reason)}", err=True)
