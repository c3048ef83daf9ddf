"""`mltrain audit`: is the data good enough to train on, and to measure with?"""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

from mltrain.cli.arguments import ConfigPath, Json, Overrides, PluginFiles, plugins_of


def audit(
    config: ConfigPath,
    overrides: Overrides = None,
    plugins: PluginFiles = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 10 if there is a warning.")] = False,
    json: Json = False,
) -> None:
    """Check the data for problems that make the metrics unreliable: rows duplicated across splits, columns that
    contain the answer, splits that differ from training. Writes nothing and does not load TensorFlow."""
    from mltrain.config.load import load
    from mltrain.errors import VerdictError
    from mltrain.procedures.audit import audit as audit_data
    from mltrain.report.audit import audit_lines

    audited = audit_data(load(config, overrides or (), plugins=plugins_of(plugins)))
    as_json = audited.model_dump(mode="json")
    typer.echo(json_format.dumps(as_json, indent=2) if json else "\n".join(audit_lines(audited)))
    if strict and audited.warnings:
        if json:
            raise typer.Exit(VerdictError.exit_code)  # the warnings are in the one object on stdout
        raise VerdictError(f"{config}: the audit found a warning, and --strict makes that an error")
