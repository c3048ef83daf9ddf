"""`mltrain check`: what a training would do, before it is started."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

from mltrain.cli.arguments import ConfigPath, Json, Overrides, PluginFiles, RunsDirectory, plugins_of, runs_directory


def check(
    config: ConfigPath,
    overrides: Overrides = None,
    plugins: PluginFiles = None,
    runs_dir: RunsDirectory = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 10 if there is a warning.")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings.")] = False,
) -> None:
    """Try an experiment for some seconds before you train it: read, split, build, one step, one batch memorised,
    and how long the whole will take, how much memory and how much disk. Writes nothing."""
    from mltrain.config.load import load
    from mltrain.errors import VerdictError
    from mltrain.procedures.preflight.check import CheckRequest
    from mltrain.procedures.preflight.check import check as check_experiment
    from mltrain.procedures.weight_sources import with_found_runs
    from mltrain.report.preflight import CheckLine, last_line
    from mltrain.training.signals import Interruption

    def say(line: CheckLine) -> None:
        if not json and (not quiet or line.verdict == "warning"):
            typer.echo(line.line)

    with Interruption().handled() as interruption:
        loaded = with_found_runs(load(config, overrides or (), plugins=plugins_of(plugins)), runs_directory(runs_dir))
        found = check_experiment(CheckRequest(loaded, runs_directory(runs_dir), say), interruption)
    if json:
        typer.echo(json_format.dumps(found.model_dump(mode="json"), indent=2))
    elif not quiet:
        typer.echo(last_line(found))
    if strict and found.warnings:
        if json:
            raise typer.Exit(VerdictError.exit_code)  # the warnings are in the one object on stdout
        raise VerdictError(f"{config}: the check found a warning, and --strict makes that an error")
