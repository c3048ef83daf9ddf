"""Several targets of different kinds: each is a target as any other, and a row may lack some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from mltrain.data.encoders.column import RawColumn
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Table
from mltrain.data.target import TargetEncoder, TargetsTogether, fit_target
from mltrain.data.target_spec import OneTarget, TargetSpec
from mltrain.errors import DataError
from mltrain.outputs import KINDS
from mltrain.problems import path_text
from mltrain.spec import Many
from mltrain.task import Decision
from mltrain.wording import counted, listed


class MixedTargets(TargetsTogether):
    """The target columns, in the order of the outputs."""

    task: Literal["mixed"] = "mixed"
    """What is learned."""
    parts: Annotated[Many[TargetEncoder], Field(min_length=2)]
    """The encoder of each column."""
    missing: Literal["error", "skip"] = "error"
    """Whether a row may lack some of them: it then trains and measures the others only."""

    @property
    def name(self) -> str:
        """Name of the output: the columns in words."""
        return self.column

    @property
    def classes(self) -> tuple[str, ...]:
        """None: each part has its own."""
        return ()

    @property
    def array(self) -> None:
        """None: they are columns of the table."""
        return

    @property
    def outputs(self) -> int:
        """Size of the last axis of the predictions of all parts."""
        return sum(part.outputs for part in self.parts)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Return predictions (rows, outputs) with those of numbers in the units of their columns, as float64."""
        restored, first = values.astype(np.float64), 0
        for part in self.parts:
            place = slice(first, first + part.outputs)
            if KINDS[part.task].of_numbers:
                restored[:, place] = part.restore(values[:, place])
            first = place.stop
        return restored

    def encode(self, table: Table) -> np.ndarray:
        """Return the targets for training, float32 (rows, targets): class numbers, or scaled numbers; NaN where a row
        lacks one.

        Raises:
            DataError: a column is not there, or a value is missing that must not be, or is no target.
        """
        return np.stack([self._each(part, table, scaled=True) for part in self.parts], axis=1).astype(np.float32)

    def truth(self, table: Table) -> np.ndarray:
        """Return the targets for evaluation, float64 (rows, targets): class numbers, or numbers in the columns' own
        units; NaN where a row lacks one. Raises as `encode`, and where no row has any."""
        found = np.stack([self._each(part, table, scaled=False) for part in self.parts], axis=1)
        if np.isnan(found).all():
            raise DataError(f"{table.origin.name}: no row has a value of a target ({listed(list(self.columns))})")
        return found

    def _each(self, part: TargetEncoder, table: Table, *, scaled: bool) -> np.ndarray:
        if self.missing == "skip" and part.column not in table.columns:  # as in a file that is measured beside the data
            return np.full(len(table), np.nan)
        column = RawColumn.of(table, part.column)
        there = known_rows(column) if self.missing == "skip" else np.ones(len(table), bool)
        known = column if there.all() else column.take(np.flatnonzero(there))
        values = np.full(len(table), np.nan)
        if there.any():
            values[there] = part.encode(known) if scaled else part.truth(known)
        return values

    def scaled(self, train: Table) -> MixedTargets:
        """Return the same, with the targets of which the kind can be scaled scaled by the training rows."""
        return self.model_copy(update={"parts": tuple(self._scaled(part, train) for part in self.parts)})

    def _scaled(self, part: TargetEncoder, train: Table) -> TargetEncoder:
        column = RawColumn.of(train, part.column)
        there = known_rows(column)
        if not KINDS[part.task].scaled or not there.any():
            return part
        return part.scaled(column if there.all() else column.take(np.flatnonzero(there)))


def known_rows(column: RawColumn) -> np.ndarray:
    """Return which rows have a value of a target column, bool (rows,)."""
    if isinstance(column.values, np.ndarray):
        return np.ones(len(column.values), bool)
    known: np.ndarray = column.values.is_valid().to_numpy(zero_copy_only=False)
    if known.any() and column.values.type in ("double", "float"):
        known &= ~np.isnan(column.values.to_numpy(zero_copy_only=False))
    return known


def fit_mixed(columns: Sequence[RawColumn], spec: TargetSpec) -> tuple[MixedTargets, tuple[Decision, ...]]:
    """Return the encoder of targets of different kinds, not scaled yet, from the targets of all rows.

    Args:
        columns: the targets of all rows.
        spec: what was asked of them.

    Raises:
        DataError: a value is missing that must not be, or one of the columns is no target.
    """
    parts: list[TargetEncoder] = []
    decisions: list[Decision] = []
    for whole in columns:
        column, there = whole, known_rows(whole)
        if spec.missing == "skip" and not there.all():
            if not there.any():
                raise column.failure("no row has a value of this target: leave it out of data.target")
            lacking = counted(int((~there).sum()), "row")
            what, how = f"target.{column.name}", f"missing in {lacking} of {len(there):,}"
            reason = "data.target.missing is skip: these rows train and measure the other targets"
            decisions.append(Decision(what, how, reason))
            column = column.take(np.flatnonzero(there))
        asked = spec.each.get(column.name, OneTarget())
        of_one = TargetSpec(column=column.name, classes=asked.classes, positive=asked.positive)
        try:
            part, more = fit_target(column, of_one, asked.task)
        except DataError as error:
            raise DataError(_settings_of(str(error), column.name)) from None
        parts.append(part)
        decisions += (
            Decision(_named(each.what, column.name), each.value, _settings_of(each.reason, column.name))
            for each in more
        )
    kinds = listed([f"{part.column} ({part.task})" for part in parts])
    decision = Decision("task", "mixed", f"each target has a kind, a head and a loss of its own: {kinds}")
    return MixedTargets(parts=tuple(parts), missing=spec.missing), (decision, *decisions)


def refuse_unknown_targets(table: Table, target: MixedTargets, truth: np.ndarray, splits: Splits) -> None:
    """Refuse a target that no training row has, or no validation row: it could not be learned, or the best epoch would
    be chosen as if it were not there.

    Args:
        table: all rows.
        target: what is learned.
        truth: what is true of all rows, (rows, targets), NaN where a row lacks a target.
        splits: the rows of each.

    Raises:
        DataError: names the target.
    """
    for split, rows in splits.items():
        lacking = np.isnan(truth[rows]).all(axis=0)
        if split != "test" and lacking.any():
            name = target.columns[int(lacking.argmax())]
            which = "training" if split == "train" else split
            message = f"no {which} row has a value of this target: choose another data.split, or leave it out"
            raise RawColumn.of(table, name).failure(message)


def _settings_of(sentence: str, target: str) -> str:
    """Return a sentence on a single target with the keys that one of several has."""
    each = path_text(("data", "target", "each", target))
    return sentence.replace("data.target.", f"{each}.").replace("state task: ", f"state {each}.task: ")


def _named(what: str, target: str) -> str:
    """Return what a decision on one of several targets is about."""
    return f"{what} of {target}" if what == "task" else what.replace("target.", f"target.{target}.", 1)
