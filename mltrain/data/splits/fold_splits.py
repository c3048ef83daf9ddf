"""The split of a cross-validation: folds that are each the test once. Which rows they are is in fold_choice.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.data.splits.shares import Seed, Share, held_out
from mltrain.data.splits.split_spec import SplitColumn, SplitSpec, key_column
from mltrain.spec import fail, problem
from mltrain.task import SplitName


class KFoldSplit(SplitSpec):
    """Rows in folds of equal size: one fold is the test, the rest is for training and validation. Among the runs that
    differ only in `fold`, every row is a test row in exactly one; `mltrain cross-validate` trains them all."""

    why_no_folds = None
    type: Literal["kfold"] = "kfold"
    folds: Annotated[int, Field(ge=2)] = 5
    """The number of folds."""
    fold: Annotated[int, Field(ge=1)] = 1
    """Which fold is the test, counted from 1. The folds themselves do not depend on it."""
    validation: Share = 0.1
    """Validation rows, drawn from those that are not for the test: a fraction of them (0.1), a number of rows (500), or
    0 for none."""
    stratify: Literal["auto"] | bool = "auto"
    """Spread each class evenly over the folds, and over training and validation; auto does so if each class has enough
    rows or groups."""
    group: str | None = None
    """A column: all rows with the same value in it, such as those of one patient, are in one fold. It is not a feature,
    unless `data.features` declares it."""
    seed: Seed | None = None
    """The seed of the draw; null uses the experiment's seed."""

    @model_validator(mode="after")
    def _the_fold_is_one_of_them(self) -> KFoldSplit:
        if self.fold > self.folds:
            message = f"expected a fold from 1 to {self.folds}, received {self.fold}"
            raise fail("kfold", [problem("fold", message, ("fold",), self.fold)])
        return self

    def reads(self) -> tuple[SplitColumn, ...]:
        """Return the column of the groups, where one is stated."""
        return () if self.group is None else (key_column(self.group),)

    def has_rows_for(self) -> set[SplitName]:
        """Return training, the fold that is tested, and validation where it has a share."""
        return held_out(self.validation, True)
