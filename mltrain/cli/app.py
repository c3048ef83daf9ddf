"""The list of commands, and the one place that prints errors."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mltrain import __version__
from mltrain.cli.doctor import doctor
from mltrain.cli.evaluate import evaluate
from mltrain.cli.init import init
from mltrain.cli.list import list_components
from mltrain.cli.resume import resume
from mltrain.cli.schema import schema
from mltrain.cli.show import show
from mltrain.cli.train import train
from mltrain.cli.validate import validate
from mltrain.errors import MltrainError

app = typer.Typer(
    name="mltrain",
    help="Train Keras models from YAML files: one experiment in, one run directory that proves itself out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(init)
app.command()(validate)
app.command()(train)
app.command()(resume)
app.command()(evaluate)
app.command()(show)
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


def main() -> NoReturn:
    """Run the command line; end the process with the exit code of what happened."""
    try:
        app()
    except MltrainError as error:
        _say(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has left, as `mltrain list | head` does: end as a program that SIGPIPE ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:  # noqa: BLE001 (the one place that turns any bug into one line and a file)
        _say_bug(error)
        sys.exit(1)
    sys.exit(0)


def _say(error: MltrainError) -> None:
    print(f"error: {error}" if "\n" not in str(error) else error, file=sys.stderr)
    if "--json" in sys.argv:
        problems = [problem.as_json() for problem in getattr(error, "problems", ())]
        print(json.dumps({"error": {"exit_code": error.exit_code, "message": str(error), "problems": problems}}))


def _say_bug(error: Exception) -> None:
    with tempfile.NamedTemporaryFile(
        "w", prefix="mltrain-bug-", suffix=".txt", delete=False, encoding="utf-8", dir=_writable_folder()
    ) as file:
        file.write(f"mltrain {__version__}, Python {sys.version}\ncommand: {sys.argv}\n\n")
        traceback.print_exception(error, file=file)
    reason = " ".join(str(error).split())[:200]
    print(f"bug in mltrain: {type(error).__name__}: {reason} (the traceback is in {file.name})", file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps({"error": {"exit_code": 1, "message": reason, "traceback": file.name}}))


def _writable_folder() -> Path:
    return Path(tempfile.gettempdir())
