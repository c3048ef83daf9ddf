"""How large the run of a training will be on the disk, and how much memory its process will take. Imports TensorFlow.

What follows from the experiment is computed: arrays have their sizes, and a state is all variables. What hardly depends
on it, the report and its pictures, is as large as in the runs of the shipped configs.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from mltrain.experiment.measured import measured
from mltrain.experiment.output_rules import known_outputs
from mltrain.experiment.target_scale import scales_target
from mltrain.procedures.setup import Setup
from mltrain.task import split_target
from mltrain.training.model_checkpoint import ModelCheckpoint
from mltrain.training.spec import Cadence
from mltrain.training.state import state_variables
from mltrain.training.stochastic_weight_averaging import StochasticWeightAveraging

KIB = 1024
# One array of an .npz: its header, and its entry in the archive, twice.
_ARRAY = 250
# model.keras without its numbers: Keras' description, and a group of HDF5 for each column and each layer.
_ARCHIVE, _ARCHIVE_COLUMN, _ARCHIVE_LAYER = 28 * KIB, 2_600, 3 * KIB
# The report, its pictures, metrics.json and the other texts: without any metric, for each that has a curve, and for
# each class in the confusion matrix.
_PAGES, _PAGES_CURVE, _PAGES_CLASS, _MOST_CLASSES = 160 * KIB, 46 * KIB, 9 * KIB, 10
# A number in history.csv, which each state holds, too.
_NUMBER = 18
# Places on the disk of the number of a row in a split, and of its number, target and prediction.
_ROW = 8

# What the end of a run imports and draws.
_MEMORY_AT_THE_END = 100 << 20
# A linear baseline computes with the training rows in float64.
_FLOAT64 = 2


def bytes_of(variables: Iterable[Any]) -> int:
    """Return what the numbers of some variables take."""
    return sum(math.prod(each.shape) * tf.as_dtype(each.dtype).size for each in variables)


def disk_of_run(setup: Setup, seconds_of_training: float) -> int:
    """Return about how many bytes the run directory has, if all epochs are trained.

    Args:
        setup: with the network.
        seconds_of_training: how long all epochs take.
    """
    network, training, prepared = setup.network, setup.spec.training, setup.prepared
    state, weights = state_variables(network.model).values(), network.model.weights
    of_state = bytes_of(state) + _ARRAY * len(state)
    of_weights = bytes_of(weights) + _ARRAY * len(weights)
    columns = _measured(setup)
    history = network.epochs * _NUMBER * (len(columns) + 3)
    written = _states_written(setup, seconds_of_training)
    states = min(training.checkpoint.keep, 1 + written)
    others = 1 + min(training.checkpoint.keep, written)  # the last weights, and the best that each state refers to
    others += sum(isinstance(each, StochasticWeightAveraging) for each in training.callbacks)
    others += sum(_kept(each, network.epochs) for each in training.callbacks if isinstance(each, ModelCheckpoint))
    checkpoints = states * (of_state + history) + others * of_weights

    preprocessing = len(json.dumps(prepared.preprocessing.to_json()))
    reference = len(json.dumps(prepared.reference.model_dump(mode="json"), indent=1))
    raw_columns = len(prepared.preprocessing.columns)
    layers = len(network.architecture.layers)
    archive = of_state + _ARCHIVE + _ARCHIVE_COLUMN * raw_columns + _ARCHIVE_LAYER * layers + preprocessing // 2
    curves = curves_of(setup)
    classes = min(len(network.info.output.classes), _MOST_CLASSES) if network.info.task == "multiclass" else 0
    pages = _PAGES + _PAGES_CURVE * curves + _PAGES_CLASS * classes
    return checkpoints + history + preprocessing + reference + archive + pages + _rows_on_disk(setup)


def memory_of_training(setup: Setup, seconds_of_training: float) -> int:
    """Return about how many bytes the process of a training holds at most: what this one has held, which has done the
    same up to the first steps, and what comes with the end of a run."""
    network, examples = setup.network, setup.prepared.examples
    of_state, of_weights = bytes_of(state_variables(network.model).values()), bytes_of(network.model.weights)
    # A state is copied, packed, and written; a model is, too.
    writing = 3 * of_state + of_weights
    table = max((array.nbytes for array in examples["train"].inputs.values() if array.ndim == 2), default=0)
    rows = sum(len(each.rows) for each in examples.values())
    predictions = rows * network.info.output.units * (4 + 2 * 8)
    return peak_memory() + _MEMORY_AT_THE_END + max(writing, _FLOAT64 * table + predictions)


def peak_memory() -> int:
    """Return the most that this process has held in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB


def held_memory() -> int:
    """Return what this process holds in memory."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()
    except OSError:
        return peak_memory()


def device_memory(kind: str) -> int | None:
    """Return the most that was used on a GPU; None on a CPU."""
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"]) if kind == "gpu" else None


def bytes_of_examples(setup: Setup) -> int:
    """Return what the encoded rows of all splits take."""
    arrays = [array for each in setup.prepared.examples.values() for array in each.inputs.values()]
    return sum(array.nbytes for array in arrays)


def curves_of(setup: Setup) -> int:
    """Return how many curves a run has in its report: the loss, and each metric that is measured after an epoch."""
    return len({column.partition(".")[2] for column in _measured(setup) if split_target(column)[1] is None})


def _measured(setup: Setup) -> dict[str, str | None]:
    spec, info = setup.spec, setup.network.info
    splits, scaled = set(setup.prepared.examples), scales_target(spec, info.task)
    return measured(spec.training, spec.evaluation, info.task, splits, scaled, known_outputs(info))


def _states_written(setup: Setup, seconds: float) -> int:
    """Return how many states are written after the first, the last one of them at the end."""
    cadence, epochs = Cadence.parse(setup.spec.training.checkpoint.every), setup.network.epochs
    if cadence.epochs is not None:
        return max(1, epochs // cadence.epochs)
    if cadence.steps is not None:
        return max(1, setup.network.updates // cadence.steps)
    return 1 + int(seconds / (cadence.seconds or math.inf))


def _kept(callback: ModelCheckpoint, epochs: int) -> int:
    if callback.every is not None:
        return epochs // callback.every
    return min(callback.top or len(callback.keep), epochs)


def _rows_on_disk(setup: Setup) -> int:
    """Return what splits and predictions take: predictions of the training rows only where there are no others."""
    found = 0
    for name, examples in setup.prepared.examples.items():
        found += _ROW * len(examples.rows)
        if name != "train" or len(setup.prepared.examples) == 1:
            more = sum(_ROW for each in (examples.groups, examples.weights) if each is not None)
            more += 6 * _ROW if examples.forecasts is not None else 0
            width = np.prod(examples.truth.shape[1:], dtype=int) * _ROW
            found += len(examples.rows) * int(_ROW + more + width + 4 * setup.network.info.output.units)
    return found
