"""`data.target.scale: auto` learns the logarithm of a target where that predicts the validation rows clearly better.
No TensorFlow here."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.data.target import TargetEncoder
from mltrain.data.tree_columns import tree_columns, tree_width
from mltrain.evaluation.boosting import plan_boosting, sampled
from mltrain.evaluation.logarithm import LogarithmTrial, Trial, TrialRows, has_long_tail
from mltrain.experiment.spec import ExperimentSpec
from mltrain.task import Decision, SplitName

# A fit to so many rows says which of two scales is better.
_MOST_ROWS, _MOST_ROUNDS, _MOST_FEATURES = 10_000, 100, 1_000


def with_logarithm(prepared: Prepared, spec: ExperimentSpec) -> Prepared:
    """Return the data with a target whose logarithm is learned, where the scale was left open and that is better; else
    as it is, but for the reason of the decision where both were tried.

    Args:
        prepared: whose target is standardised.
        spec: the experiment.
    """
    target, validation = prepared.preprocessing.target, prepared.examples.get("validation")
    decided = next((each for each in prepared.decisions if each.what == "target.scale"), None)
    open_scale = spec.data.stated_scale == "auto" and decided is not None and decided.value == "standard"
    if not open_scale or decided is None or validation is None or not isinstance(target, TargetEncoder):
        return prepared
    if prepared.preprocessing.of_windows or prepared.weights is not None:
        return prepared
    truths = {name: each.truth for name, each in prepared.examples.items()}
    if not has_long_tail(truths["train"]) or not all((each > 0).all() for each in truths.values()):
        return prepared
    trial = _tried(prepared, spec)
    if trial is None:
        return prepared
    found, plain = f"{trial.logarithm:.4g} with logarithms ({trial.logarithm_fit})", f"{trial.plain:.4g} without"
    numbers = f"quick fits have a validation {_error(spec)} of {found} and {plain} ({trial.plain_fit})"
    if not trial.clear:
        return _decided(prepared, replace(decided, reason=f"{decided.reason}; log is not clearly better: {numbers}"))
    changed = target.in_logarithms(truths["train"])
    reason = (
        f"{numbers}; training rows: mean of the logarithms {changed.center:.4g}, deviation {changed.width:.4g}; "
        "predictions and metrics are in the units of the target"
    )
    examples = {
        name: replace(each, targets={changed.name: changed.scaled_logarithms(each.truth)})
        for name, each in prepared.examples.items()
    }
    preprocessing = prepared.preprocessing.model_copy(update={"target": changed})
    made = replace(prepared, preprocessing=preprocessing, examples=examples)
    return _decided(made, Decision("target.scale", "log", reason))


def _tried(prepared: Prepared, spec: ExperimentSpec) -> Trial | None:
    """Return the trial; None where the inputs are no table, or too wide for a quick fit."""
    tables = [each for each in prepared.info.inputs if each.columns]
    if not tables or sum(each.shape[0] for each in tables) > _MOST_FEATURES:
        return None
    train, held_out = (min(len(prepared.examples[name].truth), _MOST_ROWS) for name in ("train", "validation"))
    plan = plan_boosting(train, tree_width(prepared.preprocessing), 2, held_out)
    if isinstance(plan, str):
        return None

    def rows(split: SplitName, most: int) -> tuple[TrialRows, tuple[bool, ...]]:
        examples = prepared.examples[split]
        chosen = sampled(len(examples.truth), most, examples.truth, False, spec.seed)
        columns = tree_columns(prepared.preprocessing, examples.inputs, chosen)
        encoded = np.concatenate([examples.inputs[each.name][chosen] for each in tables], axis=1)
        groups = None if examples.groups is None else examples.groups[chosen]
        return TrialRows(encoded, columns.values, examples.truth[chosen], groups), columns.categories

    (seen, categories), (new, _) = rows("train", plan.rows), rows("validation", _MOST_ROWS)
    return LogarithmTrial(seen, new, categories, min(plan.rounds, _MOST_ROUNDS), _error(spec)).result()


def _error(spec: ExperimentSpec) -> Literal["rmse", "mae"]:
    """Return by which error the two are compared: that of the objective, as far as it squares errors or not."""
    metric = (spec.objective.metric or "").rpartition(".")[2]
    loss = spec.training.loss.type if spec.training.loss is not None else ""
    absolute = "absolute" in metric or metric in ("mae", "mape", "smape")
    by_loss = metric in ("", "loss") and loss == "MeanAbsoluteError"
    return "mae" if absolute or by_loss else "rmse"


def _decided(prepared: Prepared, decision: Decision) -> Prepared:
    decisions = tuple(decision if each.what == decision.what else each for each in prepared.decisions)
    return replace(prepared, decisions=decisions)
