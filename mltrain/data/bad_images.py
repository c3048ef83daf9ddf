"""Files among images that cannot be used: all of them are named in one error, not only the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mltrain.errors import DataError
from mltrain.problems import printable

MOST_NAMED = 20


@dataclass(frozen=True)
class BadImage:
    """A file or folder that cannot be used.

    Attributes:
        name: of it; not escaped.
        message: what is wrong and what to do, with the name in front; safe to print.
    """

    name: str
    message: str

    @classmethod
    def because(cls, name: str, reason: str) -> BadImage:
        """Return the bad file `name`, with the reason in words."""
        return cls(name, f"{printable(name)}: {reason}")

    def as_json(self) -> dict[str, str]:
        """Return the same for programs."""
        return {"file": printable(self.name), "message": self.message}


class BadImagesError(DataError):
    """One or more files cannot be used. The message has one line per file, up to 20, and then a count.

    Args:
        bad: all of them, in any order.
        files: how many files were looked at, the bad ones included.
        advice: what to do; it ends the message where there are several.
    """

    def __init__(self, bad: Iterable[BadImage], files: int, advice: str = "") -> None:
        self.problems = tuple(sorted(bad, key=lambda each: each.name))
        lines = named_lines(self.problems)
        if len(self.problems) > 1:
            lines.append(f"{len(self.problems):,} of {files:,} files cannot be used{advice}")
        elif advice:
            lines[0] += advice
        super().__init__("\n".join(lines))


def named_lines(bad: Iterable[BadImage]) -> list[str]:
    """Return one line per bad file, and at the end how many more there are."""
    bad = list(bad)
    more = [f"… and {len(bad) - MOST_NAMED:,} more"] if len(bad) > MOST_NAMED else []
    return [*(each.message for each in bad[:MOST_NAMED]), *more]
