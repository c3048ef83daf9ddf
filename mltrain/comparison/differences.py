"""What differs between configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def differences(configs: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values that differ, by their path, one a config; None where a config has no such value.

    What is alike wherever it is there, as the callbacks that only some configs have, differs as a whole: one line says
    more than each of its parts.
    """
    return dict(_different(tuple(configs), ""))


def _different(values: tuple[Any, ...], path: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if len(set(map(repr, values))) == 1:
        return
    there = [value for value in values if value is not None]
    if len(set(map(repr, there))) == 1:
        yield path, values
    elif all(isinstance(value, dict) for value in there):
        for key in dict.fromkeys(key for value in there for key in value):
            inner = tuple(value.get(key) if value else None for value in values)
            yield from _different(inner, f"{path}.{key}" if path else str(key))
    elif all(isinstance(value, list) for value in there):
        for position in range(max(map(len, there))):
            items = tuple(value[position] if value and position < len(value) else None for value in values)
            yield from _different(items, f"{path}[{position}]")
    else:
        yield path, values
