"""`mltrain list`: every component that a config can name."""

from __future__ import annotations

import json as json_format
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli.arguments import Json

if TYPE_CHECKING:
    from mltrain.components import Component


def list_components(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="source, model, layer, optimizer, loss, …")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One component of that kind.")] = None,
    json: Json = False,
) -> None:
    """List sources, models, layers, optimizers, losses, metrics, callbacks and the rest, with their arguments."""
    from mltrain.components import KINDS, components

    kinds = [_found(kind, list(KINDS), "kind")] if kind else list(KINDS)
    shown = {each: components(each) for each in kinds}
    if kind and name:
        wanted = _found(name, [each.name for each in shown[kinds[0]]], kinds[0])
        shown = {kinds[0]: [each for each in shown[kinds[0]] if each.name == wanted]}
    if json:
        typer.echo(
            json_format.dumps({each: [one.as_json() for one in found] for each, found in shown.items()}, indent=2)
        )
        return
    for each, found in shown.items():
        if not kind:
            typer.echo(f"{each} — {KINDS[each]}")
        for component in found:
            typer.echo(_long(component) if kind else f"  {component.signature()}")
    if not kind:
        typer.echo("\n`mltrain list layer` explains each layer, `mltrain list layer Dense` one.")


def _found(given: str, known: list[str], what: str) -> str:
    from mltrain.errors import UsageError
    from mltrain.spec import normalise, suggest

    for each in known:
        if normalise(each) in (normalise(given), normalise(given.removesuffix("s"))):
            return each
    shown = f" (known: {', '.join(known)})" if len(known) <= 20 else ""
    raise UsageError(f"there is no {what} {given!r}{suggest(given, known)}{shown}")


def _long(component: Component) -> str:
    also = f" (also: {', '.join(component.aliases)})" if component.aliases else ""
    lines = [f"{component.name}{also}"]
    lines += textwrap.wrap(component.doc, 100, initial_indent="  ", subsequent_indent="  ")
    for argument in component.arguments:
        default = "required" if argument.default is None else f"default {argument.default}"
        lines += textwrap.wrap(
            f"{argument.name}: {argument.type}; {default}", 100, initial_indent="    ", subsequent_indent="      "
        )
        lines += textwrap.wrap(argument.doc, 100, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"
