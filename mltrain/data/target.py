"""What is learned: the task, the classes, and the target column as a model takes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mltrain.data.classes import find_classes, positions_of
from mltrain.data.encoders.column import RawColumn, first_row, is_number, is_text, numbers_of, without_missing
from mltrain.data.encoders.scaling import center_and_width
from mltrain.data.target_spec import STATED, TargetSpec
from mltrain.outputs import KINDS, number_kind
from mltrain.outputs.kind import NumberKind
from mltrain.spec import Many, Spec
from mltrain.task import Decision, Task
from mltrain.wording import counted

# Whole numbers with at most this many different values are classes, if each value has three rows on average: fifteen
# prices in fifteen rows are not classes.
MOST_CLASSES = 20
ROWS_PER_CLASS = 3
IF_NUMBERS = "state task: regression if they are counts, ratings or measurements"
NUMBER_WITH_SIGN = (
    r"^\s*[+-]?([$€£¥]\s?[+-]?\d[\d.,\s]*|\d[\d.,\s]*([$€£¥%]|[A-Za-z]{1,4}\.?)|\d{1,3}(,\d{3})+(\.\d+)?|\d+,\d+)\s*$"
)


class TargetEncoder(Spec):
    """The target column: classes as numbers, or a number as it is or scaled."""

    column: str
    """Name of the column."""
    task: Task
    """What is learned."""
    labels: Many[str] = ()
    """The value of the column for each class, in the order of the outputs; empty for regression."""
    classes: Many[str] = ()
    """Names of the classes in the same order; of two, the second is the positive one."""
    center: float = 0.0
    """Regression: subtracted from the target before training."""
    width: float = 1.0
    """Regression: what the target is divided by before training."""
    log_limits: Annotated[Many[float], Field(min_length=2, max_length=2)] | None = None
    """Regression whose logarithm is learned: `center` and `width` are those of the logarithms, and these are the
    smallest and the largest scaled logarithm that is predicted; null where the target itself is learned."""
    one_hot: Many[str] = ()
    """Columns of 0 and 1, one per class, that are read as this one column; empty where the column itself is there."""
    array: str | None = None
    """The array column (rows, classes) whose columns `one_hot` are; null where they are columns of the table."""

    @property
    def name(self) -> str:
        """Name of the output."""
        return self.column

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are not features: the target, and those that it is read from."""
        return (self.column, *self.one_hot)

    @property
    def parts(self) -> tuple[TargetEncoder, ...]:
        """The encoder of each column: this one."""
        return (self,)

    @property
    def outputs(self) -> int:
        """Size of the last axis of the predictions."""
        return len(self.classes) if self.task == "multiclass" else 1

    def encode(self, column: RawColumn) -> np.ndarray:
        """Return the target for training, one number a row: (rows,).

        float32 for binary (0 or 1) and regression (scaled), int32 for multiclass. Keras' losses bring (rows,) and
        predictions (rows, 1) to one rank themselves: training on (rows,) and on (rows, 1) gives the same bits.

        Of a target whose logarithm is learned, a value of 0 or less is NaN: it has no logarithm, and so no loss.

        Raises:
            DataError: a value is missing, not finite, or of no known class.
        """
        if self.task == "multiclass":
            return self.truth(column).astype(np.int32)
        if self.log_limits is not None:
            return self.scaled_logarithms(self.truth(column))
        with np.errstate(over="ignore"):
            values = ((self.truth(column) - self.center) / self.width).astype(np.float32)
        if not np.isfinite(values).all():
            message = "the number is too large for float32 (set data.target.scale to standard, or use larger units)"
            raise column.error(first_row(~np.isfinite(values)), message)
        return values

    def truth(self, column: RawColumn) -> np.ndarray:
        """Return the target for evaluation (rows,): int64 class numbers, or float64 values in the column's own units.

        Raises:
            DataError: as `encode`.
        """
        numbers = number_kind(self.task)
        return positions_of(column, self.labels) if numbers is None else targets_of(column, numbers)

    def scaled_logarithms(self, truth: np.ndarray) -> np.ndarray:
        """Return for training what is true of rows, float32 of the same shape; NaN of what is 0 or less."""
        return ((np.log(np.where(truth > 0, truth, np.nan)) - self.center) / self.width).astype(np.float32)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Return regression targets or predictions of any shape in the column's own units, as float64."""
        exact = values.astype(np.float64)
        if self.log_limits is None:
            return exact * self.width + self.center
        low, high = self.log_limits
        return np.exp(np.clip(exact, low, high) * self.width + self.center)

    def scaled(self, train: RawColumn) -> TargetEncoder:
        """Return the encoder of the same target, scaled by the mean and standard deviation of the training rows."""
        try:
            center, width = center_and_width(known_numbers(train), "standard")
        except OverflowError:
            raise train.failure("the range of the target is too large to be scaled; use smaller units") from None
        return self.model_copy(update={"center": center, "width": width})

    def in_logarithms(self, train: np.ndarray) -> TargetEncoder:
        """Return the encoder of the same target, of which the natural logarithm is learned, scaled by those of the
        training rows. A prediction is at most one deviation beyond them: where a net is off by a sum in logarithms, it
        is off by a factor in the units of the target.

        Args:
            train: what is true of the training rows (rows,), above 0.
        """
        found = np.log(train)
        center, width = center_and_width(found, "standard")
        limits = ((float(found.min()) - center) / width - 1, (float(found.max()) - center) / width + 1)
        return self.model_copy(update={"center": center, "width": width, "log_limits": limits})

    @model_serializer(mode="wrap")
    def _without_logarithm(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # As runs of earlier versions have it: their fingerprint of the preprocessing stays what it was.
        found: dict[str, Any] = serialize(self)
        return found if self.log_limits is not None else {key: found[key] for key in found if key != "log_limits"}


def refuse_without_logarithm(column: RawColumn, numbers: np.ndarray) -> None:
    """Refuse a target of which the logarithm is to be learned, and which has none.

    Raises:
        DataError: names the first row.
    """
    wrong = ~(numbers > 0)
    if wrong.any():
        row = first_row(wrong)
        more = int(wrong.sum()) - 1
        rest = f" (and {more} more rows)" if more else ""
        raise column.error(
            row,
            f"data.target.scale is log: expected a number above 0, received {numbers[row]:.15g}{rest}; state "
            "standard, or leave the row out",
        )


class TargetsTogether(Spec):
    """What several targets that are learned together have in common, whatever they are."""

    if TYPE_CHECKING:
        parts: Many[TargetEncoder]  # a field of each, at its own place in the file of a run

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(part.column for part in self.parts)

    @property
    def column(self) -> str:
        """The columns in words."""
        return ", ".join(self.columns)


def infer_task(column: RawColumn) -> tuple[Task, str]:
    """Return the task that a target column suggests, and why.

    Raises:
        DataError: a value is missing, or the column holds something that cannot be a target.
    """
    values = without_missing(column, " (data.target.missing: skip leaves such rows out)")
    distinct = len(pc.unique(values))
    if is_text(values.type):
        if not _few_enough(distinct, len(values)):
            _refuse_numbers_with_signs(column, values)
        return _by_classes(distinct), f"'{column.name}' holds text with {distinct} different values"
    if pa.types.is_boolean(values.type):
        return _by_classes(distinct), f"'{column.name}' holds booleans"
    if not is_number(values.type):
        raise column.failure(f"expected numbers, text or booleans in the target, but it holds {column.holds()}")
    numbers = known_numbers(column)
    if (numbers != np.floor(numbers)).any():
        return "regression", f"'{column.name}' holds numbers with fractions"
    found = f"'{column.name}' holds whole numbers with {distinct} different values"
    if distinct > 2 and _few_enough(distinct, len(values)):
        return "multiclass", f"{found}; {IF_NUMBERS}"
    if distinct <= 2:
        return "binary", found
    return "regression", f"{found} in {counted(len(values), 'row')}"


def _few_enough(distinct: int, rows: int) -> bool:
    """Return whether values are so few that they look like classes."""
    return distinct <= MOST_CLASSES and distinct * ROWS_PER_CLASS <= rows


def _refuse_numbers_with_signs(column: RawColumn, values: pa.Array) -> None:
    """Refuse a target of texts of which most are numbers with a sign or a unit, such as $0.96 or 12 km.

    Raises:
        DataError: names the first one, and what to remove from it.
    """
    signed = pc.match_substring_regex(values, NUMBER_WITH_SIGN)
    if (pc.sum(signed).as_py() or 0) * 2 <= len(values):
        return
    row = first_row(signed)
    text = values[row].as_py()
    sign = re.sub(r"[\d.,+\-\s]", "", text) or ","
    raise column.error(
        row,
        f"{text!r} is text, not a number; remove {sign!r} from the values to learn numbers, or state task: multiclass "
        "to learn each text as a class",
    )


def guessed_task_hint(target: Spec, decisions: Sequence[Decision]) -> str:
    """Return what to do if a target that was taken as classes is a number; an empty text where the task is stated."""
    guessed = next((each for each in decisions if each.what == "task"), None)
    if guessed is None or not isinstance(target, TargetEncoder) or target.one_hot:
        return ""
    numeric = all(_is_number(label) for label in target.labels)
    if not numeric:
        return f" (the task {target.task} was guessed, because {guessed.reason})"
    if IF_NUMBERS in guessed.reason:
        return f" (the task {target.task} was guessed, because {guessed.reason})"
    return f" (the task {target.task} was guessed, because {guessed.reason}; {IF_NUMBERS})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _by_classes(distinct: int) -> Task:
    return "binary" if distinct <= 2 else "multiclass"


def fit_target(
    column: RawColumn,
    spec: TargetSpec,
    stated: Task | Literal["auto"] = "auto",
    known_task: Task | None = None,
    known_classes: Sequence[str] = (),
) -> tuple[TargetEncoder, tuple[Decision, ...]]:
    """Return the encoder of a target, not scaled yet, from the target of all rows.

    Args:
        column: the target of all rows.
        spec: what was asked of it.
        stated: the experiment's task; it wins.
        known_task: what the source says of itself; it wins over the values.
        known_classes: names of the classes 0, 1, … where the source knows.

    Raises:
        DataError: a value is missing or does not fit the task, or there are not the classes that there should be.
    """
    decisions: tuple[Decision, ...] = ()
    if stated != "auto" and KINDS[stated].several:
        raise column.failure(f"the task is {stated}, which needs at least two targets, such as target: [rain, wind]")
    if stated != "auto":
        task: Task = stated
        without_missing(column)
    elif known_task is not None:
        task = known_task
        decisions = (Decision("task", task, f"the source states the task of '{column.name}'"),)
    else:
        task, reason = infer_task(column)
        decisions = (Decision("task", task, reason),)
    numbers = number_kind(task)
    if numbers is not None:
        _refuse_class_settings(column, spec, task)
        if spec.scale in STATED and not numbers.scaled:
            raise column.failure(f"data.target.scale is for regression, but the task is {task} (remove it)")
        targets_of(column, numbers)
        return TargetEncoder(column=column.name, task=task), decisions
    if spec.scale in STATED:
        raise column.failure(
            f"data.target.scale is for regression, but the task is {task} (remove it, or state the task)"
        )
    classes = find_classes(column, spec, task, known_classes)
    labels, names = zip(*classes, strict=True)
    encoder = TargetEncoder(column=column.name, task=task, labels=labels, classes=names)
    if task == "binary" and spec.positive is None and not spec.classes:
        reason = "the second of the two classes (data.target.positive chooses)"
        decisions += (Decision("target.positive", encoder.classes[1], reason),)
    return encoder, decisions


def _refuse_class_settings(column: RawColumn, spec: TargetSpec, task: Task) -> None:
    for name, value in (("classes", spec.classes), ("positive", spec.positive)):
        if value:
            raise column.failure(
                f"data.target.{name} is for classes, but the task is {task} (remove it, or state the task)"
            )


def targets_of(column: RawColumn, kind: NumberKind) -> np.ndarray:
    """Return the numbers of a target, float64 (rows,).

    Raises:
        DataError: one is missing, is not a finite number, or cannot be a target of this kind.
    """
    values = known_numbers(column)
    refusal = kind.refused(values)
    if refusal is not None and refusal[0].any():
        refused, expected = refusal
        row = first_row(refused)
        raise column.error(row, f"the task is {kind.name}: expected {expected}, received {values[row]:.15g}")
    return values


def known_numbers(column: RawColumn) -> np.ndarray:
    """Return the numbers of a target, float64 (rows,); raises DataError where one is missing or is no finite number."""
    without_missing(column)
    return numbers_of(column)
