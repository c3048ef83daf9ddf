"""What can be wrong with a gate before training: a metric, a split, a class that the results will not have. No
TensorFlow here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mltrain.evaluation.catalogue import OF_LABEL, canonical_name
from mltrain.experiment.output_rules import Outputs, output_gate_problem, possible_outputs
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import scales_target
from mltrain.gates.gate import DATA, FOLDS, Gate, Quantity
from mltrain.outputs import KINDS
from mltrain.spec import suggest
from mltrain.task import OUT_OF_FOLD, SPLITS, Task
from mltrain.training.metrics import training_metrics

_OF_CLASSES = ("precision", "recall", "f1")
_AREAS_OF_CLASSES = ("roc_auc", "pr_auc")


def gate_problem(
    gate: Gate,
    experiment: ExperimentSpec,
    tasks: Sequence[Task],
    splits: Collection[str],
    classes: Sequence[str] | None = None,
    outputs: Outputs | None = None,
) -> str | None:
    """Return what is wrong with a gate, or None.

    Args:
        gate: as the config or the command line has it.
        experiment: whose results it speaks of.
        tasks: the task, or all that are possible while it is not known.
        splits: those that will be measured.
        classes: their names, or those of the targets; None while they are not known.
        outputs: of targets of different kinds, what each is; None while that is not known.
    """
    quantity = gate.quantity
    if "mixed" in tasks:
        known = possible_outputs(experiment) if outputs is None else outputs
        wrong = _split_problem(quantity.split, splits) or output_gate_problem(quantity, experiment, known)
        tasks = [task for task in tasks if task != "mixed"]
        if wrong is None or not tasks:
            return wrong or _slice_problem(quantity, [each.column for each in experiment.evaluation.slices])
    return (
        _split_problem(quantity.split, splits)
        or _whole_problem(quantity)
        or _metric_problem(quantity, experiment, tasks)
        or _class_problem(quantity, tasks, classes)
        or _baseline_problem(quantity, tasks, experiment)
        or _slice_problem(quantity, [each.column for each in experiment.evaluation.slices])
    )


def _split_problem(split: str, splits: Collection[str]) -> str | None:
    if split in splits:
        return None
    if split == FOLDS:
        return "gates on folds need `mltrain cross-validate`, with a split of type kfold, random or group"
    if split == OUT_OF_FOLD:
        return "out_of_fold is measured of an ensemble by fold, by `mltrain train` or `evaluate --split out_of_fold`"
    if split == DATA:
        return f"'{DATA}' means the rows of `mltrain evaluate --data`: expected {', '.join(splits)}"
    measured = ", ".join(name for name in (*SPLITS, OUT_OF_FOLD, DATA) if name in splits)
    return f"{split} is not measured here (measured: {measured})"


def _whole_problem(quantity: Quantity) -> str | None:
    if quantity.of_class is None:
        return None
    if quantity.split == FOLDS:
        return "folds have only the means of whole test splits: remove the class"
    if quantity.slice is not None:
        return f"classes are measured on the whole split: remove [{quantity.slice}]"
    if quantity.baseline is not None:
        return f"baselines are measured of all classes together: remove ({quantity.of_class})"
    return None


def _metric_problem(quantity: Quantity, experiment: ExperimentSpec, tasks: Sequence[Task]) -> str | None:
    training, evaluation = experiment.training, experiment.evaluation
    exact = [metric.name for task in tasks for metric in evaluation.metrics_for(task)]
    found = (metric for task in tasks for metric in training_metrics(training, task, scales_target(experiment, task)))
    running = ["loss", *(metric.name for metric in found)]
    metric = quantity.metric
    plain = not quantity.is_of_rows and quantity.baseline is quantity.slice is quantity.of_class is None
    if quantity.split == "train" and not plain:
        return "training rows have plain values only; intervals, slices, classes and baselines exist for held-out rows"
    if metric in exact or (metric not in running and canonical_name(metric) in exact):
        return None
    if metric in running and plain:
        return None
    if metric in running:
        return f"'{metric}' has a plain value only: intervals, slices and baselines are there for evaluation.metrics"
    if quantity.of_class is not None and (metric in _OF_CLASSES or metric in _of_label(tasks)):
        return None  # measured of every class or label, whatever is measured of all
    known = list(dict.fromkeys([*exact, *running]))
    hint = suggest(metric, known) or f" (measured are {', '.join(known)})"
    return f"'{metric}' will not be measured{hint}"


def _class_problem(quantity: Quantity, tasks: Sequence[Task], classes: Sequence[str] | None) -> str | None:
    if quantity.of_class is None:
        return None
    kinds = [KINDS[task] for task in tasks]
    if all(kind.of_numbers and not kind.several for kind in kinds):
        return f"a {tasks[0]} has no classes"
    if any(kind.of_numbers and kind.several for kind in kinds) and (classes is None or quantity.of_class in classes):
        return None  # of each target all is measured that is measured of all of them
    areas = _AREAS_OF_CLASSES if "multiclass" in tasks else ()
    known = tuple(dict.fromkeys((*_OF_CLASSES, *areas, *_of_label(tasks))))
    if quantity.metric not in known:
        return f"'{quantity.metric}' is not measured for a single class: expected {', '.join(known)}"
    if classes is not None and quantity.of_class not in classes:
        what = "target" if all(kind.several for kind in kinds) else "class"
        return f"unknown {what} {quantity.of_class!r}{suggest(quantity.of_class, classes)}"
    return None


def _of_label(tasks: Sequence[Task]) -> tuple[str, ...]:
    return tuple(metric.name for metric in OF_LABEL) if "multilabel" in tasks else ()


def _baseline_problem(quantity: Quantity, tasks: Sequence[Task], experiment: ExperimentSpec) -> str | None:
    if quantity.baseline is not None and quantity.split == OUT_OF_FOLD:
        return "the baselines learn from all training rows, so they have no out-of-fold values: use validation or test"
    known = list(dict.fromkeys(name for task in tasks for name in KINDS[task].baselines))
    windows = experiment.data.windows
    if windows is not None:
        known += ["naive"] if windows.season is None else ["naive", "seasonal_naive"]
    if quantity.baseline is None or quantity.baseline in known:
        return None
    hint = suggest(quantity.baseline, known) or f" (known: {', '.join(known)})"
    return f"unknown baseline {quantity.baseline!r}{hint}"


def _slice_problem(quantity: Quantity, columns: Sequence[str]) -> str | None:
    if quantity.slice is None or any(column in quantity.slice for column in columns):
        return None
    if not columns:
        return "no slices are measured: list their columns in evaluation.slices"
    return f"'{quantity.slice}' is not a slice of evaluation.slices; expected a slice by {' or '.join(columns)}"


def unknown_slice(gate: Gate, slices: Mapping[str, Sequence[str]]) -> str | None:
    """Return what is wrong with the slice of a gate once the data is there, or None.

    Args:
        gate: without another problem.
        slices: the names of those that are measured, by split.
    """
    quantity = gate.quantity
    known = slices.get(quantity.split, ())
    if quantity.slice is None or quantity.slice in known:
        return None
    hint = suggest(quantity.slice, known) or f" (there are: {', '.join(known)})"
    return f"there is no slice '{quantity.slice}' of the {quantity.split} rows{hint}"
