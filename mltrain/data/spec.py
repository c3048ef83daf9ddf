"""The `data` section: where the examples come from, what is learned from them, and how they are split and encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from mltrain.data.column_settings import Scale
from mltrain.data.features import CategoryFeature, Feature
from mltrain.data.sources import Source
from mltrain.data.splits import NoSplit, RandomSplit, Split, TimeSplit
from mltrain.data.target_spec import TargetScale, TargetSpec
from mltrain.data.windows import WindowsSpec
from mltrain.spec import Many, Spec, fail, normalise, problem

# What a column may be that is beside the windows of a series.
BESIDE_WINDOWS = ("number", "boolean", "category", "datetime")


def _is_image_folder(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("type"), str) and normalise(value["type"]) == "imagefolder"
    return False


def _shared(source: dict[str, Any]) -> dict[str, Any]:
    """Return what image folders that are one data set have in common."""
    return {key: source[key] for key in ("size", "channels", "nested") if key in source}


class DataSpec(Spec):
    """The data: its source, the target, the split, and the type of each column."""

    source: Source
    """Where the examples come from."""
    target: TargetSpec | None = None
    """The column that is learned; null means the target that the source defines, as scikit-learn's data sets do."""
    split: Split = Field(default_factory=RandomSplit)
    """Which rows are used for training, validation and test."""
    windows: WindowsSpec | None = None
    """Use windows of a series as examples, to forecast the target. null treats the rows as independent."""
    features: dict[str, Feature] = Field(default_factory=dict)
    """The type of each column, by its name; the type of other columns is recognised from their values."""
    inputs: dict[str, Annotated[Many[str], Field(min_length=1)]] = Field(default_factory=dict)
    """Several inputs made of the columns of a table, such as `{house: [rooms, area], place: [lat, lon]}`; columns that
    are in none of them are the input `table`. Each image, array and text column is an input of its own."""
    scale: Scale = "standard"
    """How number columns are scaled, unless `features` states it for a column."""

    sample_weight: str | None = None
    """A column of numbers of 0 or more: how much each training row counts in the loss. Metrics count every row once,
    unless `evaluation.sample_weight` asks for weights there, too."""

    @property
    def stated_scale(self) -> TargetScale:
        """How the target is scaled, as the config says."""
        return "auto" if self.target is None else self.target.scale

    def of_older_run(self) -> DataSpec:
        """Return the section as it was meant before there was `scale: auto`: a target was scaled only where that was
        stated."""
        if self.target is None:
            return self.model_copy(update={"target": TargetSpec.model_construct(scale="none")})
        if "scale" in self.target.model_fields_set:
            return self
        return self.model_copy(update={"target": self.target.model_copy(update={"scale": "none"})})

    @model_validator(mode="before")
    @classmethod
    def _folders_of_splits_are_read_alike(cls, value: Any) -> Any:
        """Give the image folders of a `files` split the size and channels of the source where they state none."""
        source, split = (value.get("source"), value.get("split")) if isinstance(value, dict) else (None, None)
        if not (isinstance(split, dict) and isinstance(source, dict) and _is_image_folder(source)):
            return value
        filled = {
            name: {**_shared(source), **split[name]}
            for name in ("validation", "test")
            if _is_image_folder(split.get(name))
        }
        return {**value, "split": {**split, **filled}}

    @model_validator(mode="after")
    def _target_is_no_feature(self) -> DataSpec:
        kinds = (
            {name: self.features[name].type for name in self.target.names if name in self.features}
            if self.target
            else {}
        )
        problems = [
            problem(
                "target_feature",
                f"'{name}' is the target, so it cannot be a {kind} feature too (remove this line)",
                ("features", name),
                kind,
            )
            for name, kind in kinds.items()
            # `category` makes a source read labels that look like numbers as the texts they are.
            if kind not in ("ignore", "category")
        ]
        if problems:
            raise fail("data", problems)
        return self

    @model_validator(mode="after")
    def _sample_weight_is_no_feature(self) -> DataSpec:
        name = self.sample_weight
        message = ""
        if name is None:
            return self
        if self.target is not None and name in self.target.names:
            message = f"'{name}' is the target, so it cannot be the sample weight too"
        elif name in self.features and self.features[name].type not in ("ignore", "number"):
            message = f"'{name}' is a {self.features[name].type} feature, and a sample weight is a number (remove one)"
        elif self.windows is not None:
            message = "windows of a series are made of several rows, so they have no sample weight: remove it"
        if message:
            raise fail("data", [problem("sample_weight", message, ("sample_weight",), name)])
        return self

    @model_validator(mode="after")
    def _inputs_have_different_columns(self) -> DataSpec:
        targets = self.target.names if self.target else ()
        problems: list[Any] = []
        seen: dict[str, str] = {}
        for name, columns in self.inputs.items():
            for place, column in enumerate(columns):
                path = ("inputs", name, place)
                if column in targets:
                    message = f"'{column}' is the target, so it cannot feed an input (remove it)"
                    problems.append(problem("input_column", message, path, column))
                elif column in seen:
                    where = f"the input '{seen[column]}'" if seen[column] != name else "this input"
                    problems.append(problem("input_column", f"'{column}' is in {where} already", path, column))
                seen.setdefault(column, name)
            if not name or "/" in name:
                message = "the name of an input must not be empty, and must not contain a slash"
                problems.append(problem("input_name", message, ("inputs", name), name))
        if self.inputs and self.windows is not None:
            message = "windows of a series say themselves what is beside them (known, static): remove data.inputs"
            problems.append(problem("input_windows", message, ("inputs",), list(self.inputs)))
        if problems:
            raise fail("data", problems)
        return self

    @model_validator(mode="after")
    def _windows_are_of_numbers_in_order(self) -> DataSpec:
        if self.windows is None:
            return self
        beside = {*self.windows.known, *self.windows.static}
        problems = [
            problem(
                "window_feature",
                f"windows hold numbers as they are, so a column cannot have the type {feature.type} here; expected "
                "number, boolean or ignore",
                ("features", name),
                feature.type,
            )
            for name, feature in self.features.items()
            if name not in beside and feature.type not in ("number", "boolean", "ignore")
        ]
        problems += self._problems_beside_windows(self.windows)
        if not isinstance(self.split, TimeSplit | NoSplit):
            message = (
                "windows of a series overlap, so rows of another split would be in those of the training: take "
                "{type: time}, or {type: none}"
            )
            problems.append(problem("window_split", message, ("split",), self.split.type))
        if self.windows.gaps != "keep" and getattr(self.split, "column", None) is None:
            message = "gaps can only be found in a column of times: set data.split.column"
            problems.append(problem("window_gaps", message, ("windows", "gaps"), self.windows.gaps))
        if self.target is not None and self.target.classes:
            message = "windows forecast a number, which has no classes"
            problems.append(problem("window_target", message, ("target", "classes"), self.target.classes[0]))
        if self.target is not None and (self.target.is_of_outputs or self.target.missing == "skip"):
            key = "each" if self.target.each else "missing"
            message = f"windows forecast numbers that are all there, so data.target.{key} has no meaning (remove it)"
            problems.append(problem("window_target", message, ("target", key), key))
        if problems:
            raise fail("data", problems)
        return self

    def _problems_beside_windows(self, windows: WindowsSpec) -> Iterator[Any]:
        """Yield what is wrong with the columns that are beside the windows."""
        for key, names in (("known", windows.known), ("static", windows.static)):
            for place, name in enumerate(names):
                feature = self.features.get(name)
                if self.target is not None and name in self.target.names:
                    message = f"'{name}' is the target, which is not known in advance: remove it here"
                    yield problem("beside_windows", message, ("windows", key, place), name)
                if feature is not None and feature.type not in BESIDE_WINDOWS:
                    message = (
                        f"'{name}' is listed in windows.{key}, so it cannot have the type {feature.type}; expected "
                        f"{', '.join(BESIDE_WINDOWS[:-1])} or {BESIDE_WINDOWS[-1]}"
                    )
                    yield problem("beside_windows", message, ("features", name), feature.type)
                several = key == "known" and windows.horizon > 1
                if several and isinstance(feature, CategoryFeature) and feature.encoding == "embedding":
                    message = "a known column of several steps cannot be an embedding: take one_hot, index or ordinal"
                    yield problem("beside_windows", message, ("features", name, "encoding"), feature.encoding)
