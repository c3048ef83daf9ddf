from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mltrain.errors import RunError
from mltrain.run.json_text import from_json, to_json


def test_what_is_written_is_json_without_nan() -> None:
    value = {
        "nan": [math.nan, np.float32("inf"), np.array([1.0, math.nan])],
        "number": np.int64(3),
        "float": 0.1,
        "path": Path("a/b"),
        "tuple": (1, None, True),
        "text": "é\ud800\x1b",
    }
    data = to_json(value)
    assert json.loads(data) == {
        "nan": [None, None, [1.0, None]],
        "number": 3,
        "float": 0.1,
        "path": "a/b",
        "tuple": [1, None, True],
        "text": "é\ud800\x1b",
    }
    assert data.endswith(b"}\n")
    assert "é".encode() in data
    assert b"\x1b" not in data


def test_exact_refuses_what_json_cannot_hold() -> None:
    assert from_json(to_json({"a": 0.1}, exact=True), "x") == {"a": 0.1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": [math.inf]}, exact=True)
    with pytest.raises(TypeError):
        to_json({"a": object()})
    with pytest.raises(TypeError, match="key must be text"):
        to_json({1: 2})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_anything_else_is_an_error_with_its_place(data: bytes) -> None:
    with pytest.raises(RunError, match=r"^metrics\.json: ") as caught:
        from_json(data, "metrics.json")
    assert len(str(caught.value)) < 300
