"""Where something stands in the YAML or on the command line, and what is wrong there."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrain.errors import ConfigError

# The keys and list indices that lead to a value: ("training", "callbacks", 0, "monitor").
KeyPath = tuple[str | int, ...]

_MOST_SHOWN = 50
_WIDEST_LINE = 100


@dataclass(frozen=True, eq=False)
class Source:
    """A text that was given.

    Attributes:
        name: as it is said in messages: the path of the file, "stdin", "--set #2".
        lines: without their line ends.
        override: the number of the `--set` that this is, or None for the YAML itself.
    """

    name: str
    lines: tuple[str, ...] = field(repr=False)
    override: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line.

    Attributes:
        source: the text.
        line: from 1.
        column: from 1, in characters.
        width: in characters, at least 1.
    """

    source: Source
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return self.source.name if self.source.override else f"{self.source.name}:{self.line}:{self.column}"

    def picture(self) -> str:
        """Return the line with carets under the place, or an empty string where the text has no such line or the
        line is empty."""
        if not 1 <= self.line <= len(self.source.lines) or not self.source.lines[self.line - 1].strip():
            return ""
        line = self.source.lines[self.line - 1]
        start = self.column - 1
        # A line of inline data may be a megabyte long: show what is around the place.
        first = max(0, start - _WIDEST_LINE // 2) if len(line) > _WIDEST_LINE else 0
        shown = line[first : first + _WIDEST_LINE]
        head = "…" if first else ""
        tail = "…" if first + _WIDEST_LINE < len(line) else ""
        # One character for one: the carets must stay under what they mean.
        shown = "".join(character if character.isprintable() else " " for character in shown)
        carets = max(1, sum(_cells(character) for character in shown[start - first :][: self.width]))
        gap = " " * (len(head) + sum(_cells(character) for character in shown[: start - first]))
        number = "" if self.source.override else f"{self.line} "
        return f"  {number}| {head}{shown}{tail}\n  {' ' * len(number)}| {gap}{'^' * carets}"


def _cells(character: str) -> int:
    """Return how many columns of a terminal the character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: of the value; empty for the whole text.
        place: where it is written.
        message: what is wrong, what was expected, what to do.
    """

    path: KeyPath
    place: Place
    message: str

    def line(self) -> str:
        """Return the problem in one line: `config.yaml:12:5: training.epoch: unknown key`."""
        return printable(": ".join(filter(None, [str(self.place), path_text(self.path), self.message])))

    def __str__(self) -> str:
        picture = self.place.picture()
        return f"{self.line()}\n{picture}" if picture else self.line()

    def as_json(self) -> dict[str, Any]:
        """Return the problem for programs, as `--json` prints it."""
        return {
            "path": path_text(self.path),
            "file": self.place.source.name,
            "line": self.place.line,
            "column": self.place.column,
            "message": printable(self.message),
        }


class InvalidConfigError(ConfigError):
    """The config is invalid: everything that is wrong with it, in the order of the text.

    Attributes:
        problems: each with its path, place and message.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        def position(problem: Problem) -> tuple[int, int, int]:
            return problem.place.source.override or 0, problem.place.line, problem.place.column

        self.problems: tuple[Problem, ...] = tuple(sorted(dict.fromkeys(problems), key=position))
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            shown.append(f"… and {len(self.problems) - _MOST_SHOWN} more problems")
        super().__init__("\n".join(shown))


def path_text(path: KeyPath) -> str:
    """Return a path as `--set` takes it: `training.callbacks[0].monitor`, `data.features."a.b"`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_key_text(part)}" if text else _key_text(part)
    return text


def _key_text(key: str) -> str:
    doubled = key.replace('"', '""')
    return f'"{shortened(doubled)}"' if set(key) & set('."[]=') else shortened(key)


def shortened(text: str, longest: int = 60) -> str:
    """Return `text` in one line of at most `longest` characters, with `…` where something was cut out."""
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def printable(text: str) -> str:
    """Return `text` with line breaks, control characters and ANSI sequences escaped: it goes to a terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
