"""What becomes of gates: each is judged by the numbers in the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mltrain.evaluation.catalogue import canonical_name
from mltrain.expression import OPERATORS
from mltrain.gates.gate import FOLDS, Gate, Quantity, output_of
from mltrain.run.results import Judgement
from mltrain.run.split_result import ClassResult, OutputResult, SplitResult
from mltrain.task import of_target


class Measured(Protocol):
    """Results on some rows: those of a split, or of the test rows of all folds."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Values with the bounds as attributes, by name of the metric."""

    @property
    def baselines(self) -> Mapping[str, Any]:
        """What is known of each baseline, by name, with `difference` as `metrics`."""


class NoValueError(Exception):
    """The results do not have the value that a gate needs; the message says why."""


def judge(gates: Sequence[Gate], splits: Mapping[str, SplitResult]) -> tuple[Judgement, ...]:
    """Return what becomes of each gate on one run, in their order; the others are judged by the next two."""
    return tuple(_judged(gate, splits) for gate in gates if gate.of_run)


def judge_seeds(gates: Sequence[Gate], splits: Mapping[str, SplitResult]) -> tuple[Judgement, ...]:
    """Return what becomes of each gate that is not on folds, in their order; `splits` are means over the seeds."""
    return tuple(_judged(gate, splits) for gate in gates if not gate.of_folds)


def judge_folds(gates: Sequence[Gate], results: Measured) -> tuple[Judgement, ...]:
    """Return what becomes of each gate of folds, in their order; `results` is what is in folds.json."""
    return tuple(_judged(gate, {FOLDS: results}) for gate in gates if gate.of_folds)


def _judged(gate: Gate, splits: Mapping[str, Measured]) -> Judgement:
    """Return whether the results pass; a gate without a value is missed, with the reason."""
    try:
        value = _value(gate.quantity, splits)
    except NoValueError as reason:
        return Judgement(gate=str(gate), value=None, passed=False, reason=str(reason))
    return Judgement(gate=str(gate), value=value, passed=OPERATORS[gate.operator](value, gate.number), reason="")


def _value(quantity: Quantity, splits: Mapping[str, Measured]) -> float:
    """Return the number in the results; raise NoValueError where they do not have it."""
    values, where = _values(quantity, _found(splits, quantity.split, "split"))
    metric = quantity.metric if quantity.metric in values else canonical_name(quantity.metric)
    found = _found(values, metric, f"metric of {where}")
    number = getattr(found, quantity.bound)
    if number is None:
        no_interval = f"{metric} has no interval here" if quantity.bound in ("low", "high") else "it has no value"
        raise NoValueError(found.undefined or no_interval)
    return float(number)


def _values(quantity: Quantity, part: Measured) -> tuple[Mapping[str, Any], str]:
    """Return the values among which the metric is, by name, and what they are called."""
    split = quantity.split
    whole = of_target(quantity.metric, quantity.of_class or "")
    if whole in part.metrics and quantity.baseline is quantity.slice is None:  # of targets of different kinds
        return {quantity.metric: part.metrics[whole]}, split
    if isinstance(part, SplitResult) and part.of_kinds and quantity.of_class is not None:
        return _values_of_output(quantity, part)
    if quantity.baseline is not None:
        found = _found(part.baselines, quantity.baseline, f"baseline of {split}")
        return found.difference, f"{split} - {quantity.baseline}"
    if quantity.slice is not None:
        slices = {each.slice: each for each in part.slices} if isinstance(part, SplitResult) else {}
        return _found(slices, quantity.slice, f"slice of {split}").metrics, f"{split}[{quantity.slice}]"
    if quantity.of_class is not None and isinstance(part, SplitResult):
        parts: Mapping[str, ClassResult | OutputResult] = part.outputs or part.classes
        what = "target" if part.outputs else "class"
        return _found(parts, quantity.of_class, f"{what} in the results of {split}").metrics, split
    return part.metrics, split


def _values_of_output(quantity: Quantity, part: SplitResult) -> tuple[Mapping[str, Any], str]:
    """Return the values of one of several targets of different kinds, or of one of its classes."""
    name, of_class = output_of(str(quantity.of_class), part.outputs)
    output = _found(part.outputs, name, f"target in the results of {quantity.split}")
    if not output.n:
        raise NoValueError(f"no {quantity.split} row has a value of '{name}'")
    where = f"{quantity.split} of '{name}'"
    if quantity.baseline is not None:
        return _found(output.baselines, quantity.baseline, f"baseline of {where}").difference, where
    if quantity.slice is not None:
        slices = {each.slice: each for each in output.slices}
        return _found(slices, quantity.slice, f"slice of {where}").metrics, where
    if of_class is not None:
        return _found(output.classes, of_class, f"class of {where}").metrics, where
    return output.metrics, where


def _found(values: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in values:
        there = f"there are: {', '.join(values)}" if values else "there is none"
        raise NoValueError(f"there is no {what} {name!r} ({there})")
    return values[name]
