"""`mltrain validate`: check configs without TensorFlow."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

from mltrain.cli.arguments import Json, Overrides
from mltrain.errors import ConfigError, MltrainError


def validate(
    configs: Annotated[list[str], typer.Argument(metavar="CONFIG…", help="YAML files; - is standard input.")],
    overrides: Overrides = None,
    json: Json = False,
) -> None:
    """Check configs: every problem at once, each at its line, in well under a second."""
    from mltrain.load import load

    checked: list[dict[str, object]] = []
    failure: MltrainError | None = None
    for config in configs:
        try:
            load(config, overrides or ())
        except ConfigError as error:
            problems = [problem.as_json() for problem in getattr(error, "problems", ())]
            checked.append({"config": config, "valid": False, "problems": problems})
            typer.echo(str(error), err=True)
            failure = error
        else:
            checked.append({"config": config, "valid": True, "problems": []})
            if not json:
                typer.echo(f"{config}: ok")
    if json:
        typer.echo(json_format.dumps({"configs": checked}, indent=2))
    if failure is not None:
        raise typer.Exit(failure.exit_code)
