"""`config.resolved.yaml`: every value of an experiment, and who set it. Read again, it makes an equal experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from mltrain.config.load import Loaded
from mltrain.config.yaml_node import Node
from mltrain.config.yaml_text import scalar_text, value_text
from mltrain.problems import KeyPath
from mltrain.spec import as_plain, normalise

Setter = Callable[[Node, KeyPath, Any], str]

_WIDEST = 120
# In characters, with a reserve: YAML reads a key before its colon up to 1,024, and a longer one behind a question mark.
_LONGEST_KEY = 1000
_HEADER = "# Every value of this experiment, with who set it. Training it again gives the same run.\n"


def resolved_yaml(loaded: Loaded, *, again: bool = False) -> str:
    """Return the text of `config.resolved.yaml`. Paths are absolute.

    Args:
        loaded: the experiment.
        again: whether it was read from such a text: who set a value at first is what is said there, and the overrides
            are those of `resume`.
    """
    setter = _who_set_first if again else who_set
    written = as_plain(loaded.written or loaded.spec)
    return _HEADER + "".join(f"{line}\n" for line in _block(written, (), loaded.root, setter))


def who_set(root: Node, path: KeyPath, value: Any) -> str:
    """Return who set a value: "config.yaml:12", "--set #1" or "default".

    Args:
        root: the YAML with the overrides in it.
        path: of the value in the spec, which is more than the YAML: `optimizer: adam` became `{type: Adam, …}`.
        value: a scalar or an empty collection.
    """
    existing = root.existing(path)
    node = root.at(existing)
    if len(existing) < len(path):
        stands_for = node.is_scalar and isinstance(node.value, str) and isinstance(value, str)
        same = stands_for and len(path) == len(existing) + 1 and normalise(node.value) == normalise(value)
        if not same and not (stands_for and path[-1] == "type"):
            return "default"
    place = node.place
    return place.source.name if place.source.override else f"{PurePath(place.source.name).name}:{place.line}"


def _who_set_first(root: Node, path: KeyPath, value: Any) -> str:
    said = who_set(root, path, value)
    place = root.at(root.existing(path)).place
    if place.source.override:
        return f"resume {said}"
    # Every value of such a text is on one line, with the comment at its end. A value of a newer version is not there.
    _, mark, first = place.source.lines[place.line - 1].rpartition("  # ")
    return said if said == "default" or not mark else first


def _block(value: Any, path: KeyPath, root: Node, setter: Setter, indent: str = "") -> Iterator[str]:
    """Yield the lines of a mapping or list, without the key above it."""
    for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
        inner_path = (*path, part)
        setters = dict.fromkeys(_setters(inner, inner_path, root, setter))
        key = "-" if isinstance(part, int) else f"{scalar_text(part)}:"
        if len(key) > _LONGEST_KEY:
            yield f"{indent}? {key.removesuffix(':')}"
            key = ":"
        line = f"{indent}{key} {value_text(inner)}"
        # What one line has set, and fits on a line, stays on one: rows of inline data, `source: {type: sklearn, …}`.
        if not isinstance(inner, (dict, list)) or not inner or (len(setters) == 1 and len(line) <= _WIDEST):
            yield f"{line}  # {', '.join(setters)}"
            continue
        lines = _block(inner, inner_path, root, setter, indent + "  ")
        if key == "-":  # the first line of the item stands beside the dash
            yield f"{indent}- {next(lines).lstrip()}"
        else:
            yield f"{indent}{key}"
        yield from lines


def _setters(value: Any, path: KeyPath, root: Node, setter: Setter) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _setters(inner, (*path, key), root, setter)
    elif isinstance(value, list) and value:
        for position, inner in enumerate(value):
            yield from _setters(inner, (*path, position), root, setter)
    else:
        yield setter(root, path, value)
