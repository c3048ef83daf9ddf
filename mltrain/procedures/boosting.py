"""Gradient boosting as a baseline, beside the training. No TensorFlow here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.data.tree_columns import has_tree_columns, is_table_alone, tree_columns, tree_width
from mltrain.evaluation.boosting import MOST_STOPPING_ROWS, MOST_TARGETS, Learned, plan_boosting, sampled
from mltrain.evaluation.boosting_job import BoostingJob, answer
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.outputs import KINDS
from mltrain.procedures.outputs_apart import prepared_of
from mltrain.task import SplitName

BOOSTING = "boosting"
# Seconds after which a signal is looked for while the fit is waited for.
_LOOK = 0.05


@dataclass(frozen=True)
class BoostedGuesses:
    """What gradient boosting says of the held-out rows.

    Attributes:
        words: in sentences.
        rows: training rows that it was fitted on.
        guesses: by split, predictions as those of the model.
        converged: whether held-out rows ended each fit, and not the limit of its work.
    """

    words: str
    rows: int
    guesses: Mapping[SplitName, np.ndarray]
    converged: bool
    name: str = BOOSTING


class BoostingBeside:
    """Fits gradient boosting on a thread of its own, which ends with the process, and may leave the work to another
    process. What goes wrong there is a reason why there is no such baseline, and stops no training.

    Args:
        prepared: the data.
        seed: of the experiment.
    """

    def __init__(self, prepared: Prepared, seed: int) -> None:
        self._prepared, self._seed = prepared, seed
        self._found: dict[str, BoostedGuesses | str] = {}
        self._thread = threading.Thread(target=self._fit, name=BOOSTING, daemon=True)
        self._thread.start()

    def results(self, between: Callable[[], None] = lambda: None) -> Mapping[str, BoostedGuesses | str]:
        """Wait for the fits, and return by target what each says, or why there is none.

        Args:
            between: called while it waits; raises where a signal has come.
        """
        while self._thread.is_alive():
            self._thread.join(_LOOK)
            between()
        return self._found

    def _fit(self) -> None:
        parts = self._prepared.info.output.parts
        if not parts:
            self._found[self._prepared.info.output.name] = self._guesses(self._prepared)
        for number, part in enumerate(parts):
            too_many = len(parts) > MOST_TARGETS
            self._found[part.name] = (
                _too_many(len(parts)) if too_many else self._guesses(prepared_of(self._prepared, number), len(parts))
            )

    def _guesses(self, prepared: Prepared, parts: int = 1) -> BoostedGuesses | str:
        try:
            return boosted_guesses(prepared, self._seed, parts)
        except Exception as error:  # noqa: BLE001 (whatever it is: the training is not about this)
            return f"its fit failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})"


def boosting_beside(spec: EvaluationSpec, prepared: Prepared, seed: int) -> BoostingBeside | None:
    """Begin to fit gradient boosting, where it is asked for and there are rows to measure it on."""
    if spec.baselines is not True or not any(name != "train" for name in prepared.examples):
        return None
    return BoostingBeside(prepared, seed)


def boosted_guesses(prepared: Prepared, seed: int, parts: int = 1) -> BoostedGuesses | str:
    """Fit gradient boosting on the training rows, and return what it says of all others, or why there is none.

    Args:
        prepared: the data.
        seed: of the experiment.
        parts: fits that share the time that one may take.
    """
    info, preprocessing, train = prepared.info, prepared.preprocessing, prepared.examples["train"]
    held_out: dict[SplitName, Examples] = {name: each for name, each in prepared.examples.items() if name != "train"}
    if preprocessing.of_windows:
        return "the examples are windows of a series, and the trees are for the columns of a table"
    if not has_tree_columns(preprocessing):
        return "no input is a table"
    targets = len(info.output.columns) or 1
    if targets > MOST_TARGETS:
        return _too_many(targets)
    task, of_classes = KINDS[info.task].each, not KINDS[info.task].of_numbers
    classes = 2 if info.output.columns and of_classes else len(info.output.classes)
    trees = targets * (classes if classes > 2 else 1) * parts
    predicted = sum(len(each.truth) for each in held_out.values())
    plan = plan_boosting(len(train.truth), tree_width(preprocessing), trees, predicted)
    if isinstance(plan, str):
        return plan
    rows = sampled(len(train.truth), plan.rows, train.truth, info.output.columns == () and of_classes, seed)
    columns = tree_columns(preprocessing, train.inputs, rows)
    weights = None if prepared.weights is None else prepared.weights[rows].astype(np.float64)
    learned = Learned(columns.values, _by_target(train.truth)[rows], weights)
    values: dict[str, np.ndarray] = {
        name: tree_columns(preprocessing, each.inputs).values for name, each in held_out.items()
    }
    stop = _stopping(prepared, seed)
    found = answer(BoostingJob(task, classes, plan, seed, columns.categories, learned, stop, values))
    several = bool(info.output.columns)
    guesses: dict[SplitName, np.ndarray] = {
        name: found.guesses[name].T if several else found.guesses[name][0] for name in held_out
    }
    some = "" if is_table_alone(preprocessing) else " on the columns of the table alone"
    return BoostedGuesses(f"gradient boosting{some}", len(rows), guesses, found.stopped)


def _stopping(prepared: Prepared, seed: int) -> Learned | None:
    """Return the validation rows that stop the fit; None where there are none."""
    validation = prepared.examples.get("validation")
    if validation is None:
        return None
    rows = sampled(len(validation.truth), MOST_STOPPING_ROWS, validation.truth, False, seed)
    values = tree_columns(prepared.preprocessing, validation.inputs, rows).values
    weights = None if validation.weights is None else validation.weights[rows]
    return Learned(values, _by_target(validation.truth)[rows], weights)


def _by_target(truth: np.ndarray) -> np.ndarray:
    """Return what is true (rows, targets), of one target or several."""
    return truth if truth.ndim == 2 else truth[:, None]


def _too_many(targets: int) -> str:
    return f"there are {targets} targets, and the quick fit takes at most {MOST_TARGETS}"
