"""`mltrain schema`: the JSON Schema of the YAML."""

from __future__ import annotations

import json

import typer

from mltrain.cli.arguments import PluginFiles, plugins_of


def schema(plugins: PluginFiles = None) -> None:
    """Print the JSON Schema (draft-07) of a config, for editors and other programs."""
    from mltrain.listing.schema import json_schema

    typer.echo(json.dumps(json_schema(plugins=plugins_of(plugins)), indent=2, ensure_ascii=False))
