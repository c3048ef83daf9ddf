"""The kinds of outputs: what can be learned, and what follows from it. One file each; no TensorFlow, no NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mltrain.outputs.binary import Binary
from mltrain.outputs.count import Count
from mltrain.outputs.kind import NumberKind, OutputKind
from mltrain.outputs.labels import Labels
from mltrain.outputs.mixed import Mixed
from mltrain.outputs.multiclass import Multiclass
from mltrain.outputs.numbers import Numbers
from mltrain.outputs.regression import Regression
from mltrain.task import Task

_ALL: tuple[OutputKind, ...] = (Binary(), Multiclass(), Regression(), Count(), Labels(), Numbers(), Mixed())

KINDS: Mapping[Task, OutputKind] = MappingProxyType({kind.name: kind for kind in _ALL})


def number_kind(task: Task) -> NumberKind | None:
    """Return the kind of a task whose targets, each by itself, are numbers; None for classes and labels."""
    kind = KINDS[KINDS[task].each]
    return kind if isinstance(kind, NumberKind) else None
