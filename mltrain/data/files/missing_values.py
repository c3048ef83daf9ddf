"""Texts and numbers that mean "no value", and which of them a file holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.files.missing_keys import USUAL, UsualMissing
from mltrain.spec import suggest
from mltrain.task import Decision

_NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_MOST_NAMED = 5


class MissingValues:
    """Finds the values that mean "no value", and notes which texts did.

    Args:
        stated: texts; one that is a number means every spelling of that number: -999 is also -999.0 and -9.99e2.
        usual: whether `USUAL` count, too; "numbers": only in columns that do not hold text.
    """

    def __init__(self, stated: Sequence[str] = (), usual: UsualMissing = False) -> None:
        self.stated = tuple(text.strip() for text in stated)
        self.usual = usual
        self._numbers = tuple({float(text) for text in self.stated if re.fullmatch(_NUMBER, text)})
        self._number_set = pa.array(self._numbers, pa.float64())
        self._texts = frozenset(("", *self.stated))
        self._text_set = pa.array(sorted(self._texts), pa.string())
        self._with_usual = pa.array(sorted(self._texts | set(USUAL)), pa.string())
        self._found: dict[str, dict[str, None]] = {}

    @property
    def any(self) -> bool:
        """Whether there are other texts than the empty one."""
        return bool(self.stated) or self.usual is not False

    def without(self, texts: pa.Array, *, usual: bool) -> pa.Array:
        """Return texts without blanks around them, with null for those that mean "no value"."""
        absent = pc.is_in(texts, self._with_usual if usual else self._text_set)
        if self._numbers:
            absent = pc.or_(absent, self._are_numbers(texts))
        return pc.if_else(absent, pa.scalar(None, texts.type), texts)

    def note(self, column: str, texts: pa.Array, typed: pa.Array) -> None:
        """Note which of the texts of a column are null in what became of it."""
        if not typed.null_count:
            return
        absent = pc.drop_null(pc.unique(texts.filter(pc.is_null(typed))))
        self._found.setdefault(column, {}).update(dict.fromkeys(text for text in absent.to_pylist() if text))

    def is_missing(self, column: str, value: Any) -> bool:
        """Return whether a value of JSON or YAML that is a text or a number means "no value", and note it."""
        if isinstance(value, str):
            value = value.strip()
            found = value in self._texts or (self.usual is True and value in USUAL)
            if not found and self._numbers and re.fullmatch(_NUMBER, value):
                found = float(value) in self._numbers
        else:
            found = bool(self._numbers) and not isinstance(value, bool) and value in self._numbers
        if found and value != "":
            self._found.setdefault(column, {})[str(value)] = None
        return found

    def of_typed(self, column: str, values: pa.Array) -> pa.Array:
        """Return a column of Parquet or NumPy with null for texts and numbers that mean "no value", and note them."""
        if not self.any:
            return values
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
            cleared = self.without(trimmed, usual=self.usual is True)
        elif self._numbers and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            trimmed = values
            numbers = values.cast(pa.float64(), safe=False)
            cleared = pc.if_else(pc.is_in(numbers, self._number_set), pa.scalar(None, values.type), values)
        else:
            return values
        if cleared.null_count > values.null_count:
            self.note(column, trimmed.cast(pa.string()), cleared)
        return cleared

    def sentences(self, *, options: bool = False) -> dict[str, str]:
        """Return for each column in which texts were taken as missing what an error on a missing value adds.

        Args:
            options: whether the file is read by options of a command, not by the keys of a source.
        """
        return {column: self._sentence(tuple(found), options) for column, found in self._found.items() if found}

    def _sentence(self, found: tuple[str, ...], options: bool) -> str:
        names = ", ".join(map(repr, found[:_MOST_NAMED])) + (", …" if len(found) > _MOST_NAMED else "")
        are = "is" if len(found) == 1 else "are"
        remedies = []
        if any(text in USUAL and text not in self._texts for text in found):
            key = "--usual-missing no" if options else "data.source.usual_missing: false"
            remedies.append(f"set {key} to read {'it as a value' if len(found) == 1 else 'such texts as values'}")
        if any(text not in USUAL or text in self._texts for text in found):
            remedies.append("leave it out of --missing" if options else "remove it from data.source.missing")
        return f" ({names} {are} taken as missing; {', or '.join(remedies)})"

    def decisions(self, name: str) -> tuple[Decision, ...]:
        """Return a word on each stated text that no value of the file of that name is."""
        found = {text for texts in self._found.values() for text in texts}
        numbers = {float(text) for text in found if re.fullmatch(_NUMBER, text)}
        return tuple(
            Decision(
                "source.missing", repr(text), f"no value of {name} is {text!r}{suggest(text, sorted(found - {text}))}"
            )
            for text in dict.fromkeys(self.stated)
            if text and text not in found and not (re.fullmatch(_NUMBER, text) and float(text) in numbers)
        )

    def _are_numbers(self, texts: pa.Array) -> pa.Array:
        numbers = pc.match_substring_regex(texts, _NUMBER)
        values = pc.if_else(numbers, texts, pa.scalar(None, texts.type)).cast(pa.float64())
        return pc.and_(pc.is_valid(values), pc.is_in(values, self._number_set))
