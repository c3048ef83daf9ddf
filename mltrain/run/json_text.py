"""JSON as mltrain writes and reads it: UTF-8, two spaces, keys in their order, and never NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from mltrain.errors import RunError

_DEEPEST = 32  # what mltrain writes is 6 deep


def to_json(value: Any, *, exact: bool = False) -> bytes:
    """Return `value` as JSON text. Equal values give equal bytes.

    NumPy scalars become numbers, NumPy arrays and tuples lists, paths text.

    Args:
        value: mappings with text keys, sequences, text, numbers, booleans, None.
        exact: refuse NaN and infinity instead of writing them as null (JSON has neither): for state that is read back.

    Raises:
        ValueError: NaN or infinity, and `exact`.
        TypeError: something that JSON cannot hold.
    """
    text = json.dumps(_plain(value, exact), indent=2, ensure_ascii=False, allow_nan=False)
    # A lone surrogate (from a file name that is no UTF-8) becomes `\\udc80`, which is JSON for itself.
    return f"{text}\n".encode("utf-8", "backslashreplace")


def to_json_line(value: Any) -> bytes:
    """Return `value` as JSON on one line, with its end; else as `to_json`."""
    text = json.dumps(_plain(value, exact=False), ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def from_json(data: bytes, place: object) -> dict[str, Any]:
    """Return the object that the JSON text `data` holds.

    Args:
        data: the text.
        place: where it comes from, for the message.

    Raises:
        RunError: not UTF-8, not JSON, a key twice, NaN, a number that no float holds, nested deeply, or not an object.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
        _refuse_depth(value)
    except RecursionError:
        raise RunError(f"{place}: not valid: nested too deeply") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise RunError(f"{place}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{place}: expected a JSON object, found {type(value).__name__}")
    return value


def _plain(value: Any, exact: bool) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a JSON key must be text, not {key!r}")
        return {key: _plain(item, exact) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, exact) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # a NumPy scalar or array, without importing NumPy
        return _plain(value.tolist(), exact)
    if isinstance(value, float) and not math.isfinite(value) and not exact:
        return None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999, which would be written again as no JSON
        raise ValueError(f"{text[:20]} is more than a float holds")
    return number


def _refuse_depth(value: Any) -> None:
    """Refuse what later steps, which go down level by level, would run out of stack over."""
    level = [value]
    for _ in range(_DEEPEST):
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list)))
        level = [item for items in inner for item in items]
    if level:
        raise ValueError(f"nested more than {_DEEPEST} deep")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is listed twice in one object")
    return found
