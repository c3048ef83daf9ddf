"""`mltrain predict`: the rows of a file, with the predictions of a run."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli import reading_options as reading
from mltrain.cli.arguments import (
    Json,
    KeptEpoch,
    PluginFiles,
    Quiet,
    RunReference,
    RunsDirectory,
    plugins_of,
    runs_directory,
)

if TYPE_CHECKING:
    from mltrain.data.outputs import Output
    from mltrain.data.streams.block import RowStream


def predict(
    run: RunReference,
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA…",
            help="A .csv, .tsv, .parquet, .jsonl or .npz file; - is a CSV on standard input. Or images: .png, .jpg, "
            ".bmp, .gif, .webp, .tif, and folders of them.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The file to write, with the ending of DATA. Default: text on stdout."
        ),
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of each class.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the contribution of each column of a table to the score of a row.")
    ] = False,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="What the names of all new columns begin with.")
    ] = "",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse unknown categories, values out of range, and unexpected missing values."),
    ] = False,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Leave out images that cannot be used, with their rows, and count them. Exit code 4 if none is left.",
        ),
    ] = False,
    summary: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE", help="Write counts and drift of every column as JSON.")
    ] = None,
    epoch: KeptEpoch = None,
    plugins: PluginFiles = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that already exist.")] = False,
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
    quiet: Quiet = False,
) -> None:
    """Predict the rows of a file, or images: adds a column `prediction`, and compares the rows with the training
    rows."""
    from mltrain.data.files.image_files import are_images
    from mltrain.data.outputs import check_ending
    from mltrain.errors import UsageError
    from mltrain.procedures.prediction.lines import finding_lines
    from mltrain.procedures.prediction.predict import PredictRequest
    from mltrain.procedures.prediction.predict import predict as predict_rows
    from mltrain.run.opening import open_run
    from mltrain.training.signals import Interruption

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
    from_stdin = data == [Path("-")]
    images = data if not from_stdin and are_images(data) else []
    if len(data) > 1 and not images:
        raise UsageError(f"{data[1]}: only one file of rows at a time; only images can be several files")
    source = None if images or from_stdin else data[0]
    out = None if str(out) == "-" else out
    if from_stdin and sys.stdin is None:
        raise UsageError("cannot read the data from standard input: it is closed")
    if out is None and json:
        raise UsageError("With --json, give --out FILE: stdout holds the summary")
    if out is None and strict:
        raise UsageError("--strict needs --out FILE: printed rows cannot be removed again")
    for path in (out, summary):
        if path is not None:
            _check_place(path, force)
    if out is not None:
        check_ending(out, source, images=bool(images))
    known = plugins_of(plugins)
    with Interruption().handled() as interruption:
        found = open_run(run, runs_directory(runs_dir))
        request = PredictRequest(
            found,
            source,
            images=images,
            probabilities=proba,
            strict=strict,
            explain=explain,
            prefix=prefix,
            options=options,
            skip_bad=skip_bad,
            epoch=epoch,
            plugins=known,
        )
        findings = predict_rows(request, lambda stream: _opened(out, stream, quiet), interruption)
        values = {"run": str(found.path.absolute()), **findings.as_json()}
        text = f"{json_format.dumps(values, indent=2)}\n"
        if summary is not None:
            _write_summary(summary, text)
    if json:
        typer.echo(text, nl=False)
    if not quiet:
        for line in finding_lines(findings):
            typer.echo(line, err=True)


@contextmanager
def _opened(out: Path | None, stream: RowStream, quiet: bool) -> Iterator[Output]:
    from mltrain.data.outputs import is_delimited, open_output, text_output
    from mltrain.problems import printable
    from mltrain.run.durable import without_links, writing

    if (out is None or is_delimited(out)) and stream.left_out_of_text and not quiet:
        names = printable(", ".join(stream.left_out_of_text))
        typer.echo(f"these columns cannot be written as text and were left out: {names}", err=True)
    if out is None:
        yield text_output(lambda text: sys.stdout.write(text.decode()), stream)
        return
    with _told(out), writing(without_links(out.absolute())) as sink, open_output(sink, out, stream) as output:
        yield output


def _write_summary(path: Path, text: str) -> None:
    from mltrain.run.durable import without_links, write_file

    with _told(path):
        write_file(without_links(path.absolute()), text.encode())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Report a file that cannot be written; the message for runs would advise another --runs-dir."""
    from mltrain.errors import WriteError

    try:
        yield
    except WriteError as error:
        reason = getattr(error.__cause__, "strerror", None) or error
        raise WriteError(f"{path}: cannot write: {reason}; name a file elsewhere") from error


def _check_place(path: Path, force: bool) -> None:
    from mltrain.errors import UsageError

    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: is not a regular file; remove --out and redirect standard output")
    if path.exists() and not force:
        raise UsageError(f"{path}: already exists; name another file, or replace it with --force")
