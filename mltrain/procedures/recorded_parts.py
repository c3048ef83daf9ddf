"""What a record says of the layers, losses, optimizers, schedules and models of plugins, and the way back: with it the
config of a run can be read where the plugin is not there. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.config.named_parts import named_parts
from mltrain.errors import RunError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api import catalogue
from mltrain.keras_api.argument_types import ArgumentType, ComponentOf, ListOf, parse
from mltrain.keras_api.catalogue import Argument, Entry
from mltrain.keras_api.own_entry import Signature
from mltrain.keras_api.own_parts import OwnPart
from mltrain.keras_api.own_signature import fits
from mltrain.run.record import OwnArgumentRecord, OwnPartRecord, Record


def own_parts_record(spec: ExperimentSpec) -> tuple[OwnPartRecord, ...]:
    """Return what a record says of what the user made of an experiment."""
    found = {
        (part.entry.kind, part.entry.name): part for _, each in named_parts(spec) if (part := each.own) is not None
    }
    return tuple(_recorded(part) for part in found.values())


def recorded_parts(record: Record, place: object) -> list[OwnPart]:
    """Return what stands for the components of a run whose plugin is not there.

    Args:
        record: of the run.
        place: where it is from, for the message.

    Raises:
        RunError: it is damaged.
    """
    return [_part(each, place) for each in record.own_parts]


def other_parts(record: Record, spec: ExperimentSpec) -> Iterator[str]:
    """Yield which components of plugins are not what they were when the run was made, a sentence each."""
    now = {(each.kind, each.name): each.origin for each in own_parts_record(spec)}
    for before in record.own_parts:
        origin = now.get((before.kind, before.name), before.origin)
        if origin != before.origin:
            yield f"{before.kind} {before.name} is that of {origin.words}, in the training it was {before.origin.words}"


def refuse_absent_parts(spec: ExperimentSpec) -> None:
    """Refuse components of plugins that are not there, before it takes long to find out.

    Raises:
        PluginError: names the first, and what brings it.
    """
    for _, component in named_parts(spec):
        if component.own is not None:
            component.own.given()


def _recorded(part: OwnPart) -> OwnPartRecord:
    entry = part.entry
    arguments = tuple(
        OwnArgumentRecord(
            name=each.name, type=each.type_text, default=each.default, required=each.required, doc=each.doc
        )
        for each in entry.arguments
    )
    return OwnPartRecord.model_validate(
        {
            "kind": entry.kind,
            "name": entry.name,
            "origin": part.origin,
            "doc": entry.doc,
            "arguments": arguments,
            "takes": part.signature.takes,
        }
    )


def _part(recorded: OwnPartRecord, place: object) -> OwnPart:
    for each in recorded.arguments:
        try:
            expected = parse(each.type)
        except ValueError as error:
            raise RunError(f"{place}: own_parts: argument {each.name} of {recorded.name}: {error}") from None
        if not _is_known(expected) or not (each.required or fits(expected, each.default)):
            raise RunError(f"{place}: own_parts: argument {each.name} of {recorded.name} is damaged")
    arguments = tuple(
        Argument(each.name, each.type, each.default, each.required, each.doc) for each in recorded.arguments
    )
    entry = Entry(recorded.kind, recorded.name, recorded.doc, (), "any", arguments)
    return OwnPart(Signature(entry, takes=tuple(recorded.takes)), recorded.origin)


def _is_known(expected: ArgumentType) -> bool:
    """Return whether a type names only kinds of components that there are."""
    for each in expected.alternatives:
        if isinstance(each, ComponentOf) and each.kind not in catalogue.kinds():
            return False
        if isinstance(each, ListOf) and not _is_known(each.items):
            return False
    return True
