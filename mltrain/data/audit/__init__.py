"""The audit of the data: problems that make the metrics of a run unreliable, found before the training.

A rule that is in doubt says nothing: a false alarm costs more than silence. Test rows are not used to find out whether
a column contains the answer, because the advice of that finding is a choice. They are checked for copies of training
rows, and for another distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mltrain.data.audit.columns import (
    empty_findings,
    identifier_findings,
    identifiers,
    leak_findings,
    strengths_of,
)
from mltrain.data.audit.hashes import row_hashes
from mltrain.data.audit.repeats import repeat_findings
from mltrain.data.audit.shares import class_counts, class_findings, shift_findings
from mltrain.data.audit.windows import few_rows_findings, window_findings
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Table
from mltrain.data.training_columns import TrainingColumns
from mltrain.data.windowed import Windowed
from mltrain.run.audit import Audit


@dataclass(frozen=True)
class Audited:
    """The results of the audit.

    Attributes:
        audit: what was found.
        strengths: how well each column of a table alone predicts the target on training rows, from 0 to 1;
            see `column_strengths`. Empty for arrays, and for several targets.
    """

    audit: Audit
    strengths: Mapping[str, float]


def audit_data(
    table: Table,
    splits: Splits,
    truth: np.ndarray,
    preprocessing: Preprocessing,
    reference: TrainingColumns,
    guessed: str = "",
    windowed: Windowed | None = None,
) -> Audited:
    """Check all rows, one column after the other.

    Args:
        table: all rows, as they were read.
        splits: the rows of each.
        truth: the target (rows,), class numbers or values; of several (rows, targets).
        preprocessing: what was fitted on the training rows.
        reference: what their columns look like.
        guessed: what to do where numbers were taken as classes and should not have been.
        windowed: the windows of the rows, where there are any.

    Raises:
        DataError: a value cannot be encoded.
    """
    target = preprocessing.target
    named = identifiers(preprocessing, table)
    # A copy that was given a number of its own is a copy.
    compared = [encoder.column for encoder in preprocessing.columns if encoder.column not in named]
    hashes = row_hashes(table, compared, truth, preprocessing.token_rules)
    counts = class_counts(splits, truth, target)
    train, validation = (strengths_of(preprocessing, table, rows, truth) for rows in (splits.train, splits.validation))
    findings = [
        *repeat_findings(splits, hashes, table.origin.place, task=target.task),
        *(
            finding
            for part in target.parts
            for finding in leak_findings(preprocessing, part, train[part.column], validation[part.column])
        ),
        *identifier_findings(named),
        *class_findings(counts, guessed),
        *shift_findings(table, splits, truth, preprocessing, reference),
        *empty_findings(reference, preprocessing),
        *(window_findings(windowed) if windowed is not None else ()),
        *few_rows_findings(splits),
    ]
    audit = Audit(
        columns=len(preprocessing.columns),
        rows={name: len(rows) for name, rows in splits.items()},
        classes=counts,
        findings=tuple(sorted(findings, key=lambda each: each.level != "warning")),
    )
    return Audited(audit, train[target.column] if len(target.parts) == 1 else {})
