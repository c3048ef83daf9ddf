"""The layers, losses, optimizers, schedules and models of the user's that a config may name, beside those of Keras. No
TensorFlow, unless one of them is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrain import plugins
from mltrain.errors import PluginError
from mltrain.keras_api import catalogue
from mltrain.keras_api.catalogue import Entry
from mltrain.keras_api.own_entry import Signature
from mltrain.plugins import Kind, Offered, Origin
from mltrain.spec import normalise


@dataclass(frozen=True)
class OwnPart:
    """A component of the user's.

    Attributes:
        signature: its arguments.
        origin: where it comes from.
        made: the class, or the function under `@loss` or `@model`; None where only a run names it, and its plugin is
            not there.
        file: in which it is written; empty where that is not known.
        place: the file and the line.
    """

    signature: Signature
    origin: Origin
    made: Any = field(default=None, repr=False)
    file: str = ""
    place: str = ""

    @property
    def entry(self) -> Entry:
        """What the catalogue would say of it."""
        return self.signature.entry

    def given(self) -> Any:
        """Return the class or the function.

        Raises:
            PluginError: only a run names it, and its plugin was not given.
        """
        if self.made is None:
            said = f"{self.entry.kind} {self.entry.name} is one of {self.origin.words}"
            raise PluginError(f"{said}: {self.origin.advice}")
        return self.made


class OwnParts:
    """Components of `--plugin` files and, by name, those of installed packages. They are a part of the validation
    context, so that each config has its own."""

    def __init__(self, offered: Iterable[Offered] = ()) -> None:
        """Take what `--plugin` files define.

        Raises:
            PluginError: two have one name, or Keras has the name; or an argument has no type.
        """
        self._registered: dict[tuple[str, str], OwnPart] = {}
        self._absent: Mapping[tuple[str, str], OwnPart] = {}
        for each in offered:
            self._add(each)

    def with_recorded(self, recorded: Iterable[OwnPart]) -> OwnParts:
        """Return these, and what a run was trained with, so that it can be named although its plugin is not there; no
        model can be built of it."""
        found = type(self)()
        found._registered = self._registered
        found._absent = {(each.entry.kind, each.entry.name): each for each in recorded}
        return found

    @classmethod
    def of(cls, parts: Iterable[OwnPart]) -> OwnParts:
        """Return those of a config that was validated before."""
        found = cls()
        found._registered = {(each.entry.kind, each.entry.name): each for each in parts}
        return found

    def _add(self, offered: Offered) -> OwnPart:
        from mltrain.keras_api.own_signature import signature_of  # 5 ms that a config without plugins does not need

        kind, name = offered.kind, offered.name
        said = f"{offered.origin.plugin}: {kind} {name} ({offered.place})"
        if kind in catalogue.kinds():
            theirs = catalogue.find(kind, name) or (name if catalogue.reason_left_out(kind, name) else None)
            if theirs is not None:
                raise PluginError(f"{said} has the name of Keras' {kind} {theirs}: rename it, as in My{theirs}")
        other = self._found(kind, name)
        if other is not None:
            place = self._registered[kind, other].place
            raise PluginError(f"{said} has the name of {other} ({place}): rename one of them")
        place = offered.place
        signature = signature_of(offered)
        part = OwnPart(signature, offered.origin, offered.made, place.rpartition(":")[0], place)
        self._registered[kind, name] = part
        return part

    def registered(self, kind: str) -> list[OwnPart]:
        """Return those of `--plugin`, and those of packages that were named so far."""
        return [part for (of, _), part in self._registered.items() if of == kind]

    def names(self, kind: str) -> list[str]:
        """Return the names of all of a kind that could be named; imports nothing."""
        installed = plugins.installed_names(kind) if kind in plugins.GROUPS else []
        return list(dict.fromkeys([*(part.entry.name for part in self.registered(kind)), *installed]))

    def find(self, kind: str, name: str) -> OwnPart | None:
        """Return what `name` means in any spelling, or None; the package that offers it is imported.

        Raises:
            PluginError: that fails.
        """
        found = self._found(kind, name)
        if found is not None:
            return self._registered[kind, found]
        if kind in plugins.GROUPS and (offered := plugins.installed(kind, name)) is not None:
            return self._add(offered)
        return self._absent.get((kind, name))

    def _found(self, kind: str, name: str) -> str | None:
        known = (each for of, each in self._registered if of == kind)
        return next((each for each in known if normalise(each) == normalise(name)), None)


def parts_in(context: Any) -> OwnParts:
    """Return the components of the user's of a validation context; where it has none, installed packages alone."""
    found = context.get("plugins") if context else None
    return OwnParts() if found is None else found.parts


NONE = OwnParts()
__all__ = ["NONE", "Kind", "OwnPart", "OwnParts", "parts_in"]
