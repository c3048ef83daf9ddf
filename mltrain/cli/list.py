"""`mltrain list` and `mltrain schema`: all that a config can say."""

from __future__ import annotations

import json as json_format
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from mltrain.cli.arguments import Json, PluginFiles, plugins_of

if TYPE_CHECKING:
    from mltrain.listing.components import Component


_WIDTH = 100
_UNBROKEN = "\N{NO-BREAK SPACE}"
# Arguments that (nearly) every component of a kind takes: said once, they leave the signatures readable.
_SHARED = {
    "layer": ("activity_regularizer", "trainable", "dtype", "name"),
    "optimizer": (
        *("clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency"),
        *("loss_scale_factor", "gradient_accumulation_steps", "name"),
    ),
    "loss": ("reduction", "dtype"),
    "keras_metric": ("name", "dtype"),
}


def list_components(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="source, model, layer, optimizer, loss, …")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One component of that kind.")] = None,
    plugins: PluginFiles = None,
    json: Json = False,
) -> None:
    """List all components with their arguments: sources, models, layers, optimizers, losses, metrics, callbacks …"""
    from mltrain.listing.components import KINDS, components

    known = plugins_of(plugins)
    kinds = [_found(kind, list(KINDS), "kind")] if kind else list(KINDS)
    shown = {each: components(each, known) for each in kinds}
    if kind and name:
        wanted = _found(name, [each.name for each in shown[kinds[0]]], kinds[0])
        shown = {kinds[0]: [each for each in shown[kinds[0]] if each.name == wanted]}
    if json:
        typer.echo(
            json_format.dumps({each: [one.as_json() for one in found] for each, found in shown.items()}, indent=2)
        )
        return
    if name:
        typer.echo("\n".join(_explained(component) for component in shown[kinds[0]]))
        return
    for each, found in shown.items():
        typer.echo(f"{each} — {KINDS[each]}")
        if each in _SHARED:
            typer.echo(_wrapped(f"(almost all also take {', '.join(_SHARED[each])})", "  "))
        for component in found:
            typer.echo(_signature(component, each))
            if kind:
                typer.echo(_wrapped(component.doc, "      "))
    example = f"{kinds[0]} {shown[kinds[0]][0].name}" if kind else "layer Dense"
    more = "" if kind else "`mltrain list layer` describes each layer, "
    typer.echo(f"\n{more}`mltrain list {example}` explains its arguments.")


def schema(plugins: PluginFiles = None) -> None:
    """Print the JSON Schema (draft-07) of a config, for editors and other programs."""
    from mltrain.listing.schema import json_schema

    typer.echo(json_format.dumps(json_schema(plugins=plugins_of(plugins)), indent=2, ensure_ascii=False))


def _found(given: str, known: list[str], what: str) -> str:
    from mltrain.errors import UsageError
    from mltrain.spec import normalise, suggest

    for each in known:
        if normalise(each) in (normalise(given), normalise(given.removesuffix("s"))):
            return each
    shown = f" (known: {', '.join(known)})" if len(known) <= 20 else ""
    raise UsageError(f"unknown {what} {given!r}{suggest(given, known)}{shown}")


def _signature(component: Component, kind: str) -> str:
    """Return name and arguments, `Dense(units, activation=null, …)`, in lines, without those that nearly all take."""
    arguments = [
        each.name if each.default is None else f"{each.name}={each.default}"
        for each in component.arguments
        if each.name not in _SHARED.get(kind, ())
    ]
    # A line may end after an argument, not within one; textwrap breaks at no space of this sort.
    whole = ", ".join(argument.replace(" ", _UNBROKEN) for argument in arguments)
    return _wrapped(f"{component.name}({whole})", "  ", "      ").replace(_UNBROKEN, " ")


def _explained(component: Component) -> str:
    also = f" (also: {', '.join(component.aliases)})" if component.aliases else ""
    lines = [f"{component.name}{also}", _wrapped(component.doc, "  ")]
    for argument in component.arguments:
        default = "required" if argument.default is None else f"default {argument.default}"
        lines.append(_wrapped(f"{argument.name}: {argument.type}; {default}", "    ", "      "))
        lines.append(_wrapped(argument.doc, "      "))
    return "\n".join(line for line in lines if line)


def _wrapped(text: str, indent: str, further: str | None = None) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
