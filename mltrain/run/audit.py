"""What the audit of the data found: `audit.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mltrain.spec import Many, Spec

Count = Annotated[int, Field(ge=0)]


class AuditFinding(Spec):
    """Something in the data that makes the numbers of a run unreliable."""

    finding: str
    """Its name, such as `repeated_rows`."""
    level: Literal["warning", "note"]
    """A warning is printed and fails `mltrain audit --strict`; a note is only here and in the report."""
    sentence: str
    """What was seen, with numbers, and what to do."""
    key: str
    """The key of the YAML to change."""
    split: str = ""
    """The split whose rows it is about; empty if several."""

    @property
    def line(self) -> str:
        """The sentence with its key, as the terminal prints it."""
        return f"{self.sentence} [{self.key}]"


class Audit(Spec):
    """What was checked, and what was found."""

    format: Literal[1] = 1
    """The version of this file's form."""
    columns: Count
    """The number of features that were checked."""
    rows: Mapping[str, Count]
    """The number of rows in each split."""
    classes: Mapping[str, Mapping[str, Count]] = {}
    """The number of rows of each class, by split; empty for regression."""
    findings: Many[AuditFinding] = ()
    """Warnings first."""

    @property
    def warnings(self) -> tuple[AuditFinding, ...]:
        """The findings that are more than a note."""
        return tuple(each for each in self.findings if each.level == "warning")
