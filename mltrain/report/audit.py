"""The audit of the data in words, for the terminal and for the pages. The lines are safe to print."""

from __future__ import annotations

from mltrain.problems import printable
from mltrain.run.audit import Audit
from mltrain.wording import counted


def audit_sentence(audit: Audit) -> str:
    """Return what was looked at, and how much was found."""
    rows = ", ".join(f"{count:,} {name}" for name, count in audit.rows.items())
    features = counted(audit.columns, "feature")
    held_out = len(audit.rows) > 1
    asked = "rows that appear in two splits, splits whose distribution differs from training, " if held_out else ""
    asked += "repeated and contradictory rows, columns that contain the answer or identify rows, classes with few rows"
    warnings, notes = len(audit.warnings), len(audit.findings) - len(audit.warnings)
    outcome = f"{counted(warnings, 'warning')} and {counted(notes, 'note')}" if audit.findings else "nothing was found"
    return f"{features} and the target of {rows} rows were checked for {asked}: {outcome}."


def audit_short(audit: Audit) -> str:
    """Return how much was found, without the list of what was looked for."""
    *first, last = [f"{count:,} {name}" for name, count in audit.rows.items()]
    rows = f"{', '.join(first)} and {last} rows" if first else f"{last} rows"
    warnings, notes = len(audit.warnings), len(audit.findings) - len(audit.warnings)
    found = f"{counted(warnings, 'warning')} and {counted(notes, 'note')}" if audit.findings else "no problem found"
    return f"audit: {found} in {rows}"


def audit_lines(audit: Audit, *, short: bool = False) -> tuple[str, ...]:
    """Return what was looked at, or only how much was found, and each finding with the key to turn, warnings first."""
    first = audit_short(audit) if short else audit_sentence(audit)
    return (first, *(printable(f"{found.level}: {found.line}") for found in audit.findings))
