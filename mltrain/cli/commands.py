"""The list of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from mltrain import __version__
from mltrain.cli.audit import audit
from mltrain.cli.board import board
from mltrain.cli.compare import compare
from mltrain.cli.cross_validate import cross_validate
from mltrain.cli.doctor import doctor
from mltrain.cli.evaluate import evaluate
from mltrain.cli.explain import explain
from mltrain.cli.init import init
from mltrain.cli.list import list_components, schema
from mltrain.cli.predict import predict
from mltrain.cli.report import report
from mltrain.cli.reproduce import reproduce
from mltrain.cli.resume import resume
from mltrain.cli.show import show
from mltrain.cli.train import train
from mltrain.cli.validate import validate

app = typer.Typer(
    name="mltrain",
    help="Train Keras models from YAML files. Each run leaves a directory with the model, its numbers and a report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(init)
app.command()(validate)
app.command()(audit)
app.command()(train)
app.command("cross-validate")(cross_validate)
app.command()(resume)
app.command()(evaluate)
app.command()(predict)
app.command()(explain)
app.command()(reproduce)
app.command()(show)
app.command()(compare)
app.command()(report)
app.command()(board)
app.command("list")(list_components)
app.command()(schema)
app.command()(doctor)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mltrain {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    pass
