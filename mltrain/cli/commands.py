"""The list of commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated

import typer

from mltrain import __version__

# In the order of `mltrain --help`; imported when it is called.
COMMANDS: Mapping[str, Callable[[], Callable[..., None]]] = {
    "init": lambda: import_module("mltrain.cli.init").init,
    "validate": lambda: import_module("mltrain.cli.validate").validate,
    "audit": lambda: import_module("mltrain.cli.audit").audit,
    "check": lambda: import_module("mltrain.cli.check").check,
    "train": lambda: import_module("mltrain.cli.train").train,
    "cross-validate": lambda: import_module("mltrain.cli.cross_validate").cross_validate,
    "resume": lambda: import_module("mltrain.cli.resume").resume,
    "evaluate": lambda: import_module("mltrain.cli.evaluate").evaluate,
    "predict": lambda: import_module("mltrain.cli.predict").predict,
    "explain": lambda: import_module("mltrain.cli.explain").explain,
    "reproduce": lambda: import_module("mltrain.cli.reproduce").reproduce,
    "show": lambda: import_module("mltrain.cli.show").show,
    "compare": lambda: import_module("mltrain.cli.compare").compare,
    "report": lambda: import_module("mltrain.cli.report").report,
    "board": lambda: import_module("mltrain.cli.board").board,
    "list": lambda: import_module("mltrain.cli.list").list_components,
    "schema": lambda: import_module("mltrain.cli.list").schema,
    "doctor": lambda: import_module("mltrain.cli.doctor").doctor,
}


def program(named: str | None = None) -> typer.Typer:
    """Return the command line; of a named command that one alone, as the others would take a tenth of its time.

    Args:
        named: the first word behind `mltrain`; all commands are there unless it names one.
    """
    app = typer.Typer(
        name="mltrain",
        help="Train Keras models from YAML files. Each run leaves a directory with the model, its numbers and a "
        "report.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for name in [named] if named is not None and named in COMMANDS else COMMANDS:
        app.command(name)(COMMANDS[name]())
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mltrain {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    pass
