"""`mltrain evaluate`: the metrics of a run, measured again from its directory."""

from __future__ import annotations

import json as json_format
import sys
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer

from mltrain.cli import reading_options as reading
from mltrain.cli.arguments import Json, KeptEpoch, PluginFiles, RunReference, RunsDirectory, plugins_of, runs_directory
from mltrain.cli.gates import Against, AgainstMetric, GateOptions, JUnit, Tolerance, check_options, conclude


def evaluate(
    run: RunReference,
    split: Annotated[
        Literal["train", "out_of_fold", "validation", "test"] | None,
        typer.Option(
            "--split",
            help="The rows to measure on. Default: test, else validation, else train. out_of_fold: the training rows "
            "of an ensemble by fold, each predicted by the network that has not learned from it.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Other rows: a .csv, .tsv, .parquet, .jsonl or .npz file, or a folder of images (one per class).",
        ),
    ] = None,
    epoch: KeptEpoch = None,
    gates: GateOptions = None,
    plugins: PluginFiles = None,
    against: Against = None,
    tolerance: Tolerance = 0.0,
    metric: AgainstMetric = None,
    junit: JUnit = None,
    delimiter: reading.Delimiter = None,
    encoding: reading.Encoding = None,
    missing: reading.MissingOption = None,
    usual_missing: reading.UsualMissingOption = None,
    columns: reading.Columns = None,
    skip: reading.Skip = None,
    strip: reading.Strip = None,
    decimal: reading.Decimal = None,
    thousands: reading.Thousands = None,
    date_format: reading.DateFormatOption = None,
    runs_dir: RunsDirectory = None,
    json: Json = False,
) -> None:
    """Measure the model of a run again. Each use of the test rows is counted."""
    from mltrain.comparison.against import reference_run
    from mltrain.errors import UsageError
    from mltrain.problems import printable
    from mltrain.procedures.evaluate import evaluate as evaluate_run
    from mltrain.procedures.gate_checks import checked_gates, judge_measured
    from mltrain.procedures.unfinished import failure_explained
    from mltrain.report.summary import results_table, split_lines
    from mltrain.run.opening import open_run

    options = reading.reading_options(
        delimiter=delimiter,
        encoding=encoding,
        missing=missing,
        usual_missing=usual_missing,
        columns=columns,
        skip=skip,
        strip=strip,
        decimal=decimal,
        thousands=thousands,
        date_format=date_format,
    )
    if data is None:
        given = next((key for key, value in options.items() if value is not None and value != ()), None)
        if given is not None:
            raise UsageError(
                f"--{given.replace('_', '-')} says how a file of other rows is written: it needs --data FILE"
            )
    if split is not None and data is not None:
        raise UsageError(
            "--split and --data were both given: a file of other rows has no splits; remove one of the two"
        )
    if against is not None and data is not None:
        raise UsageError(
            "--against and --data were both given: runs are compared on their own rows; remove one of the two"
        )
    if against is not None and epoch is not None:
        raise UsageError("--against and --epoch were both given: --against compares models of runs; remove one")
    check_options(against, tolerance, metric, junit, gates)
    folder = runs_directory(runs_dir)
    known = plugins_of(plugins)
    found = open_run(run, folder)
    with failure_explained(found):
        checked = checked_gates(found, gates or (), split, data is not None, known)
    other = reference_run(open_run(against, folder), tolerance, metric, split, known) if against is not None else None
    measured = evaluate_run(found, split, data, tuple(sys.argv), options, known, epoch)
    judged = judge_measured(checked, measured.splits, data is not None) + ((other.judge(found),) if other else ())
    typer.echo(json_format.dumps(measured.as_json(judged), indent=2) if json else results_table(measured.splits))
    parts = (measured.sentences.get(key, ()) for key in ("run_sentences", "data_sentences", "plugin_sentences"))
    looks = [measured.looks.sentence] if measured.looks else []
    for line in (*split_lines(measured.splits), *map(printable, (*chain.from_iterable(parts), *looks))):
        typer.echo(line, err=True)
    conclude(judged, found, junit=junit, json=json)
