"""What several targets, the task and the sections on them must have in common: rules as in `section_rules.py`."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.experiment.output_rules import needless_outputs, output_problems, possible_outputs
from mltrain.experiment.spec import ExperimentSpec
from mltrain.outputs import KINDS
from mltrain.rules import RuleProblem
from mltrain.task import Task

_ONE_HOT = ", or state task: multiclass if the columns are the classes of one target"


def possible_tasks(experiment: ExperimentSpec) -> tuple[Task, ...]:
    """Return the task, or all that the data may turn out to be."""
    target = experiment.data.target
    if experiment.task != "auto":
        return (experiment.task,)
    if target is not None and target.is_of_outputs:
        return ("mixed",)
    tasks = tuple(task for task, kind in KINDS.items() if kind.recognised)
    several = target is not None and bool(target.columns)
    if several and experiment.data.windows is not None:
        return ("multiregression",)
    if several:
        # Columns of 0 and 1 may be the classes of one target.
        return tuple(task for task in tasks if KINDS[task].of_classes or KINDS[task].several)
    # Only files can hold an array of several targets in one column.
    arrays = experiment.data.source.type in ("npz", "parquet", "jsonl")
    tasks = tuple(task for task in tasks if not KINDS[task].mixed)
    return tuple(task for task in tasks if arrays or not KINDS[task].several)


def outputs_fit(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Yield what is wrong with what is said of targets of different kinds, also where there are none."""
    tasks, target = possible_tasks(experiment), experiment.data.target
    if experiment.task == "mixed" and not (target is not None and target.columns):
        yield RuleProblem(("task",), "mixed needs several targets: list them, as in data.target: [price, sold]")
    elif target is not None and target.is_of_outputs and experiment.task not in ("auto", "mixed"):
        message = f"data.target says that each target is of a kind of its own: state mixed, not {experiment.task}"
        yield RuleProblem(("task",), message)
    elif tasks == ("mixed",):
        yield from output_problems(experiment, possible_outputs(experiment))
    elif "mixed" not in tasks:
        why = f"the task is {experiment.task}" if experiment.task != "auto" else "data.target names one column"
        yield from needless_outputs(experiment, why)


def several_targets_fit(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Yield what is stated and needs one target, where there are several."""
    target, task = experiment.data.target, experiment.task
    columns = target.columns if target is not None else ()
    kind = None if task == "auto" else KINDS[task]
    if columns and kind is not None and kind.of_numbers and not kind.several:
        other = next((each.name for each in KINDS.values() if each.several_of == task), "mixed")
        message = f"{task} has one target, but data.target names {len(columns)} columns: state {other}"
        yield RuleProblem(("task",), message)
    if columns and task == "binary" and len(columns) != 2:
        message = (
            f"binary has two classes, but data.target names {len(columns)} columns: state multiclass or multilabel"
        )
        yield RuleProblem(("task",), message)
    open_task = bool(columns) and task == "auto" and possible_tasks(experiment) != ("mixed",)
    several = kind is not None and kind.several and not kind.mixed
    if experiment.training.class_weight is not None and (open_task or several):
        message = f"class weights need one target with classes: remove them{_ONE_HOT if open_task else ''}"
        yield RuleProblem(("training", "class_weight"), message)
    if open_task and experiment.evaluation.threshold != 0.5:
        message = (
            "a threshold needs one target with two classes (each label of several is decided at 0.5): remove it, or "
            "state task: binary if the two columns are the classes of one target"
        )
        yield RuleProblem(("evaluation", "threshold"), message)
    if open_task and experiment.evaluation.calibration.temperature is not False:
        message = f"a temperature needs one target with classes: remove it{_ONE_HOT}"
        yield RuleProblem(("evaluation", "calibration", "temperature"), message)
