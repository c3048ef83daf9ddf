"""`mltrain init`: a starter config, and the JSON Schema for the editor beside it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

SCHEMA_NAME = "mltrain.listing.schema.json"


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
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            metavar="NAME",
            help="Write another example: photos is transfer learning for a folder of photos; --data says where it is.",
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
    from mltrain.procedures.drafting.examples import example_text
    from mltrain.procedures.drafting.names import config_name
    from mltrain.run.durable import without_links, write_file

    if target is not None and data is None:
        raise UsageError(f"--target is for a data file: mltrain init --data FILE --target {target}")
    if example == "photos" and data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: not a folder; --example photos needs one with a folder for each class")
    if example not in (None, "photos") and data is not None:
        raise UsageError(f"--example {example} does not look at --data {data}: give one of the two")
    path = path or Path(f"{example or 'config'}.yaml" if data is None or example else config_name(data))
    schema_path = path.with_name(SCHEMA_NAME)
    if path.exists():
        raise UsageError(f"{path}: already exists; name another file, such as `{_other_command(path, data, example)}`")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} does not exist; create it first")
    notes: tuple[str, ...] = ()
    if data is None or example is not None:
        text = example_text(example or "first", path, SCHEMA_NAME, data)
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


def _other_command(path: Path, data: Path | None, example: str | None) -> str:
    """Return a command that writes another file than one that exists, which may be the data itself."""
    if example is not None:
        folder = "" if data is None else f" --data {shlex.quote(str(data))}"
        return f"mltrain init experiment.yaml --example {example}{folder}"
    if data is not None:
        return f"mltrain init experiment.yaml --data {shlex.quote(str(data))}"
    if path.suffix in (".yaml", ".yml"):
        return "mltrain init experiment.yaml"
    return f"mltrain init --data {shlex.quote(str(path))}"
