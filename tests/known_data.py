"""What a model knows of data with one input and one output, in one call."""

from __future__ import annotations

from mltrain.task import DataInfo, Input, Output


def known_data(task, shape=(2,), units=1, classes=(), *, rows=10, dtype="float32", columns=(), limits=None, targets=()):
    """Return it; see `Input` and `Output` for the arguments."""
    taken = Input("table" if columns else "x", shape, dtype, tuple(columns), limits)
    return DataInfo((taken,), (Output("y", task, units, tuple(classes), tuple(targets)),), rows)
