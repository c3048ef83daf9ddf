"""The `target` of the `data` section: what is learned. No NumPy, no TensorFlow."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import TaskOfClasses, TaskOfNumbers


def _class_name(value: Any) -> Any:
    """Return the text of a class that YAML reads as a number or a truth value: classes have names, also `[0, 1]`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else value


ClassName = Annotated[str, BeforeValidator(_class_name, json_schema_input_type=str | float | bool)]


TargetScale = Literal["auto", "none", "standard", "log"]
# Those that scale, and need a target of numbers.
STATED: tuple[TargetScale, ...] = ("standard", "log")


class OneTarget(Spec):
    """What is known of one of several targets."""

    task: Literal["auto"] | TaskOfClasses | TaskOfNumbers = "auto"
    """What is learned of it; auto decides by its values."""
    classes: Many[ClassName] = ()
    """Its classes in the order of the model's outputs. Empty: they are sorted."""
    positive: ClassName | None = None
    """With two classes, the one whose probability is predicted; null means the second."""


class TargetSpec(Spec):
    """The column that is learned. Its name is enough: `target: price`. To learn several columns together, list their
    names: `target: [rain, wind, fog]`."""

    column: str | None = None
    """Name of the column."""
    columns: Many[str] = ()
    """Names of the columns, if several are learned together. They are the classes of one target (one-hot: exactly one
    is 1 in every row), labels of two values each (multilabel), numbers (multiregression), or of different kinds
    (mixed)."""
    scale: TargetScale = "auto"
    """Numbers only. `standard` trains on values of mean 0 and standard deviation 1, and `log` on the natural logarithms
    of positive values, scaled in the same way. Predictions and metrics are in the column's own units. `none` trains on
    the values as they are. `auto` is `none` where the loss or a number in the config, such as that of `stop_when`,
    needs the column's own units; `log` for one positive target with a long tail, where quick fits predict the
    validation rows clearly better with it; else `standard`."""
    classes: Many[ClassName] = ()
    """The classes in the order of the model's outputs. Empty: they are sorted. It can also name the classes of a
    column of numbers: `[no, yes]` for 0 and 1."""
    positive: ClassName | None = None
    """With two classes, the one whose probability is predicted; null means the second."""
    each: dict[str, OneTarget] = Field(default_factory=dict)
    """Several columns that are learned together, each with a head, a loss and metrics of its own kind: what is known of
    each, by its name, such as `{sold: {positive: "yes"}, rating: {task: regression}}`."""
    missing: Literal["error", "skip"] = "error"
    """What to do with a row in which the target is missing: `error` stops, and `skip` leaves the row out. With `skip` a
    row in which one of several columns is missing trains and measures the other targets."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"columns": value}
        if isinstance(value, dict) and isinstance(value.get("column"), list):
            message = "a list of names belongs under the key columns, not column"
            raise fail("target", [problem("column", message, ("column",), value["column"])])
        return {"column": value} if isinstance(value, str) else value

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learned."""
        return self.columns or ((self.column,) if self.column is not None else ())

    @model_validator(mode="after")
    def _one_column_or_several(self) -> TargetSpec:
        problems = []
        if (self.column is None) == (not self.columns):
            message = "expected the name of a column: target: price, or of several: target: [rain, wind]"
            problems.append(problem("target", message, (), self.column))
        elif len(self.columns) == 1:
            message = f"expected two or more columns; for one column write its name: target: {self.columns[0]}"
            problems.append(problem("target", message, ("columns",), self.columns))
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            problems.append(problem("target", f"column {twice!r} is listed twice", ("columns",), twice))
        for name in ("classes", "positive") if self.columns else ():
            if getattr(self, name):
                message = "it is for one column: state it under `each`, by the name of the column"
                problems.append(problem("target", message, (name,), getattr(self, name)))
        for name in self.each:
            if name not in self.columns:
                known = f" (columns: {', '.join(self.columns)})" if self.columns else ": list them in columns"
                message = f"'{name}' is not one of several target columns{known}"
                problems.append(problem("target", message, ("each", name), name))
        if problems:
            raise fail("target", problems)
        return self

    @property
    def is_of_outputs(self) -> bool:
        """Whether it says that each of several targets is an output of its own."""
        return bool(self.each) or (self.missing == "skip" and len(self.columns) > 1)

    @model_validator(mode="after")
    def _classes_fit(self) -> TargetSpec:
        twice = next((name for name in self.classes if self.classes.count(name) > 1), None)
        if twice is not None:
            raise fail("target", [problem("classes", f"class {twice!r} is listed twice", ("classes",), twice)])
        if len(self.classes) == 1:
            raise fail("target", [problem("classes", "expected two classes or more", ("classes",), self.classes[0])])
        if self.positive is not None and self.classes and self.positive not in self.classes:
            known = ", ".join(self.classes)
            raise fail(
                "target", [problem("positive", f"not one of the classes ({known})", ("positive",), self.positive)]
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        several = {"type": "array", "items": {"type": "string"}}
        return {"anyOf": [{"type": "string"}, several, handler.resolve_ref_schema(handler(schema))]}
