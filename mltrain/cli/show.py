"""`mltrain show`: the summary of a run."""

from __future__ import annotations

import json as json_format
from pathlib import Path

import typer

from mltrain.cli.arguments import Json, RunReference, RunsDirectory, runs_directory


def show(run: RunReference, runs_dir: RunsDirectory = None, json: Json = False) -> None:
    """Show what a run is, or a folder of folds or seeds, how it ended and what came out. Reads only, without
    TensorFlow."""
    from mltrain.run.run_folder import FOLDS, SEEDS, RunFolder

    if RunFolder(Path(run), FOLDS).has_results():
        from mltrain.report.folds import folds_text
        from mltrain.run.folds_form import read_folds

        folds = read_folds(Path(run))
        typer.echo(json_format.dumps(folds.model_dump(mode="json"), indent=2) if json else folds_text(folds))
        return
    if RunFolder(Path(run), SEEDS).has_results():
        from mltrain.report.seeds import seeds_text
        from mltrain.run.seeds_form import read_seeds

        seeds = read_seeds(Path(run))
        typer.echo(json_format.dumps(seeds.as_json(), indent=2) if json else seeds_text(seeds))
        return
    from mltrain.procedures.show import summary
    from mltrain.report.summary import run_summary
    from mltrain.run.opening import open_run

    found, results = summary(open_run(run, runs_directory(runs_dir)))
    typer.echo(json_format.dumps(found, indent=2) if json else run_summary(found, results))
