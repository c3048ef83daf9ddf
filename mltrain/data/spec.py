"""The `data` section: where the examples come from, what is learned from them, and how they are split and encoded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import core_schema

from mltrain.data.features import Feature
from mltrain.data.features.number import Scale
from mltrain.data.sources import Source
from mltrain.data.splits import NoSplit, RandomSplit, Split, TimeSplit
from mltrain.data.windows import WindowsSpec
from mltrain.spec import Many, Spec, fail, problem


def _class_name(value: Any) -> Any:
    """Return the text of a class that YAML reads as a number or a truth value: classes have names, also `[0, 1]`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


ClassName = Annotated[str, BeforeValidator(_class_name, json_schema_input_type=str | int | bool)]


class TargetSpec(Spec):
    """The column that is learned. Its bare name is enough: `target: price`."""

    column: str
    """Name of the column."""
    scale: Literal["none", "standard"] = "none"
    """Regression only. `standard` trains on values of mean 0 and standard deviation 1; predictions and metrics are in
    the column's own units."""
    classes: Many[ClassName] = ()
    """The classes in the order of the model's outputs; empty takes them sorted. It may also name the classes of a
    column of numbers: `[no, yes]` for 0 and 1."""
    positive: ClassName | None = None
    """Of two classes, the one whose probability is predicted; null takes the second."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _classes_fit(self) -> TargetSpec:
        twice = next((name for name in self.classes if self.classes.count(name) > 1), None)
        if twice is not None:
            raise fail("target", [problem("classes", f"the class {twice!r} stands twice", ("classes",), twice)])
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
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}


class DataSpec(Spec):
    """Examples: their source, the target, the split, and what each column is."""

    source: Source
    """Where the examples come from."""
    target: TargetSpec | None = None
    """The column that is learned; null takes the one that the source knows (as scikit-learn's sets do)."""
    split: Split = Field(default_factory=RandomSplit)
    """Which rows are for training, validation and test."""
    windows: WindowsSpec | None = None
    """Take windows of a series as examples, to forecast the target; null takes each row for itself."""
    features: dict[str, Feature] = Field(default_factory=dict)
    """What a column is, by its name; columns that are not named here are recognised."""
    scale: Scale = "standard"
    """How number columns are scaled that do not say it themselves."""

    @property
    def scales_target(self) -> bool:
        """Whether the model learns the target in other units than its own."""
        return self.target is not None and self.target.scale != "none"

    @model_validator(mode="after")
    def _target_is_no_feature(self) -> DataSpec:
        kind = self.features[self.target.column].type if self.target and self.target.column in self.features else None
        # `category` makes a source read labels that look like numbers as the texts they are.
        if self.target and kind not in (None, "ignore", "category"):
            name = self.target.column
            message = f"'{name}' is the target, so it cannot be a {kind} feature too (remove this line)"
            raise fail("data", [problem("target_feature", message, ("features", name), kind)])
        return self

    @model_validator(mode="after")
    def _windows_are_of_numbers_in_order(self) -> DataSpec:
        if self.windows is None:
            return self
        problems = [
            problem(
                "window_feature",
                f"windows hold numbers, so a column is no {feature.type} here",
                ("features", name),
                feature.type,
            )
            for name, feature in self.features.items()
            if feature.type not in ("number", "boolean", "ignore")
        ]
        if not isinstance(self.split, TimeSplit | NoSplit):
            message = (
                "windows of a series overlap, so rows of another split would be in those of the training: take "
                "{type: time}, or {type: none}"
            )
            problems.append(problem("window_split", message, ("split",), self.split.type))
        if self.target is not None and self.target.classes:
            message = "windows forecast a number, which has no classes"
            problems.append(problem("window_target", message, ("target", "classes"), self.target.classes[0]))
        if problems:
            raise fail("data", problems)
        return self
