"""`mltrain init`: a starter config, and the JSON Schema for the editor beside it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

SCHEMA_NAME = "mltrain.listing.schema.json"

STARTER = """\
# yaml-language-server: $schema={schema}
#
# An experiment for mltrain. It runs as it is:
#
#   mltrain train {config}
#
# Your editor explains each key with the schema named above. `mltrain list` explains the components.

version: 1
name: {name}             # runs go to runs/{name}/
seed: 42                             # all random numbers follow from it

data:
  source: {{type: sklearn, name: breast_cancer}}
  # source: {{type: csv, path: data.csv}}               # relative to this file; see `mltrain list source`
  target: target                     # the column to predict; it also sets the task
  split: {{type: random, validation: 0.2, test: 0.2}}   # stratified by class
  # features:                        # the kind of all other columns is inferred
  #   age: {{type: number, scale: standard}}
  #   island: category
  #   id: ignore

model:
  type: mlp                          # or linear, or sequential with a list of Keras layers
  units: [64]
  activation: relu
  dropout: 0.2

training:
  optimizer: {{type: Adam, learning_rate: 1e-3}}
  epochs: 100
  batch_size: 32
  callbacks:
    - {{type: EarlyStopping, patience: 10}}

objective: {{metric: validation.loss}}  # the best epoch is chosen by this

evaluation:
  metrics: [accuracy, precision, recall, f1, roc_auc]
"""


def init(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The config to write. Default: config.yaml, or the name of the data."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Look at this data and write its config: CSV, Parquet, JSON Lines, NPZ, or a folder of images.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="COLUMN", help="The column to predict. Default: a guess.")
    ] = None,
) -> None:
    """Write a commented config that runs as it is, and the JSON Schema for your editor; with --data for your own data,
    with what was seen in it."""
    from mltrain.errors import UsageError, WriteError
    from mltrain.listing.schema import json_schema
    from mltrain.procedures.drafting.names import config_name
    from mltrain.run.durable import without_links, write_file

    if target is not None and data is None:
        raise UsageError(f"--target is for a data file: mltrain init --data FILE --target {target}")
    path = path or Path("config.yaml" if data is None else config_name(data))
    schema_path = path.with_name(SCHEMA_NAME)
    if path.exists():
        raise UsageError(f"{path}: already exists; name another file, such as `{_other_command(path, data)}`")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} does not exist; create it first")
    notes: tuple[str, ...] = ()
    if data is None:
        text = STARTER.format(schema=SCHEMA_NAME, config=path.name, name="first-experiment")
    else:
        from mltrain.procedures.drafting.draft import draft  # NumPy and pyarrow, which the starter does not need

        made = draft(data, path, target, SCHEMA_NAME)
        text, notes = made.text, made.notes
    schema = f"{json.dumps(json_schema(), indent=1, ensure_ascii=False)}\n"
    try:
        write_file(without_links(schema_path.absolute()), schema.encode())
        write_file(without_links(path.absolute()), text.encode())
    except WriteError as error:
        # Its own words advise another --runs-dir, which means nothing here.
        reason = getattr(error.__cause__, "strerror", None) or error
        raise WriteError(
            f"{path}: cannot write: {reason}; name a file elsewhere, such as `mltrain init ~/{path.name}`"
        ) from error
    typer.echo(path)
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(
        f"wrote the schema for your editor to {schema_path}; next: mltrain train {shlex.quote(str(path))}", err=True
    )


def _other_command(path: Path, data: Path | None) -> str:
    """Return a command that writes another file than one that exists, which may be the data itself."""
    if data is not None:
        return f"mltrain init experiment.yaml --data {shlex.quote(str(data))}"
    if path.suffix in (".yaml", ".yml"):
        return "mltrain init experiment.yaml"
    return f"mltrain init --data {shlex.quote(str(path))}"
