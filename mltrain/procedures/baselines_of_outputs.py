"""Baselines of targets of different kinds: those of each, measured as if it were the only one. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.baselines import Judged, measure_baselines
from mltrain.procedures.boosting import BoostedGuesses
from mltrain.procedures.outputs_apart import prepared_of, values_apart
from mltrain.run.decision import DecisionRule
from mltrain.run.results import BaselineFit
from mltrain.run.split_result import Baseline, SplitResult
from mltrain.task import Objective, SplitName, about_target, of_target, split_target


@dataclass(frozen=True)
class BaselinesOfOutputs:
    """What the results say of the baselines of each target.

    Attributes:
        fits: by name and target, as `majority(sold)`, on how many rows each was fitted, or why it is left out.
        splits: by held-out split and target, its baselines by name.
        sentences: whether the model beats them, of each target.
    """

    fits: dict[str, BaselineFit] = field(default_factory=dict)
    splits: dict[SplitName, dict[str, dict[str, Baseline]]] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


def baselines_of_outputs(
    spec: ExperimentSpec,
    prepared: Prepared,
    objective: Objective,
    predictions: Mapping[SplitName, np.ndarray],
    rule: DecisionRule,
    boosting: Mapping[str, BoostedGuesses | str],
) -> BaselinesOfOutputs:
    """Fit the baselines of each target on the training rows that have it, and measure them on the held-out rows that
    have it, beside the model.

    Args:
        spec: the experiment.
        prepared: its data.
        objective: of the run.
        predictions: of the model for each split (rows, units).
        rule: of the run.
        boosting: what gradient boosting says, by target; empty where it was not asked for.
    """
    found, (metric, chosen) = BaselinesOfOutputs(), split_target(objective.metric)
    # What is said first is of the target of the objective, where it is a metric of one.
    for number, part in sorted(enumerate(prepared.info.output.parts), key=lambda each: each[1].name != chosen):
        # Of another target, or of the loss of all, the objective is no metric.
        own = replace(objective, metric=metric) if part.name == chosen else objective
        judged = Judged(values_apart(prepared, predictions, number), rule.of_output(part.name).threshold)
        alone, boosted = spec.for_output(part.name, part.task), boosting.get(part.name)
        measured = measure_baselines(alone, prepared_of(prepared, number), own, judged, boosted)
        for split, baselines in measured.splits.items():
            found.splits.setdefault(split, {})[part.name] = baselines
        found.fits.update({of_target(name, part.name): fit for name, fit in measured.fits.items()})
        found.sentences.extend(f"{about_target(part.name)}{sentence}" for sentence in measured.sentences)
    return found


def with_baselines(split: SplitResult, baselines: Mapping[str, Mapping[str, Baseline]]) -> SplitResult:
    """Return the results of a split with the baselines of each target."""
    outputs = {
        name: each.model_copy(update={"baselines": baselines[name]}) if name in baselines else each
        for name, each in split.outputs.items()
    }
    return split.model_copy(update={"outputs": outputs})
