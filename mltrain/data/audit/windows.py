"""What the audit says of windows: gaps in time, series without a window, and too few training rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mltrain.data.splits.rows import Splits
from mltrain.data.windowed import Windowed
from mltrain.run.audit import AuditFinding
from mltrain.wording import counted, listed

# With fewer training rows than this, any score may be luck: the diagnosis of a run says the same.
FEW_ROWS = 30
_SHOWN = 5


def window_findings(windowed: Windowed) -> Iterator[AuditFinding]:
    """Yield what is wrong with the series of an experiment, and with their windows."""
    for sentence in windowed.sentences:
        kept = windowed.gaps is not None and windowed.gaps.spanning > 0 and windowed.windows.gaps == "keep"
        yield AuditFinding(
            finding="gaps_in_time",
            level="warning" if kept else "note",
            sentence=f"{sentence}; data.windows.gaps: drop leaves these windows out" if kept else sentence,
            key="data.windows.gaps",
        )
    without = series_without_windows(windowed)
    if without:
        has = "has no window" if len(without) == 1 else "have no window"
        sentence = (
            f"{len(without):,} of {len(windowed.series.names):,} series {has} and cannot be "
            f"forecast: {listed(without, _SHOWN)}; a window and its target need "
            f"{counted(windowed.history + 1, 'row')}: add older rows, or make data.windows.length smaller"
        )
        yield AuditFinding(
            finding="series_without_windows", level="warning", sentence=sentence, key="data.windows.length"
        )


def series_without_windows(windowed: Windowed) -> list[str]:
    """Return the names of the series of which no row has a window."""
    there = np.bincount(windowed.series.number[windowed.examples], minlength=len(windowed.series.names))
    return [name for name, count in zip(windowed.series.names, there, strict=True) if not count]


def few_rows_findings(splits: Splits) -> Iterator[AuditFinding]:
    """Yield a note where there are too few training rows for a score to mean anything."""
    rows = len(splits.train)
    if rows < FEW_ROWS:
        are = "is" if rows == 1 else "are"
        sentence = (
            f"too few rows: there {are} only {counted(rows, 'training row')}, and no score will show how good the "
            "model is on new rows; a few hundred rows are needed for that"
        )
        yield AuditFinding(finding="few_rows", level="note", sentence=sentence, key="data.source", split="train")
