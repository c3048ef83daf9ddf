"""How often the test rows of a run were looked at: `test_looks.jsonl`, one line per look.

Each look at test rows, and each choice made by what was seen, makes their score a little less that of new rows. Nobody
can be kept from choosing; the looks can be counted. `train` and `resume` are a look each time that they measure, and so
is `evaluate` on the test rows, which takes no lock: a line is appended by one write, so that two at once both count.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from mltrain.run import durable
from mltrain.run.json_text import from_json, to_json_line
from mltrain.run.layout import LOOKS
from mltrain.run.reading import MEBIBYTE, read_file, wrong_form
from mltrain.run.record import readable
from mltrain.run.status import now
from mltrain.spec import Many, Spec
from mltrain.wording import counted

_LIMIT = 64 * MEBIBYTE


class Look(Spec):
    """One look at the test rows."""

    time: str
    """When, in UTC."""

    command: Many[str]
    """The command line."""


def read_looks(run: Path) -> tuple[Look, ...]:
    """Return the looks at the test rows of a run, the first one first; none where nothing was ever counted.

    A last line without its end was never complete, and does not count.

    Raises:
        RunError: the file is damaged; says the line.
    """
    data = read_file(run, LOOKS, limit=_LIMIT)
    looks = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        place = f"{run / LOOKS}:{number}"
        from_json(line, place)  # which refuses more than pydantic does
        try:
            looks.append(Look.model_validate_json(line))
        except ValidationError as error:
            raise wrong_form(place, error) from None
    return tuple(looks)


def count_look(run: Path, command: Sequence[str]) -> None:
    """Add a look at the test rows, durably.

    Raises:
        WriteError: the run cannot be written.
    """
    look = Look(time=now(), command=tuple(map(readable, command)))
    path = durable.without_links(run) / LOOKS
    durable.append(path, to_json_line(look.model_dump(mode="json")), durable=True)


def looks_sentence(count: int) -> str:
    """Return what a number of looks means."""
    if count <= 1:
        return "the test rows of this run have been used once, for its final metrics"
    return f"the test rows of this run have been used {counted(count, 'time')}. Do not use them to choose a model"


def uncounted_sentence(reason: object) -> str:
    """Return the sentence for a look that could not be counted."""
    return f"this look at the test rows is not counted: {reason}"
