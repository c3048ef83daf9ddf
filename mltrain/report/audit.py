"""The audit of the data in words, for the terminal and for the pages. The lines are safe to print."""

from __future__ import annotations

from mltrain.counted import counted
from mltrain.problems import printable
from mltrain.run.audit import Audit


def audit_sentence(audit: Audit) -> str:
    """Return what was looked at, and how much was found."""
    rows = ", ".join(f"{count:,} {name}" for name, count in audit.rows.items())
    features = counted(audit.columns, "feature")
    held_out = len(audit.rows) > 1
    asked = "rows that appear in two splits, splits whose distribution differs from training, " if held_out else ""
    asked += "repeated and contradictory rows, columns that contain the answer or identify rows, classes with few rows"
    warnings, notes = len(audit.warnings), len(audit.findings) - len(audit.warnings)
    outcome = (
        f"{warnings} warning{'s' if warnings != 1 else ''} and {notes} note{'s' if notes != 1 else ''}"
        if audit.findings
        else "nothing was found"
    )
    return f"{features} and the target of {rows} rows were checked for {asked}: {outcome}."


def audit_lines(audit: Audit) -> tuple[str, ...]:
    """Return that sentence, and each finding with the key to turn, warnings first."""
    return (audit_sentence(audit), *(printable(f"{found.level}: {found.line}") for found in audit.findings))
