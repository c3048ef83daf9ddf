"""All that was fitted on the training rows: what turns a table into arrays, as plain data that JSON can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field, ValidationError, model_validator

from mltrain.aligned import aligned_empty
from mltrain.data.encoders.any import AnyEncoder
from mltrain.data.encoders.array import ArrayEncoder, ImageFileEncoder
from mltrain.data.encoders.column import Encoded, Encoder, RawColumn, RawInput
from mltrain.data.encoders.free_text import FreeTextEncoder
from mltrain.data.encoders.known import KnownEncoder
from mltrain.data.encoders.window import WindowEncoder
from mltrain.data.files.row_images import ImageRule
from mltrain.data.several_targets import Target, encoded_targets, true_targets
from mltrain.data.table import Table
from mltrain.data.texts.characters import TokenRule
from mltrain.data.windowed import Windowed
from mltrain.errors import RunError
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs import KINDS
from mltrain.spec import Many, Spec
from mltrain.task import Input, Output
from mltrain.wording import free_name, listed

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class EncodedInputs:
    """A table as the network takes it.

    Attributes:
        inputs: by name: float32 (rows, columns) for the columns of a table; float32 or int32 (rows, …) for arrays.
        missing: number of missing values that were filled, by column; only columns that had some.
        unknown: number of values that no training row has, by column; only columns that had some.
    """

    inputs: dict[str, np.ndarray]
    missing: dict[str, int]
    unknown: dict[str, int]


class Preprocessing(Spec):
    """The fitted encoders of the features and of the target."""

    format: Literal[1] = 1
    """Version of this description."""
    columns: Annotated[Many[AnyEncoder], Field(min_length=1)]
    """One per raw column, in the order of the table."""
    target: Target
    """The encoder of the target column, or of several."""
    groups: Mapping[str, str] = {}
    """By the name of a column of a table, the input that it feeds where `data.inputs` says so; else it is `table`."""

    @model_validator(mode="after")
    def _fitting_groups(self) -> Preprocessing:
        known = {encoder.column for encoder in self.columns if encoder.names}
        unknown = [name for name in self.groups if name not in known]
        if unknown:
            raise ValueError(f"groups: no column of a table: {listed(unknown)}")
        return self

    @model_validator(mode="after")
    def _known_steps_are_those_of_the_windows(self) -> Preprocessing:
        windows = self._windows.windows if self._windows is not None else None
        expected = [(windows.horizon, windows.known)] if windows and windows.known and windows.horizon > 1 else []
        known = [each for each in self.columns if isinstance(each, KnownEncoder)]
        if [(each.steps, tuple(part.column for part in each.parts)) for each in known] != expected:
            raise ValueError("the known columns are not those of the windows")
        return self

    @property
    def array(self) -> ArrayEncoder | None:
        """The encoder of the only column, where it is an array. For this room: others know it as an `Input`."""
        first, *others = self.columns
        return first if isinstance(first, ArrayEncoder) and not others else None

    @property
    def image_rules(self) -> dict[str, ImageRule]:
        """How images are read that the rows name as files, or hold, by the name of the column."""
        return {each.column: each.rule for each in self.columns if isinstance(each, ImageFileEncoder)}

    @property
    def token_rules(self) -> dict[str, TokenRule]:
        """How free text becomes tokens, by the name of the column."""
        return {each.column: each.rule for each in self.columns if isinstance(each, FreeTextEncoder)}

    @property
    def of_table(self) -> tuple[Encoder, ...]:
        """The encoders whose columns are beside each other in an input, as those of numbers and categories."""
        return tuple(encoder for encoder in self.columns if encoder.names)

    def input_of(self, encoder: Encoder) -> str:
        """Return the name of the input that a column feeds."""
        return self.groups.get(encoder.column, encoder.input)

    @property
    def _windows(self) -> WindowEncoder | None:
        first = self.columns[0]
        return first if isinstance(first, WindowEncoder) else None

    @property
    def of_windows(self) -> bool:
        """Whether an example is a window of a series, made of several rows."""
        return self._windows is not None

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs of the network that the columns feed, in the order of their first columns."""
        feeding: dict[str, list[Encoder]] = {}
        for encoder in self.columns:
            feeding.setdefault(self.input_of(encoder), []).append(encoder)
        found = []
        for input_name, encoders in feeding.items():
            names = tuple(name for each in encoders for name in each.names)
            shape = (len(names),) if names else encoders[0].encoded_shape
            sources = tuple(each.column for each in encoders)
            first = encoders[0]
            made = Input(input_name, shape, first.encoded_dtype, names, sources=sources, numbers=_numbers(encoders))
            found.append(replace(made, indices=first.indices, width=first.vector_width, pixels=first.pixels))
        return tuple(found)

    @property
    def output(self) -> Output:
        """What is learned."""
        target, kind = self.target, KINDS[self.target.task]
        several = target.columns if kind.several else ()
        parts = (Output(part.name, part.task, part.outputs, part.classes) for part in target.parts)
        return Output(
            target.name, target.task, target.outputs, target.classes, several, tuple(parts) if kind.mixed else ()
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoded columns; empty for arrays."""
        return tuple(name for encoder in self.columns for name in encoder.names)

    def column_of(self, name: str, position: int) -> str:
        """Return the raw column that a position of one flattened encoded example of an input comes from."""
        feeding = [encoder for encoder in self.columns if self.input_of(encoder) == name]
        return [encoder.column for encoder in feeding for _ in encoder.names or range(position + 1)][position]

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """What `model.keras` takes: the raw columns by their names, in which `/`, which Keras refuses, becomes `_`;
        a column without a name is `column`."""
        inputs: dict[str, RawInput] = {}
        for raw in (raw for encoder in self.columns for raw in encoder.raw_inputs):
            # Two are alike where a column `sold.year` is beside the parts of `sold`, or `a_b` beside `a/b`.
            name = free_name(raw.name.replace("/", "_") or "column", inputs)
            inputs[name] = replace(raw, name=name)
        return tuple(inputs.values())

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return the columns of a file that are needed, and what their texts are read as; see `Encoder.file_kinds`."""
        return {name: kind for encoder in self.columns for name, kind in encoder.file_kinds(declared).items()}

    def encode(self, table: Table) -> EncodedInputs:
        """Return the inputs of a table, with counts of what was missing or unknown.

        Raises:
            DataError: a column is not there (others that are do not matter), or a value cannot be encoded.
        """
        return self.encode_each({"": table})[""]

    def encode_each(
        self, tables: Mapping[Name, Table], encoded: Callable[[str], object] = lambda column: None
    ) -> dict[Name, EncodedInputs]:
        """Return the inputs of several tables by their names, column by column; raises as `encode`.

        Args:
            tables: with the same columns, as the splits of one.
            encoded: is told the raw column that is done with in all of them.
        """
        inputs = self.inputs
        parts: dict[Name, dict[str, list[Encoded]]] = {name: {each.name: [] for each in inputs} for name in tables}
        for encoder in self.columns:
            for name, table in tables.items():
                parts[name][self.input_of(encoder)].append(encoder.encode(RawColumn.of(table, encoder.column)))
            encoded(encoder.column)
        # Only now beside each other: the first column would touch the memory of all rows, while the table is there.
        return {name: _joined(parts[name], len(table), inputs) for name, table in tables.items()}

    def table_features(self, table: Table) -> np.ndarray:
        """Return the encoded columns of `of_table` beside each other, float32 (rows, features); raises as `encode`."""
        parts = [encoder.encode(RawColumn.of(table, encoder.column)).values for encoder in self.of_table]
        return np.concatenate([np.empty((len(table), 0), np.float32), *parts], axis=1)

    def targets(self, table: Table) -> np.ndarray:
        """Return the target of a table for training, (rows,) or (rows, targets); see `TargetEncoder.encode`."""
        return encoded_targets(self.target, table)

    def truth(self, table: Table) -> np.ndarray:
        """Return the target of a table for evaluation, (rows,) or (rows, targets): class numbers, or values in the
        column's own units."""
        return true_targets(self.target, table)

    def forecasts(self, table: Table) -> ForecastRows | None:
        """Return what is known of the forecasts of a table; None where its rows are none."""
        return self._windows.forecasts(table) if self._windows is not None else None

    def windowed(self, table: Table, predicting: bool = False) -> Windowed:
        """Return rows with their windows, where examples are such; arguments and errors as for
        `WindowEncoder.made_of`."""
        if self._windows is None:
            raise ValueError("the examples are not windows of a series")
        steps = next((each.column for each in self.columns if isinstance(each, KnownEncoder)), None)
        return self._windows.made_of(table, steps, predicting)

    def raw(self, table: Table) -> dict[str, np.ndarray]:
        """Return the columns as `model.keras` takes them, by name of the input: (rows, 1), or (rows, …) for arrays."""
        parts = [part for encoder in self.columns for part in encoder.raw(RawColumn.of(table, encoder.column))]
        return {raw.name: part for raw, part in zip(self.raw_inputs, parts, strict=True)}

    def to_json(self) -> dict[str, Any]:
        """Return this as what JSON can hold; numbers survive `json.dumps` and back exactly."""
        return self.model_dump(mode="json", exclude=None if self.groups else {"groups"})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Preprocessing:
        """Return what `to_json` described.

        Raises:
            RunError: the document is something else, or of another version.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ": ".join(["preprocessing", *filter(None, [".".join(map(str, first["loc"]))])])
            raise RunError(f"{place}: {first['msg']} (damaged, or written by another version)") from None


def _numbers(encoders: Sequence[Encoder]) -> tuple[int, ...]:
    """Return the places of numbers among the encoded columns of an input."""
    places, first = [], 0
    for encoder in encoders:
        places += [first + place for place in encoder.number_places]
        first += len(encoder.names)
    return tuple(places)


def _joined(parts: Mapping[str, list[Encoded]], rows: int, inputs: Sequence[Input]) -> EncodedInputs:
    """Return the inputs, the columns of a table beside each other; empties the lists, so that each column can go once
    it is copied."""
    whole = EncodedInputs({}, {}, {})
    for each in inputs:
        columns, first = parts[each.name], 0
        if each.columns:
            whole.inputs[each.name] = aligned_empty((rows, *each.shape), np.float32)
        while columns:
            part = columns.pop(0)
            whole.missing.update(part.missing)
            whole.unknown.update(part.unknown)
            if each.columns:
                last = first + part.values.shape[1]
                whole.inputs[each.name][:, first:last] = part.values
                first = last
            else:
                whole.inputs[each.name] = part.values
    return whole
