"""Gates: what the results of a run must fulfil, as `test.f1.low >= 0.8`. Read here, judged in `judging.py`, and never
evaluated as code.

    gate        quantity operator number                the operator is >=, <=, > or <
    quantity    split.metric                            test.f1
                split.metric.bound                      test.f1.low: an end of its 95 % interval, low or high;
                                                        test.f1.std: of `train --seeds`, also min and max
                split[slice].metric                     test[sex=f].f1.low: on some of the rows
                split.metric(class)                     test.recall(malignant): precision, recall or f1 of one class
                split.metric(target)                    test.f1(rain).low: any metric of one of several targets
                split.metric(target=class)              test.recall(kind=gull): where targets are of different kinds
                split[slice].metric(target)             the same on some of the rows
                split.metric(target) - baseline         more than a baseline of that target has
                split.metric - baseline                 test.accuracy - majority: more than a baseline has
                (split.metric - baseline).bound         (test.accuracy - majority).low: an end of that difference

The split is train, validation or test; or data, for the rows of `mltrain evaluate --data`; or folds, for the test rows
of `mltrain cross-validate`. Of folds the bound is mean, an end of its 95 % interval, std or min, as in `folds.f1.low`;
and there are no slices or classes. Of `mltrain train --seeds` every value is the mean over the seeds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self, cast

from mltrain.expression import refuse_reversed
from mltrain.problems import shortened
from mltrain.spec import FromText, suggest
from mltrain.task import OUT_OF_FOLD, SPLITS
from mltrain.wording import in_full

Bound = Literal["value", "low", "high", "mean", "std", "min", "max"]

DATA = "data"
FOLDS = "folds"
_BOUNDS, _BOUNDS_OF_FOLDS = ("value", "low", "high"), ("mean", "low", "high", "std", "min")
_BOUNDS_OF_SEEDS = ("std", "min", "max")
# In characters: the forms below take the square of that in steps to refuse what is none of them.
_LONGEST = 500
_SPLITS = (*SPLITS, OUT_OF_FOLD, DATA, FOLDS)
_BASELINE = r"\s*-\s*(?P<baseline>[A-Za-z_]\w*)"
_OPTIONAL_BOUND = r"(\.(?P<bound>\w+))?"
_OPTIONAL_CLASS = r"(\((?P<class>.+)\))?"
_MEASURED = r"(?P<split>[A-Za-z_]+)(\[(?P<slice>.+)\])?\.(?P<metric>[A-Za-z_]\w*)"
# The operator is the last one: the name of a slice or a class may hold another.
_GATE = re.compile(r"\s*(?P<quantity>.*?\S)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>[-+]?[\d.]+([eE][-+]?\d+)?)\s*")
_QUANTITIES = (
    re.compile(rf"{_MEASURED}{_OPTIONAL_CLASS}{_OPTIONAL_BOUND}"),
    re.compile(rf"{_MEASURED}{_OPTIONAL_CLASS}{_BASELINE}"),
    re.compile(rf"\(\s*{_MEASURED}{_OPTIONAL_CLASS}{_BASELINE}\s*\){_OPTIONAL_BOUND}"),
)


@dataclass(frozen=True)
class Quantity:
    """A number in the results.

    Attributes:
        split: train, validation, test, data, or folds.
        metric: its name.
        slice: the name of a slice, as `sex=f`; None for all rows of the split.
        of_class: the name of a class, or of one of several targets; None for all of them.
        baseline: from which the difference is meant; None for the model alone.
        bound: the value, or an end of its interval; of folds their mean, or what else is known of it; of several seeds
            also their standard deviation, the smallest or the largest.
    """

    split: str
    metric: str
    slice: str | None = None
    of_class: str | None = None
    baseline: str | None = None
    bound: Bound = "value"

    @property
    def is_of_rows(self) -> bool:
        """Whether it is an end of an interval that follows from held-out rows: that of folds follows from the folds."""
        return self.bound in ("low", "high") and self.split != FOLDS

    def __str__(self) -> str:
        where = f"{self.split}[{self.slice}]" if self.slice is not None else self.split
        text = f"{where}.{self.metric}"
        if self.of_class is not None:
            text += f"({self.of_class})"
        if self.baseline is not None:
            text += f" - {self.baseline}"
        if self.bound == "value":
            return text
        return f"({text}).{self.bound}" if self.baseline is not None else f"{text}.{self.bound}"


@dataclass(frozen=True)
class Gate(FromText):
    """A condition on one number of the results."""

    quantity: Quantity
    operator: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a gate in the form that the head of this module describes.

        Raises:
            ValueError: `text` has another form; says which is expected.
        """
        gate = _GATE.fullmatch(text) if len(text) <= _LONGEST else None
        refuse_reversed(text[:_LONGEST])
        try:
            number = float(gate["number"]) if gate else 0.0
        except ValueError:
            gate = None
        if gate is None or not math.isfinite(number):
            raise ValueError(
                f"expected 'split.metric >= number', such as 'test.f1.low >= 0.8', received {shortened(text)!r}"
            )
        return cls(_quantity(gate["quantity"]), gate["operator"], number)

    def __str__(self) -> str:
        return f"{self.quantity} {self.operator} {in_full(self.number)}"

    @property
    def of_folds(self) -> bool:
        """Whether it is a condition on the means of a cross-validation, and not on a run."""
        return self.quantity.split == FOLDS

    @property
    def of_seeds(self) -> bool:
        """Whether it is a condition on the spread of several seeds, which one run does not have."""
        return not self.of_folds and self.quantity.bound in _BOUNDS_OF_SEEDS

    @property
    def of_run(self) -> bool:
        """Whether one run can answer it."""
        return not self.of_folds and not self.of_seeds


def output_of(name: str, outputs: Iterable[str]) -> tuple[str, str | None]:
    """Return the target and perhaps the class that a gate names: `kind`, or `kind=adelie`. Both may hold a `=`: of
    several targets that begin the name it is the longest."""
    if name in outputs:
        return name, None
    target = max((each for each in outputs if name.startswith(f"{each}=")), key=len, default=None)
    return (name, None) if target is None else (target, name.removeprefix(f"{target}="))


def _quantity(text: str) -> Quantity:
    match = next(filter(None, (form.fullmatch(text) for form in _QUANTITIES)), None)
    if match is None:
        raise ValueError(
            f"unknown quantity {text!r}; expected e.g. test.f1, test.f1.low, test[sex=f].f1, test.recall(yes), "
            "test.f1 - majority or (test.f1 - majority).low"
        )
    parts: dict[str, str | None] = match.groupdict()
    split, metric, bound = str(parts["split"]), str(parts["metric"]), parts.get("bound")
    of_slice, of_class, baseline = parts["slice"], parts.get("class"), parts.get("baseline")
    if split not in _SPLITS:
        hint = suggest(split, _SPLITS) or f" (known: {', '.join(_SPLITS)})"
        raise ValueError(f"unknown split {split!r}{hint}")
    known = _BOUNDS_OF_FOLDS if split == FOLDS else (*_BOUNDS, *_BOUNDS_OF_SEEDS)
    if bound is not None and bound not in known:
        if split == FOLDS:
            raise ValueError(f"folds have no {bound!r}: expected .{', .'.join(known)}")
        raise ValueError(
            f"unknown end of an interval {bound!r}; expected .low or .high (or .value), or of several seeds .std, .min "
            "or .max"
        )
    if split == FOLDS and of_slice is not None:
        raise ValueError(f"{text!r}: folds have only the means of whole test splits: remove the slice")
    if of_slice is not None and baseline is not None:
        raise ValueError(f"{text!r}: the baselines are measured on the whole split: remove [{of_slice}]")
    return Quantity(split, metric, of_slice, of_class, baseline, cast(Bound, bound or known[0]))
