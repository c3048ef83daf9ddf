"""What an argument of a Keras component may hold, written as a short text.

The catalogue, the error messages, `mltrain list` and the JSON Schema all come from this one text:

    integer >= 1                          a whole number; bounds are written as they are read
    number >= 0 < 1                       also a whole number, never NaN or infinite
    boolean, text, name, null             a name is a text of letters, digits, _ . and -
    'valid' | 'same'                      one of these texts
    integer >= 1 | [integer >= 1; 2]      one integer, or a list of exactly two
    [[integer >= 0; 2]; 2]                lists nest
    initializer | null                    any other word is a kind of component
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>'[^']*')
        | (?P<word>[a-z_]+)
        | (?P<bound>(?:>=|<=|>|<)\s*-?[\d.]+)
        | (?P<mark>[\[\];|])
        | (?P<length>\d+)
    )""",
    re.VERBOSE,
)
_BOUNDS: dict[str, tuple[Callable[[float, float], bool], str, str]] = {
    ">=": (lambda value, limit: value >= limit, "of at least", "minimum"),
    "<=": (lambda value, limit: value <= limit, "of at most", "maximum"),
    ">": (lambda value, limit: value > limit, "above", "exclusiveMinimum"),
    "<": (lambda value, limit: value < limit, "below", "exclusiveMaximum"),
}
_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "text": "a text",
    "name": "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit",
    "null": "null",
}
_LARGEST = 2**63 - 1
# What TensorFlow takes for a scope, without the separators of Keras' paths.
_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"


@dataclass(frozen=True)
class Scalar:
    """One value that is no list: integer, number, boolean, text, name or null.

    Attributes:
        word: which of them.
        bounds: each an operator and a limit, as `(">=", 1)`.
    """

    word: str
    bounds: tuple[tuple[str, float], ...] = ()

    def is_meant(self, value: Any) -> bool:
        """Return whether `value` has this type, whatever its size: true is no integer, 64 is a number."""
        match self.word:
            case "null":
                return value is None
            case "boolean":
                return isinstance(value, bool)
            case "text" | "name":
                return isinstance(value, str)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case _:
                return isinstance(value, int | float) and not isinstance(value, bool)

    def accepts(self, value: Any) -> bool:
        """Return whether `value`, which has this type, is also in its bounds."""
        if self.word == "name":
            return re.fullmatch(_NAME, value) is not None
        if self.word in ("integer", "number"):
            in_range = math.isfinite(value) if isinstance(value, float) else -_LARGEST <= value <= _LARGEST
            return in_range and all(_BOUNDS[sign][0](value, limit) for sign, limit in self.bounds)
        return True

    def expected(self) -> str:
        """Return the type in words: `an integer of at least 1`."""
        words = [f"{_BOUNDS[sign][1]} {limit}" for sign, limit in self.bounds]
        return " ".join([_WORDS[self.word], " and ".join(words)]).strip()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this type."""
        if self.word == "name":
            return {"type": "string", "pattern": f"^{_NAME}$"}
        named = {"text": "string"}.get(self.word, self.word)
        return {"type": named, **{_BOUNDS[sign][2]: limit for sign, limit in self.bounds}}


@dataclass(frozen=True)
class Choice:
    """One of a few texts."""

    values: tuple[str, ...]

    def is_meant(self, value: Any) -> bool:
        """Return whether `value` is a text."""
        return isinstance(value, str)

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is one of the texts."""
        return value in self.values

    def expected(self) -> str:
        """Return the texts, quoted."""
        return _either([f"'{value}'" for value in self.values])

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this type."""
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class ListOf:
    """A list, of `length` items when it is not None."""

    items: ArgumentType
    length: int | None = None

    def is_meant(self, value: Any) -> bool:
        """Return whether `value` is a list."""
        return isinstance(value, list | tuple)

    def expected(self) -> str:
        """Return the type in words: `a list of 2 items, each an integer`."""
        items = "items" if self.length is None else f"{self.length} items"
        return f"a list of {items}, each {self.items.expected()}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this type."""
        fixed = {} if self.length is None else {"minItems": self.length, "maxItems": self.length}
        return {"type": "array", "items": self.items.schema(), **fixed}


@dataclass(frozen=True)
class ComponentOf:
    """A component of a kind: a name, or a mapping with a `type`."""

    kind: str

    def is_meant(self, value: Any) -> bool:
        """Return whether `value` is a name, a mapping, or a component that is made already."""
        return isinstance(value, str | Mapping) or hasattr(value, "kind")

    def expected(self) -> str:
        """Return the type in words."""
        return f"{'an' if self.kind[0] in 'aio' else 'a'} {self.kind}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this type: a reference to its kind."""
        return {"$ref": f"#/definitions/keras_{self.kind}"}


@dataclass(frozen=True)
class ArgumentType:
    """All that an argument may hold: one of `alternatives`."""

    alternatives: tuple[Scalar | Choice | ListOf | ComponentOf, ...]

    def expected(self) -> str:
        """Return the type in words: `an integer or a list of 2 items, each an integer`."""
        return _either([alternative.expected() for alternative in self.alternatives])

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this type."""
        schemas = [alternative.schema() for alternative in self.alternatives]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


@functools.cache
def parse(text: str) -> ArgumentType:
    """Return the type that `text` describes.

    Raises:
        ValueError: the text is no type.
    """
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)]
    complete = "".join(token for _, token in tokens).replace(" ", "") == text.replace(" ", "")
    tokens.reverse()  # a stack, the next token on top
    try:
        parsed = _union(tokens)
    except IndexError:  # it ends too early
        complete = False
    if tokens or not complete:
        raise ValueError(f"not a type: {text!r}")
    return parsed


def _union(tokens: list[tuple[str, str]]) -> ArgumentType:
    alternatives = [_alternative(tokens)]
    while tokens and tokens[-1][1] == "|":
        tokens.pop()
        alternatives.append(_alternative(tokens))
    texts = tuple(value for item in alternatives if isinstance(item, Choice) for value in item.values)
    others = tuple(item for item in alternatives if not isinstance(item, Choice))
    return ArgumentType((Choice(texts), *others) if texts else others)


def _alternative(tokens: list[tuple[str, str]]) -> Scalar | Choice | ListOf | ComponentOf:
    group, first = tokens.pop()
    if group == "quoted":
        return Choice((first[1:-1],))
    if group == "mark":
        items = _union(tokens)
        length = None
        if tokens[-1][1] == ";":
            tokens.pop()
            length = int(tokens.pop()[1])
        tokens.pop()  # "]"
        return ListOf(items, length)
    if first not in _WORDS:
        return ComponentOf(first)
    bounds = []
    while tokens and tokens[-1][0] == "bound":
        sign, limit = re.findall(r"[<>=]+|[-\d.]+", tokens.pop()[1])
        bounds.append((sign, float(limit) if "." in limit else int(limit)))
    return Scalar(first, tuple(bounds))


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
