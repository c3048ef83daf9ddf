"""The data: how many rows each split has, of which classes, what was inferred, and what the audit found."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.report.audit import audit_sentence
from mltrain.report.page.charts.bars import Bar, bars
from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined, prose
from mltrain.report.page.parts import aligned, figures, section, sentence, sub, table
from mltrain.report.page.parts import facts as fact_list
from mltrain.report.page.sections.targets import label_balance

# With more, the bars say no more than their number.
_MOST_CLASSES = 24


def data_section(facts: Facts) -> Html:
    """Return the section on the data."""
    data, splits = facts.record.data, facts.record.splits
    parts: list[Content] = []
    if data is not None:
        rows = f"{data.rows:,}"
        parts.append(
            fact_list([("Source", data.source), ("Rows", rows), ("Target", facts.target), ("SHA-256", data.sha256)])
        )
    if splits:
        total = sum(split.rows for split in splits.values())
        counts = aligned([f"{split.rows:,}" for split in splits.values()])
        shares = [f"{split.rows / total:.1%}" if total else "" for split in splits.values()]
        parts.append(table("Splits", ("split", "rows", "share"), zip(splits, counts, shares, strict=True)))
    parts.append(figures(class_balance(facts)))
    if facts.record.decisions:
        decided = [
            (one.what, joined(prose(one.value), element("span", prose(one.reason), class_="range")))
            for one in facts.record.decisions
        ]
        note = element("p", "Settings that the config leaves open: what mltrain chose, and why.")
        parts.append(sub("Decisions", note, fact_list(decided)))
    if not parts:
        parts.append(element("p", "The run ended before the data was read."))
    return section("data", "Data", *parts)


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


def class_balance(facts: Facts) -> Iterator[Chart]:
    """Yield a chart of the classes of each split, or of its labels: the rows of its confusion matrix."""
    results = facts.results
    if results is not None and results.task == "multilabel":
        yield from label_balance(results)
    if results is None or not 0 < len(results.classes) <= _MOST_CLASSES:
        return
    for name, split in results.splits.items():
        if not split.confusion_matrix:
            continue
        counts = [sum(row) for row in split.confusion_matrix]
        total = sum(counts) or 1
        each = [
            Bar(label, count, f"{count:,} ({count / total:.1%})")
            for label, count in zip(results.classes, counts, strict=True)
        ]
        said = ", ".join(f"{bar.name} {bar.written}" for bar in each)
        yield Chart(
            f"classes-{name}", bars(f"Rows of each class in {name}: {said}", each), f"Classes of the {name} rows."
        )
