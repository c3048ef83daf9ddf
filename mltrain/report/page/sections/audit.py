"""The audit: what in the data makes the numbers mean less than they seem to."""

from __future__ import annotations

from mltrain.report.audit import audit_sentence
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Html, element, joined, prose
from mltrain.report.page.parts import section, sentence


def audit_section(facts: Facts) -> Html | None:
    """Return the section on what was found in the data; None where an earlier version trained."""
    audit = facts.audit
    if audit is None:
        return None
    found = [
        element(
            "li", element("strong", f"{one.level}: "), prose(one.sentence), joined(" (", element("code", one.key), ")")
        )
        for one in audit.findings
    ]
    return section("audit", "Data audit", sentence(audit_sentence(audit)), element("ul", found) if found else None)
