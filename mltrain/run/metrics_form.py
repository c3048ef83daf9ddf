"""The form of metrics.json, as far as it is shown. No sum covers the file: whoever gave us the run may have written
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError

from mltrain.run.reading import wrong_form
from mltrain.spec import Many, Spec


class Part(Spec):
    """A part of which only some keys are shown."""

    model_config = ConfigDict(extra="ignore")


class RecordedValue(Part):
    """A metric on a split."""

    value: float | None
    """The value; null if it could not be computed."""
    low: float | None = None
    """The lower end of its 95 % interval; null if it has no interval."""
    high: float | None = None
    """The upper end."""
    undefined: str | None = None
    """Why it has no value."""


class RecordedSlice(Part):
    """The results on some rows of a split."""

    slice: str
    """Which rows."""
    n: int
    """How many."""
    metrics: Mapping[str, RecordedValue]
    """By name."""
    few_rows: bool = False
    """Whether there are too few rows for a conclusion."""


class RecordedGroups(Part):
    """Rows that belong together, and are drawn together for every interval."""

    columns: Many[str]
    """The columns: rows with equal values in all of them belong together."""
    n: int | None
    """The number of groups; null if the rows have no groups and count as independent."""


class RecordedOutput(Part):
    """The results of one of several targets."""

    metrics: Mapping[str, RecordedValue]
    """By name."""


class RecordedSplit(Part):
    """The results on a split."""

    n: int
    """Its rows."""
    metrics: Mapping[str, RecordedValue]
    """By name."""
    groups: RecordedGroups | None = None
    """The groups that its intervals are based on; None if the rows are independent."""
    slices: Many[RecordedSlice] = ()
    """The results on its slices."""
    outputs: Mapping[str, RecordedOutput] = {}
    """The results of each target, where there are several."""
    unknown_categories: Mapping[str, int] = {}
    """How many values no training row has, by column."""


class RecordedModel(Part):
    """Which model it is."""

    weights: str
    """Best, last or average."""
    averaged: int = 0
    """The number of epochs in the mean; 0 where the weights are those of one epoch."""
    epoch: int
    """Whose weights it has."""
    epochs: int
    """That were trained."""
    stopped: str
    """Why training ended."""


class RecordedObjective(Part):
    """What "best" was."""

    metric: str
    """Its name."""
    best: float | None
    """Its best value."""


class RecordedChance(Part):
    """Whether the model is better than guessing."""

    sentence: str
    """In words."""
    better: bool | None = None
    """Whether it is."""


class RecordedGate(Part):
    """What became of a gate."""

    gate: str
    """In words."""
    value: float | None = None
    """That was found."""
    passed: bool
    """Whether it is fulfilled."""
    reason: str = ""
    """Why there is no value."""


class RecordedFinding(Part):
    """Something that is wrong with the training."""

    finding: str = ""
    """In a word."""
    sentence: str
    """In words."""
    key: str
    """The key of the YAML to change."""


class RecordedMetrics(Part):
    """The whole file."""

    model: RecordedModel
    """Which model it is."""
    objective: RecordedObjective
    """What "best" was."""
    splits: Mapping[str, RecordedSplit]
    """The results, by split."""
    chance: RecordedChance | None = None
    """The comparison with chance, for classifications with held-out rows."""
    gates: Many[RecordedGate] = ()
    """What became of evaluation.gates."""
    baseline_sentences: Many[str] = ()
    """Whether the model beats the baselines."""
    decision_sentences: Many[str] = ()
    """What was chosen on the validation rows."""
    coefficients: Mapping[str, float] = {}
    """The coefficients of a linear regression."""
    diagnosis: Many[RecordedFinding] = ()
    """What is wrong with the training."""


def check_metrics(values: Mapping[str, Any], place: object) -> None:
    """Refuse what cannot be shown.

    Args:
        values: the content of metrics.json.
        place: where it is from, for the message.

    Raises:
        RunError: says what is wrong with it.
    """
    try:
        RecordedMetrics.model_validate(values)
    except ValidationError as error:
        raise wrong_form(place, error) from None
