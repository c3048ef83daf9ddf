"""What an unquoted word of YAML means: the core schema of YAML 1.2, which editors use too.

YAML 1.1, which PyYAML reads, takes `1e-3` for a text, `no` for false, `12:30:45` for 45045 and `010` for 8.
Source: https://yaml.org/spec/1.2.2/#1032-tag-resolution
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"([-+]?)0+([0-9]+)")


def read_scalar(text: str) -> Scalar:
    """Return the value of an unquoted word.

    Raises:
        ValueError: the word is a number that cannot be held, or that two versions of YAML read differently.
    """
    if text in _WORDS:
        return _WORDS[text]
    if match := _LEADING_ZERO.fullmatch(text):
        # 012 is 10 in YAML 1.1 and 12 in YAML 1.2, and as a label, a postcode or an id it is meant as text.
        raise ValueError(f"the number has a leading zero; write {match[1]}{match[2]}, or '{text}' if it is text")
    if _INTEGER.fullmatch(text):
        # The length first: Python refuses to convert more than 4300 digits.
        number = int(text, 0) if len(text) <= 64 else 2**64
        if not -(2**63) <= number < 2**63:
            raise ValueError("the integer does not fit in 64 bits; put it in quotes if it is text")
        return number
    if _FLOAT.fullmatch(text):
        real = float(text)
        if math.isinf(real):
            raise ValueError("the number is too large (more than 1.8e308)")
        return real
    return text
