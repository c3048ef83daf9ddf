"""Each of several outputs of different kinds, with examples as if it were the only one. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.outputs.each_output import EachOutput, each_output, known_truth, values_of
from mltrain.task import Output, SplitName


@dataclass(frozen=True)
class OutputApart(EachOutput):
    """One of several outputs, with its examples.

    Attributes:
        examples: the rows that have its target.
    """

    examples: Examples


def apart(output: Output, examples: Examples, values: np.ndarray) -> Iterator[OutputApart]:
    """Yield each of several outputs, with the predictions `values` (rows, units) for it."""
    for each in each_output(output, examples.truth, values):
        found = examples_of(examples, each.output, each.number)
        yield OutputApart(each.output, each.number, each.rows, each.truth, each.values, found)


def examples_of(examples: Examples, part: Output, number: int) -> Examples:
    """Return the rows that have one of several targets, as if it were the only one."""
    truth, y = examples.truth[:, number], examples.y[:, number]
    rows = np.flatnonzero(~np.isnan(truth))
    whole = len(rows) == len(truth)
    return replace(
        examples,
        rows=examples.rows[rows],
        # A copy of all inputs only where rows lack the target.
        inputs=examples.inputs if whole else {name: x[rows] for name, x in examples.inputs.items()},
        targets={part.name: y[rows].astype(np.int32) if part.task == "multiclass" else y[rows]},
        truths={part.name: known_truth(part, truth[rows])},
        groups=None if examples.groups is None else examples.groups[rows],
    )


def values_apart(
    prepared: Prepared, predictions: Mapping[SplitName, np.ndarray], number: int
) -> dict[SplitName, np.ndarray]:
    """Return the predictions for one of several targets, of the rows that have it, from those for all (rows, units)."""
    part, place = prepared.info.output.placed[number]
    there = {name: ~np.isnan(each.truth[:, number]) for name, each in prepared.examples.items()}
    return {name: values_of(part, place, predictions[name][rows]) for name, rows in there.items()}


def prepared_of(prepared: Prepared, number: int) -> Prepared:
    """Return prepared data as if one of several targets were the only one."""
    info = prepared.info.of_parts[number]
    examples: Mapping[SplitName, Examples] = {
        name: examples_of(each, info.output, number) for name, each in prepared.examples.items()
    }
    target = prepared.preprocessing.target.parts[number]
    preprocessing = prepared.preprocessing.model_copy(update={"target": target})
    return replace(
        prepared,
        info=info,
        examples={name: each for name, each in examples.items() if len(each.rows)},
        preprocessing=preprocessing,
        weights=None,
    )
