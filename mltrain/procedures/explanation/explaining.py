"""What the predictions for a split depend on: its columns, or the pixels of its worst images. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preprocessing import Preprocessing
from mltrain.evaluation.split_results import draw_seed
from mltrain.outputs import KINDS
from mltrain.procedures.explanation.importance import measure_importance
from mltrain.procedures.explanation.saliency import saliency
from mltrain.procedures.network import Network
from mltrain.procedures.worst_examples import are_images, pictures_of
from mltrain.report.worst import EXAMPLES, worst
from mltrain.run.decision import DecisionRule
from mltrain.run.explanation import Explanation, Saliency
from mltrain.task import DataInfo, Task, the_only


def unexplained(task: Task, predictions: np.ndarray) -> str | None:
    """Return why `explain_split` cannot explain the predictions for a split; None where it can."""
    if KINDS[task].mixed:
        return "cannot explain the predictions: the targets are of different kinds, and an explanation is of one"
    if not np.isfinite(predictions).all():
        return "cannot explain the predictions: one of them is NaN or infinite"
    return None


def _has_maps(info: DataInfo, inputs: Mapping[str, np.ndarray]) -> bool:
    """Return whether pixels are looked at: the only input is an image of few pixels, and there is one score. Else the
    importance of each column is measured, and that of a text, an image or an array as one."""
    return len(inputs) == 1 and are_images(the_only(inputs)) and not KINDS[info.task].several


@dataclass(frozen=True)
class Explained:
    """The predictions that are explained."""

    split: str
    examples: Examples
    predictions: np.ndarray


def explain_split(
    network: Network,
    preprocessing: Preprocessing,
    rule: DecisionRule,
    explained: Explained,
    epoch: int,
    between: Callable[[], None] = lambda: None,
) -> Explanation:
    """Return what the predictions for a split depend on, where `unexplained` returns None.

    Args:
        network: with the weights of the model of the run.
        preprocessing: of the run.
        rule: how probabilities become decisions.
        explained: the predictions, with their rows.
        epoch: whose weights the network has.
        between: called between two parts of the work; it may raise, to stop.
    """
    split, examples, predictions = explained.split, explained.examples, explained.predictions
    if not _has_maps(network.info, examples.inputs):
        found = measure_importance(network, preprocessing, rule, split, examples, between)
        return Explanation(split=split, epoch=epoch, importance=found)
    places = worst(examples.truth, predictions, EXAMPLES)
    images, task = examples.x[places], network.info.task
    kind = KINDS[task]
    classes = np.zeros(len(places)) if kind.of_numbers else kind.decide(predictions[places], rule.threshold)
    maps = saliency(network, images, classes, draw_seed(network.spec.seed, f"saliency {split}"))
    # An image at a time: each has its own darkest and lightest pixel.
    pictures = [pictures_of(each[None])[0] for each in maps]
    shown = zip(examples.rows[places].tolist(), pictures, strict=True)
    found_maps = tuple(Saliency(row=row, picture=picture) for row, picture in shown)
    return Explanation(split=split, epoch=epoch, saliency=found_maps)
