"""Comparisons in the YAML, as `validation.accuracy >= 0.98`: read here, never evaluated as code."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from mltrain.problems import shortened
from mltrain.wording import in_full

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(
    r"\s*(?P<metric>[A-Za-z_][\w.]*(\(.+\))?)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*"
)
_REVERSED = re.compile(r"(=>|=<)\s*[-+]?[\d.]+([eE][-+]?\d+)?$")


def refuse_reversed(text: str) -> None:
    """Refuse a comparison that ends in `=> number` or `=< number`.

    Raises:
        ValueError: says which sign to write.
    """
    found = _REVERSED.search(text.strip())
    if found is not None:
        sign = found[1]
        raise ValueError(f"'{sign}' is not a comparison: write {sign[::-1]}, received {shortened(text)!r}")


@dataclass(frozen=True)
class Comparison:
    """One measured quantity against one number.

    Attributes:
        metric: `split.metric`, as `validation.accuracy`.
        operator: one of `>=`, `<=`, `>`, `<`.
        number: what it is compared with.
    """

    metric: str
    operator: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Comparison:
        """Read `split.metric >= number`.

        Raises:
            ValueError: `text` has another form.
        """
        refuse_reversed(text)
        match = _FORM.fullmatch(text)
        try:
            number = float(match["number"]) if match else float("nan")
        except ValueError:
            match = None
        if match is None or not math.isfinite(number):
            raise ValueError(
                f"expected 'split.metric >= number', such as 'validation.accuracy >= 0.98', received {text!r}"
            )
        return cls(canonical_metric(match["metric"]), match["operator"], number)

    def holds(self, value: float) -> bool:
        """Return whether `value` fulfils the comparison; NaN never does."""
        return OPERATORS[self.operator](value, self.number)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {in_full(self.number)}"


def canonical_metric(name: str) -> str:
    """Return `split.metric` for any accepted spelling: Keras' `val_loss` is `validation.loss`, `loss` is
    `train.loss`."""
    if "." in name.partition("(")[0]:
        return name
    if name.startswith("val_"):
        return f"validation.{name.removeprefix('val_')}"
    return f"train.{name}"


def _metric_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)?(\(.+\))?", text):
        raise ValueError("expected 'split.metric', such as 'validation.loss', or of a target 'validation.mae(price)'")
    return canonical_metric(text)


# The name of a measured quantity in the YAML: it becomes `split.metric`, however it is spelled.
MetricName = Annotated[str, AfterValidator(_metric_name)]
