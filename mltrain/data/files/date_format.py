"""How dates are written that are not ISO 8601: `DD/MM/YYYY`, `%d.%m.%Y`, `MMM DD, YYYY`."""

from __future__ import annotations

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_PARTS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short>\d{2})",
    "MMM": rf"(?P<name>(?i:{'|'.join(MONTHS)}))[a-z]*\.?",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}
_CODES = {"%Y": "YYYY", "%y": "YY", "%b": "MMM", "%B": "MMM", "%m": "MM", "%d": "DD"}
# A time of day, and a zone, may always follow; so their part of a form says nothing.
_TIME_OF_FORM = re.compile(r"[T ,]+(HH|hh|H|h|%H|%I|%T)\b.*$")
_TIME = (
    r"(?:(?:[T ]|, )(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d{0,3})?)?"
    r" ?(?P<half>(?i:am|pm))?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)


def date_pattern(form: str) -> str:
    """Return the regular expression for dates of a form, with a group for each part.

    Raises:
        ValueError: the form does not say where day, month and year are.
    """
    for code, part in _CODES.items():
        form = form.replace(code, part)
    date = _TIME_OF_FORM.sub("", form)
    pieces = re.split(r"(YYYY|YY|MMM|MM|DD)", date)
    parts = pieces[1::2]
    kinds = sorted(part[0] for part in parts)
    if kinds != ["D", "M", "Y"] or any("%" in piece or piece.isalpha() for piece in pieces[0::2]):
        raise ValueError(
            "expected where day, month and year are, such as DD/MM/YYYY, MM/DD/YY, DD.MM.YYYY, 'MMM DD, YYYY' or "
            "%d/%m/%Y; a time may follow the date in the file and is not part of the form"
        )
    return f"^{''.join(_PARTS.get(piece) or re.escape(piece) for piece in pieces)}{_TIME}$"


def checked_date_format(form: str) -> str:
    """Return the form; raises ValueError as `date_pattern`."""
    date_pattern(form)
    return form
