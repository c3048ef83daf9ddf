"""Files among images that cannot be used: all of them are named in one error, not only the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mltrain.errors import DataError
from mltrain.problems import printable
from mltrain.wording import counted, listed

Noun = Literal["file", "row"]
MOST_NAMED = 20
# More files than this with the same fault are one line.
_MOST_ALIKE = 3


@dataclass(frozen=True)
class BadImage:
    """A file or folder that cannot be used.

    Attributes:
        name: of it; not escaped.
        message: what is wrong and what to do, with the name in front; safe to print.
        folder: whether it is a folder.
    """

    name: str
    message: str
    folder: bool = False

    @classmethod
    def because(cls, name: str, reason: str, folder: bool = False) -> BadImage:
        """Return the bad file `name`, with the reason in words."""
        return cls(name, f"{printable(name)}: {reason}", folder)

    @property
    def reason(self) -> str:
        """The message without the name."""
        return self.message.removeprefix(f"{printable(self.name)}: ")

    def as_json(self) -> dict[str, str]:
        """Return the same for programs."""
        return {"file": printable(self.name), "message": self.message}


class BadImagesError(DataError):
    """One or more files cannot be used. The message has one line per file, or one line for more than three files with
    the same fault; it has up to 20 lines, and then a count.

    Args:
        bad: all of them; files in any order, rows in theirs.
        files: how many files were looked at, the bad ones included.
        advice: what to do; it ends the message where there are several.
        noun: what was looked at: files, or rows of a table.
    """

    def __init__(self, bad: Iterable[BadImage], files: int, advice: str = "", noun: Noun = "file") -> None:
        self.problems = tuple(bad) if noun == "row" else tuple(sorted(bad, key=lambda each: each.name))
        lines = named_lines(self.problems, noun)
        if len(self.problems) > 1:
            lines.append(f"{_counted(self.problems, files, noun)} cannot be used{advice}")
        elif advice:
            lines[0] += advice
        super().__init__("\n".join(lines))


def named_lines(bad: Iterable[BadImage], noun: Noun = "file") -> list[str]:
    """Return one line per bad file, or one for more than three with the same fault; and at the end how many more there
    are."""
    bad = list(bad)
    alike: dict[str, list[BadImage]] = {}
    for each in bad:
        alike.setdefault(each.reason, []).append(each)
    lines: list[tuple[str, int]] = []
    for each in bad:
        same = alike[each.reason]
        if len(same) <= _MOST_ALIKE:
            lines.append((each.message, 1))
        elif each is same[0]:
            names = listed([printable(other.name) for other in same], MOST_NAMED)
            lines.append((f"{_counted(same, None, noun)}: {each.reason}: {names}", len(same)))
    rest = sum(count for _, count in lines[MOST_NAMED:])
    return [*(line for line, _ in lines[:MOST_NAMED]), *([f"… and {rest:,} more"] if rest else [])]


def _counted(bad: Sequence[BadImage], files: int | None, noun: Noun) -> str:
    """Return how many files, and how many folders; of how many `files`, where that is to be said."""
    folders = sum(each.folder for each in bad)
    count = len(bad) - folders
    whole = "" if files is None else f"{count:,} of {counted(files - folders, noun)}"
    said = [whole or counted(count, noun)] if count else []
    return " and ".join([*said, *([counted(folders, "folder")] if folders else [])])
