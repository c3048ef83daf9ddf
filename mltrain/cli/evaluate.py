"""`mltrain evaluate`: the numbers of a run, measured again from its directory."""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mltrain.cli.arguments import Json, RunReference, RunsDirectory, runs_directory


def evaluate(
    run: RunReference,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option("--split", help="The rows to measure on. Default: test, else validation, else train."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="Other rows: a .csv, .tsv, .parquet, .jsonl or .npz file."),
    ] = None,
    runs_dir: RunsDirectory = None,
    json: Json = False,
) -> None:
    """Rebuild the model of a run and measure it. A look at its test rows is counted; a read-only run is fine."""
    from mltrain.errors import UsageError
    from mltrain.problems import printable
    from mltrain.procedures.evaluate import evaluate as evaluate_run
    from mltrain.report.summary import results_table, split_lines
    from mltrain.run.opening import open_run

    if split is not None and data is not None:
        raise UsageError("--split and --data were both given: a file of other rows has no splits")
    metrics = evaluate_run(open_run(run, runs_directory(runs_dir)), split, data, tuple(sys.argv))
    typer.echo(json_format.dumps(metrics, indent=2) if json else results_table(metrics))
    looks = [metrics["test_looks"]["sentence"]] if "test_looks" in metrics else []
    for line in (*split_lines(metrics), *map(printable, looks)):
        typer.echo(line, err=True)
