"""`mltrain validate`: check configs without TensorFlow."""

from __future__ import annotations

import json as json_format

import typer

from mltrain.cli.arguments import ConfigPaths, Json, Overrides, PluginFiles, plugins_of
from mltrain.errors import ConfigError, DataError, UsageError


def validate(
    configs: ConfigPaths, overrides: Overrides = None, plugins: PluginFiles = None, json: Json = False
) -> None:
    """Check configs: shows every problem with its line, in well under a second."""
    from mltrain.config.load import load
    from mltrain.experiment.pixel_range import stated_pixel_findings
    from mltrain.problems import printable
    from mltrain.procedures.weight_sources import absent_weight_files
    from mltrain.procedures.word_vectors import absent_files

    known = plugins_of(plugins)
    checked: list[dict[str, object]] = []
    exit_codes = {0}
    for config in configs:
        try:
            loaded = load(config, overrides or (), plugins=known)
        except ConfigError as error:
            problems = [problem.as_json() for problem in getattr(error, "problems", ())]
            checked.append({"config": config, "valid": False, "problems": problems})
            typer.echo(str(error), err=True)
            exit_codes.add(error.exit_code)
        except UsageError as error:  # the file is not there: no reason to say nothing of the others
            problem = {"path": "", "file": config, "line": None, "column": None, "message": str(error)}
            checked.append({"config": config, "valid": False, "problems": [problem]})
            typer.echo(f"error: {error}", err=True)
            exit_codes.add(error.exit_code)
        else:
            if absent := (*absent_files(loaded), *absent_weight_files(loaded)):
                checked.append({"config": config, "valid": False, "problems": [each.as_json() for each in absent]})
                typer.echo("\n".join(map(str, absent)), err=True)
                exit_codes.add(DataError.exit_code)
                continue
            warnings = [finding.line for finding in stated_pixel_findings(loaded.spec)]
            more = {"warnings": warnings} if warnings else {}
            checked.append({"config": config, "valid": True, "problems": [], **more})
            for warning in warnings:
                typer.echo(f"{config}: warning: {printable(warning)}", err=True)
            if not json:
                typer.echo(f"{config}: ok")
    if json:
        typer.echo(json_format.dumps({"configs": checked}, indent=2))
    # A file that is not there comes before one that is wrong.
    raise typer.Exit(UsageError.exit_code if UsageError.exit_code in exit_codes else max(exit_codes))
