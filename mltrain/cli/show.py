"""`mltrain show`: the summary of a run."""

from __future__ import annotations

import json as json_format
from pathlib import Path

import typer

from mltrain.cli.arguments import Json, RunReference, RunsDirectory, runs_directory


def show(run: RunReference, runs_dir: RunsDirectory = None, json: Json = False) -> None:
    """Show what a run is, or a folder of folds, how it ended and what came out. Reads only, without TensorFlow."""
    from mltrain.run.fold_folder import FoldFolder

    folder = FoldFolder(Path(run))
    if folder.has_results():
        from mltrain.report.folds import folds_text

        together = folder.results()
        typer.echo(json_format.dumps(together.model_dump(mode="json"), indent=2) if json else folds_text(together))
        return
    from mltrain.procedures.show import summary
    from mltrain.report.summary import run_summary
    from mltrain.run.opening import open_run

    found, results = summary(open_run(run, runs_directory(runs_dir)))
    typer.echo(json_format.dumps(found, indent=2) if json else run_summary(found, results))
