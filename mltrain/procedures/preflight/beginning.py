"""The loss before the first step, beside that of an answer that is always the same. Imports TensorFlow."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mltrain.outputs import KINDS
from mltrain.procedures.measurement import exact_values
from mltrain.procedures.preflight.rows import TrainingRows, form_of_targets, some_examples
from mltrain.procedures.setup import Setup
from mltrain.report.preflight import CheckLine, FirstLoss
from mltrain.report.text import number
from mltrain.training.metrics import default_loss
from mltrain.training.reference_outputs import constant_outputs

# As many rows are looked at, or those of one block of an evaluation where that has fewer.
_MOST_ROWS, _FEWEST_ROWS = 2_048, 256
# With usual first weights and scaled inputs the first loss is 1 to 1.5 times that of chance; inputs up to 16 make it 3
# times. A line that begins at 0 and is to learn numbers around 2 begins at 13 times, and learns them at once.
_FAR_FOR_CLASSES, _FAR_FOR_NUMBERS = 4.0, 30.0
_LARGE_INPUT = 20.0
# Of the first loss: less is not worth a word.
_MUCH_ADDED = 0.01


@dataclass(frozen=True)
class Beginning:
    """What the network says before its first step.

    Attributes:
        first: its loss, and that of chance.
        line: what is said of it.
        compiling: seconds of compiling an evaluation.
        seconds_per_row: of an evaluation with its exact metrics, once it is compiled.
    """

    first: FirstLoss
    line: CheckLine
    compiling: float
    seconds_per_row: float


def look_at_beginning(setup: Setup) -> Beginning:
    """Return what the network says of some training rows."""
    network, train = setup.network, setup.prepared.examples["train"]
    most = max(_FEWEST_ROWS, min(_MOST_ROWS, network.evaluation_block[0]))
    places = np.sort(np.random.default_rng(setup.spec.seed).permutation(len(train.rows))[:most])
    sample = some_examples(train, places)
    started = time.perf_counter()
    loop = network.evaluation(sample)
    logs, outputs = loop.run()
    compiled = time.perf_counter()
    loop.run()
    if np.isfinite(outputs).all():
        exact_values(network, sample, network.predictions(outputs))
    ended = time.perf_counter()

    rows = TrainingRows.of(setup, places)
    constant = constant_outputs(
        rows.targets, network.info, form_of_targets(setup), logits=network.head.logits, weights=rows.weights
    )
    loss, chance = rows.loss(setup, outputs), rows.loss(setup, constant)
    added = logs["loss"] - rows.loss(setup, outputs, weighted=False) if network.model.losses else 0.0
    first = FirstLoss(
        rows=len(places),
        loss=loss if math.isfinite(loss) else None,
        chance=chance if math.isfinite(chance) else None,
        added=max(0.0, added) if math.isfinite(added) else 0.0,
    )
    seconds = ended - compiled
    return Beginning(first, _line(setup, first, outputs), max(0.0, compiled - started - seconds), seconds / len(places))


def _line(setup: Setup, first: FirstLoss, outputs: np.ndarray) -> CheckLine:
    kind = KINDS[setup.network.info.task]
    answer = "the mean" if kind.of_numbers else "the shares of the classes"
    if kind.mixed:
        answer = "the means and the shares of the classes"
    seen = f"{number(first.loss)} before the first step; chance has {number(first.chance)} (always {answer})"
    if first.added > _MUCH_ADDED * abs(first.loss or 0):
        seen += f"; regularisation adds {number(first.added)}"
    if first.loss is None or first.chance is None:
        advice = (
            "A loss that is not finite cannot be learned from: look for very large numbers in the inputs (data.scale), "
            "and for a loss that does not fit the outputs (training.loss)"
        )
        return CheckLine(check="first loss", verdict="warning", seen=seen, advice=advice)
    if not _is_far(setup, first.loss, first.chance):
        return CheckLine(check="first loss", verdict="ok", seen=seen)
    if setup.spec.model.stated_weights():  # what they have learned is large for a head that knows nothing yet
        seen += "; the network begins with learned weights, and its head at random"
        return CheckLine(check="first loss", verdict="ok", seen=seen)
    advice = f"It begins far above chance: {'; '.join(_reasons(setup, outputs))}"
    return CheckLine(check="first loss", verdict="warning", seen=seen, advice=advice)


def _is_far(setup: Setup, loss: float, chance: float) -> bool:
    """Return whether the first loss is so much above chance that something is wrong with what goes in or comes out."""
    info, guess = setup.network.info, abs(chance)
    if KINDS[info.task].of_numbers:
        return loss - chance > (_FAR_FOR_NUMBERS - 1) * guess
    loss_type = "" if KINDS[info.task].mixed else (setup.spec.training.loss or default_loss(info.task)).type
    if "Crossentropy" in loss_type:
        # Where one class is rare, chance is near 0, and a network begins with all classes alike.
        guess = max(guess, math.log(max(len(info.output.classes), 2)))
    # Of targets of different kinds, one may be a number.
    far = _FAR_FOR_NUMBERS if KINDS[info.task].mixed else _FAR_FOR_CLASSES
    return loss - chance > (far - 1) * guess


def _reasons(setup: Setup, outputs: np.ndarray) -> Iterator[str]:
    inputs = setup.prepared.examples["train"].inputs
    largest = max(
        (float(np.abs(each).max()) for each in inputs.values() if each.dtype.kind == "f" and each.size), default=0.0
    )
    if largest > _LARGE_INPUT:
        yield f"the inputs are as large as {number(largest)} (set data.scale to standard, or add a Rescaling layer)"
    task = setup.network.info.task
    if KINDS[task].activation == "exponential":
        yield "the counts are far from 1, where an exponential head begins"
    elif KINDS[task].of_numbers:
        middle = float(np.median(outputs))
        yield f"the outputs begin around {number(middle)}, far from the target (set data.target.scale to standard)"
    if setup.network.head.logits:
        yield "the last layer gives large logits"
    yield "the first weights are large (kernel_initializer), or there is no normalization before the last layer"
