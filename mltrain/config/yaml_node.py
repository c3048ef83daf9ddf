"""A value of a YAML text that remembers where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrain.problems import KeyPath, Place, path_text
from mltrain.spec import FromWorkingDirectory


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. Nothing changes a node: aliases share it, and an override copies only what leads to it.

    Attributes:
        value: a mapping of nodes, a tuple of nodes, or anything else: a scalar.
        place: of the value; of its first line, where it has several.
        keys: of a mapping: where each key is written.
        size: number of nodes in it, itself included, with aliases expanded.
        height: 1 for a scalar, else one more than the highest child.
    """

    value: Any
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    @classmethod
    def collection(
        cls, value: Mapping[str, Node] | tuple[Node, ...], place: Place, keys: Mapping[str, Place] | None = None
    ) -> Node:
        """Return the node of a mapping or list."""
        children = tuple(value.values()) if isinstance(value, Mapping) else value
        size = 1 + sum(child.size for child in children)
        height = 1 + max((child.height for child in children), default=0)
        return cls(value, place, keys or {}, size, height)

    @property
    def is_scalar(self) -> bool:
        """Whether this is neither a mapping nor a list."""
        return not isinstance(self.value, (Mapping, tuple))

    def child(self, part: str | int) -> Node | None:
        """Return the value under a key or at an index, or None."""
        if isinstance(self.value, Mapping) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, tuple) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def existing(self, path: KeyPath) -> KeyPath:
        """Return the longest beginning of `path` that exists."""
        node = self
        for depth, part in enumerate(path):
            child = node.child(part)
            if child is None:
                return path[:depth]
            node = child
        return path

    def at(self, path: KeyPath) -> Node:
        """Return the value at a path.

        Raises:
            KeyError: it does not exist.
        """
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                raise KeyError(path_text(path))
            node = child
        return node

    def place_of(self, path: KeyPath, key: bool = False) -> Place:
        """Return where the value at `path` is written, or what it is missing from.

        A mapping or list is shown at the key above it, as a block begins with its first entry.

        Args:
            path: of the value.
            key: show the key also of a scalar.
        """
        existing = self.existing(path)
        node = self.at(existing)
        if existing and (key or not node.is_scalar):
            return self.at(existing[:-1]).keys.get(str(existing[-1]), node.place)
        return node.place

    def changed(self, path: KeyPath, node: Node | None, key: Place | None = None) -> Node:
        """Return a copy with another value at `path`, or without that value when `node` is None.

        Everything above the value must exist.

        Args:
            path: of the value.
            node: the new value.
            key: where the key of the value is written, if the key or the value is a new one.
        """
        if not path:
            return node or self
        part = path[0]
        child = self.at(path[:1]).changed(path[1:], node, key) if len(path) > 1 else node
        if isinstance(self.value, tuple):
            index = int(part)
            items = (*self.value[:index], *((child,) if child else ()), *self.value[index + 1 :])
            return Node.collection(items, self.place)
        values, keys = dict(self.value), dict(self.keys)
        if child is None:
            del values[str(part)], keys[str(part)]
        else:
            values[str(part)] = child
            # A whole mapping or list is shown at its key: that of an override is where the override is.
            if key is not None and child.place.source == key.source:
                keys[str(part)] = key
            keys.setdefault(str(part), key or child.place)
        return Node.collection(values, self.place, keys)

    def plain(self) -> Any:
        """Return the value as dicts, lists and scalars. A text from the command line is marked as such."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        if isinstance(self.value, str) and self.place.source.override:
            return FromWorkingDirectory(self.value)
        return self.value
