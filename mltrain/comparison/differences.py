"""What differs between configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mltrain.problems import path_text

# What it costs to put two items of lists beside each other, where one that has no partner costs 1.
_OF_ONE_TYPE, _OF_OTHER_TYPES = 0.9, 1.9
# Longer lists hold data, such as rows, and are compared by place: the time grows with the square of the length.
_LONGEST = 500


def differences(configs: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values that differ, by their path, one per config; None where a config has no such value.

    A part that only some configs have, such as a callback, is one difference if it is the same in all of them.
    Lists are compared by their content: of a list from which an item was removed, only that item differs. An index is
    that of the first config that has the item.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for path, values in _different(tuple(configs), ""):
        name = path
        while name in found:  # two configs each have an item of their own at this place
            name += " (other)"
        found[name] = values
    return found


def _different(values: tuple[Any, ...], path: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if len(set(map(repr, values))) == 1:
        return
    there = [value for value in values if value is not None]
    if len(set(map(repr, there))) == 1:
        yield path, values
    elif all(isinstance(value, dict) for value in there):
        for key in dict.fromkeys(key for value in there for key in value):
            name = path_text((str(key),))  # as --set takes it
            inner = tuple(value.get(key) if value else None for value in values)
            yield from _different(inner, f"{path}.{name}" if path else name)
    elif all(isinstance(value, list) for value in there):
        for position, items in _side_by_side(values):
            yield from _different(items, f"{path}[{position}]")
    else:
        yield path, values


def _side_by_side(lists: Sequence[list[Any] | None]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the items that belong together, one of each list or None, with the index in the first list that has one."""
    rows: list[list[int | None]] = []  # the index in each list so far
    for number, items in enumerate(lists):
        known = [_item(lists, row) for row in rows]
        pairs = _aligned(known, items or [])
        new = []
        for left, right in pairs:
            row = [None] * number if left is None else rows[left]
            new.append([*row, right])
        rows = new
    for row in rows:
        values = tuple(
            None if index is None or items is None else items[index] for index, items in zip(row, lists, strict=True)
        )
        yield next(index for index in row if index is not None), values


def _item(lists: Sequence[list[Any] | None], row: Sequence[int | None]) -> Any:
    return next(items[index] for index, items in zip(row, lists, strict=False) if index is not None and items)


def _aligned(first: Sequence[Any], second: Sequence[Any]) -> list[tuple[int | None, int | None]]:
    """Return which items of two lists belong together: the edit distance of Levenshtein (1966), traced back."""
    if max(len(first), len(second)) > _LONGEST:
        return [
            (place if place < len(first) else None, place if place < len(second) else None)
            for place in range(max(len(first), len(second)))
        ]
    costs = [[float(one + other) for other in range(len(second) + 1)] for one in range(len(first) + 1)]
    for one in range(1, len(first) + 1):
        for other in range(1, len(second) + 1):
            together = costs[one - 1][other - 1] + _cost(first[one - 1], second[other - 1])
            costs[one][other] = min(together, costs[one - 1][other] + 1, costs[one][other - 1] + 1)
    pairs: list[tuple[int | None, int | None]] = []
    one, other = len(first), len(second)
    while one or other:
        if one and other:
            together = costs[one - 1][other - 1] + _cost(first[one - 1], second[other - 1])
            if costs[one][other] == together:
                one, other = one - 1, other - 1
                pairs.append((one, other))
                continue
        if one and costs[one][other] == costs[one - 1][other] + 1:
            one -= 1
            pairs.append((one, None))
        else:
            other -= 1
            pairs.append((None, other))
    return pairs[::-1]


def _cost(one: Any, other: Any) -> float:
    if repr(one) == repr(other):
        return 0.0
    types = [value.get("type") if isinstance(value, dict) else type(value).__name__ for value in (one, other)]
    return _OF_ONE_TYPE if types[0] == types[1] else _OF_OTHER_TYPES
