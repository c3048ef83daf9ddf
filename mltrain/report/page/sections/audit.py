"""The audit: what in the data makes the numbers mean less than they seem to."""

from __future__ import annotations

from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Html, element, joined
from mltrain.report.page.parts import section
from mltrain.run.audit import Audit


def audit_section(facts: Facts) -> Html | None:
    """Return the section on what was found in the data; None where an earlier version trained."""
    audit = facts.audit
    if audit is None:
        return None
    found = [
        element("li", element("strong", f"{one.level}: "), one.sentence, joined(" (", element("code", one.key), ")"))
        for one in audit.findings
    ]
    return section("audit", "Data audit", element("p", looked_at(audit)), element("ul", found) if found else None)


def looked_at(audit: Audit) -> str:
    """Return in a sentence what was looked at, and how much was found."""
    rows = ", ".join(f"{count:,} {name}" for name, count in audit.rows.items())
    features = f"{audit.columns:,} feature{'s' if audit.columns != 1 else ''}"
    held_out = len(audit.rows) > 1
    asked = "rows that stand in two splits, splits of another kind, " if held_out else ""
    asked += "repeated and contradictory rows, columns that hold the answer or name the rows, classes of few rows"
    warnings, notes = len(audit.warnings), len(audit.findings) - len(audit.warnings)
    outcome = (
        f"{warnings} warning{'s' if warnings != 1 else ''} and {notes} note{'s' if notes != 1 else ''}"
        if audit.findings
        else "nothing was found"
    )
    return f"{features} and the target of {rows} rows were looked at before the training, for {asked}: {outcome}."
