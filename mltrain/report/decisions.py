"""What was decided, in few lines; record.json and the report have each decision with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mltrain.problems import printable
from mltrain.wording import counted

# (what, value, reason)
Decided = tuple[str, str, str]

# What several columns of a kind are called in a count.
PLURALS = {
    "number": "numbers",
    "category": "categories",
    "boolean": "booleans",
    "datetime": "dates",
    "text": "texts",
    "array": "arrays",
    "image": "images",
    "ignore": "ignored",
}
_NAMES = 3
# A reason that names a setting, such as `data.source.date_format`, asks the user to check the decision: a column of
# dates that was taken for a category is not to be hidden in a count.
_NAMES_A_SETTING = re.compile(r"\bdata\.[a-z]")
# What the results repeat, and what only changes how long a training takes.
_ELSEWHERE = {"objective", "model of the run", "training.metrics", "evaluation.metrics", "evaluation.batch_size"}


def decision_line(what: str, value: str, reason: str) -> str:
    """Return a decision in one line: `task: binary (the target has two values)`."""
    return printable(f"{what}: {value} ({reason})")


def decision_lines(decisions: Sequence[Decided]) -> list[str]:
    """Return the decisions that a person wants to see, those on columns counted; the last line counts the others."""
    shown: list[str] = []
    columns: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    alone = Counter(value for what, value, _ in decisions if what.startswith("features."))
    kinds = [names for kind, names in (_columns_of(what, value) for what, value, _ in decisions) if kind in PLURALS]
    left_out, to_check = 0, 0
    for what, value, reason in decisions:
        kind, names = _columns_of(what, value)
        if names and kind in PLURALS and to_check < _NAMES and _NAMES_A_SETTING.search(reason):
            to_check += 1
            shown.append(decision_line(what, value, reason))
        elif names and kind in PLURALS and sum(map(len, kinds)) > 1:
            columns.setdefault(kind, []).extend(names)
        elif names and (len(names) > 1 or alone[value] > 1):
            others.setdefault(kind, []).extend(names)
        elif not names and _is_elsewhere(what, value):
            left_out += 1
        else:
            shown.append(decision_line(what, value, reason))
    if columns:
        counts = ", ".join(_counted(names, kind) for kind, names in columns.items())
        shown.append(printable(f"features: {counts}"))
    shown += [
        printable(f"features: {value}: {counted(len(names), 'column')} ({_few(names)})")
        for value, names in others.items()
    ]
    if left_out or columns:
        shown.append(where_decisions_are(decisions))
    return shown


def where_decisions_are(decisions: Sequence[object]) -> str:
    """Return the sentence that says where every decision is."""
    return f"record.json has all {counted(len(decisions), 'decision')} and their reasons"


def _is_elsewhere(what: str, value: str) -> bool:
    return what in _ELSEWHERE or (what.startswith(("training.", "precision")) and value in ("off", "float32"))


def _columns_of(what: str, value: str) -> tuple[str, list[str]]:
    """Return what was decided of columns, and which; no names where it is another decision."""
    if what.startswith("features."):
        return value, [what.removeprefix("features.")]
    kind, mark, names = value.partition(": ")
    if what == "features" and mark:
        return kind, list(_names(names))
    return value, []


def _names(text: str) -> Iterator[str]:
    """Yield the names of a list such as `a, b, c and 9 more`; those that it only counts are empty."""
    found = re.fullmatch(r"(.*) and (\d+) more", text)
    yield from (found[1] if found else text).split(", ")
    yield from [""] * int(found[2]) if found else ()


def _counted(names: Sequence[str], kind: str) -> str:
    unit = kind if len(names) == 1 and kind != "ignore" else PLURALS[kind]
    return f"{len(names)} {unit} ({_few(names)})"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
