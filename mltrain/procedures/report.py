"""`report`: the page of a run and its model card, from its directory. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.errors import ConfigError, RunError
from mltrain.outputs import KINDS
from mltrain.procedures.recorded_config import recorded_config
from mltrain.report.page.card import card
from mltrain.report.page.charts.frame import as_file
from mltrain.report.page.document import charts_of, page
from mltrain.report.page.facts import Facts, judged_split
from mltrain.run.locked_run import LockedRun
from mltrain.run.predictions import StoredPredictions
from mltrain.run.profile import Profile
from mltrain.run.record import Record
from mltrain.run.results import Results
from mltrain.run.rundir import RunDirectory
from mltrain.run.status import Status


@dataclass(frozen=True)
class Report:
    """What is written for people.

    Attributes:
        html: the page.
        markdown: the model card.
        drawings: the charts as SVG files, by name without ending.
    """

    html: bytes
    markdown: bytes
    drawings: dict[str, bytes]


def report(run: RunDirectory) -> Report:
    """Return the report of a run, also of one that did not finish.

    Raises:
        RunError: a file of it is damaged.
    """
    try:
        name = recorded_config(run).spec.name
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged or of another version: {error}") from error
    return report_of(facts_of(run, name, run.status(), run.record(), run.profile()))


def report_of(facts: Facts) -> Report:
    """Return the report of what is known of a run."""
    charts = charts_of(facts)
    drawings: dict[str, bytes] = {}
    for chart in (*charts.curves, *charts.results, *charts.explanation):
        # Two metrics may differ in characters only that no file name has.
        name, number = chart.name, 2
        while name in drawings:
            name, number = f"{chart.name}-{number}", number + 1
        drawings[name] = as_file(chart.svg)
    return Report(page(facts, charts), card(facts), drawings)


def write_report(run: LockedRun, made: Report) -> None:
    """Write a report into its run.

    Raises:
        WriteError: it cannot be written.
    """
    if made.drawings:
        run.write_drawings(made.drawings)
    run.write_report(made.html, made.markdown)


def facts_of(run: RunDirectory, name: str, status: Status, record: Record, profile: Profile | None) -> Facts:
    """Return what the files of a run say.

    Args:
        run: the run directory.
        name: of the experiment.
        status: of the run; its own file is written last.
        record: of the run; its own file is written last.
        profile: where the time went; None if it was not measured.

    Raises:
        RunError: a file is damaged, or two files do not fit together.
    """
    found = run.results() if run.has_metrics() else None
    split = judged_split(found) if found else None
    threshold = _threshold_split(run, found) if found and split else None
    return Facts(
        name=name,
        place=str(run.path),
        status=status,
        record=record,
        history=run.history(),
        results=found,
        predictions=_predictions(run, found, split) if found and split else None,
        threshold_split=threshold or "",
        threshold_predictions=_predictions(run, found, threshold) if found and threshold else None,
        target=run.target_column() or "target",
        audit=run.audit(),
        architecture=run.architecture(),
        learned=run.learned(),
        rate_test=run.rate_test(),
        examples=run.examples(),
        explanation=run.explanation(),
        profile=profile,
        given=run.config().decode("utf-8", "backslashreplace"),
        resolved=run.resolved().decode("utf-8", "backslashreplace"),
        kept_epochs=run.kept_epochs(),
    )


def _threshold_split(run: RunDirectory, found: Results) -> str | None:
    """Return the rows on which a threshold may be looked at: those that may choose one, if there are such."""
    if found.task != "binary":
        return None
    wanted = found.threshold.split if found.threshold else "validation"
    return wanted if wanted in found.splits else judged_split(found)


def _predictions(run: RunDirectory, found: Results, split: str) -> StoredPredictions | None:
    stored = run.predictions(split)
    if stored is None:
        return None
    kind = KINDS[found.task]
    if kind.mixed:
        output = found.splits[split].output
        if not stored.are_of(output):
            raise RunError(f"{run.path}: predictions/{split}.* do not fit the {len(output.parts)} targets of the run")
        return stored
    targets = len(found.splits[split].outputs) or 1
    outputs = targets if kind.several else kind.width(len(found.classes))
    targets = targets if kind.several else 1
    shapes = (stored.target.shape[1:] or (1,), stored.values.shape[1:] or (1,))
    if (
        not np.isfinite(stored.target).all()
        or stored.target.dtype.kind != ("f" if kind.of_numbers else "i")
        or shapes != ((targets,), (outputs,))
    ):
        raise RunError(f"{run.path}: predictions/{split}.* do not fit {found.task} with {outputs} outputs")
    return stored
