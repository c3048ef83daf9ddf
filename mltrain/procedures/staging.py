"""The stages of a training: which layers each trains, with which optimizer, and whether what comes before them is
computed once. Imports TensorFlow."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from mltrain.data.memory import available_memory
from mltrain.models.calls import calls_of
from mltrain.models.trained_layers import Still, still_part, why_not_still
from mltrain.procedures.network import Network
from mltrain.run.architecture import RecordedStage
from mltrain.task import Decision
from mltrain.training.compilation import optimizer_of
from mltrain.training.kept_outputs import LowerPart
from mltrain.training.loss_scaling import scales_loss

# Of the memory that is free, kept outputs may take this share; of the disk too.
_SHARE = 0.4


@dataclass(frozen=True)
class PlannedStage:
    """A stage, as it will be trained.

    Attributes:
        words: which layers it trains, and how many weights they have.
        keeps: whether the outputs of the part before its layers are computed once.
        on_disk: whether they are kept in a file and not in memory.
        why: it keeps them, or not, in words; empty where there is no such part.
        recorded: what model.json has of it.
    """

    words: str
    keeps: bool
    on_disk: bool
    why: str
    recorded: RecordedStage


def put_stage(network: Network, number: int) -> None:
    """Give a network the layers that a stage trains, and its optimizer; nothing where the training has no stages.

    Args:
        network: built and compiled.
        number: of the stage, counted from 0.

    Raises:
        MisfitError: there are no such layers.
    """
    stages = network.spec.training.stages
    if not stages:
        return
    for each in network.trained_layers:
        each.choose(stages[number].train, ("training", "stages", number, "train"))
    model = network.model
    training = network.spec.training.of_stage(number)
    model.optimizer = optimizer_of(model, training, network.info, scales_loss(model))
    model.optimizer.build(model.trainable_variables)


def planned_stages(
    network: Network, rows: int, determinism: Mapping[str, bool | str], folder: Path | None
) -> tuple[PlannedStage, ...]:
    """Return how each stage will be trained; empty where there are none. The network is left in its first one.

    Args:
        network: built and compiled.
        rows: of training and validation.
        determinism: of the record where a run is resumed; empty for a new one.
        folder: of the run; None where there is none.

    Raises:
        MisfitError: a stage has no such layers.
    """
    found, free_disk = [], _free_disk(folder)
    for number in range(len(network.spec.training.stages)):
        put_stage(network, number)
        found.append(_planned(network, number, rows, determinism.get(kept_key(number)), free_disk))
    put_stage(network, 0)
    return tuple(found)


def _free_disk(folder: Path | None) -> int:
    return 0 if folder is None else shutil.disk_usage(folder).free


def kept_key(number: int) -> str:
    """Return the name under which the record keeps whether a stage keeps outputs."""
    return f"stage_{number + 1}_kept"


def stage_decisions(stages: Sequence[PlannedStage]) -> tuple[Decision, ...]:
    """Return what was decided, to be said and recorded."""
    return tuple(
        Decision(f"training.stages[{number}]", each.words, each.why or "stated") for number, each in enumerate(stages)
    )


def still_part_of(network: Network) -> tuple[Still | None, str]:
    """Return the part before all layers that are trained, or why it must be computed in each step; neither where there
    is no such part."""
    model = network.model
    if network.spec.has_members:
        return None, "each member of the model learns by itself"
    if network.spec.training.mix is not None:
        return None, "training.mix mixes the examples before it in each step"
    if type(model).train_step is not keras.Model.train_step:
        return None, "the model has a train_step of its own"
    if any(layer._losses for layer in model._flatten_layers()) or any(
        getattr(layer, "activity_regularizer", None) is not None for layer in model._flatten_layers()
    ):
        return None, "a layer adds a loss of its own"
    calls = calls_of(model)
    why_not = why_not_still(calls)
    return (None, why_not) if calls is None or why_not else (still_part(calls), "")


def lower_part_of(still: Still, network: Network) -> LowerPart:
    """Return the part before all layers that are trained, as it is run."""
    return LowerPart(still.lower, still.shapes, network.evaluation_block[0])


def _planned(network: Network, number: int, rows: int, before: bool | str | None, free_disk: int) -> PlannedStage:
    stage, model = network.spec.training.stages[number], network.model
    trained, total = sum(each.parameters for each in network.trained_layers), model.count_params()
    words = f"{stage.train}: {trained:,} of {total:,} weights"
    recorded = RecordedStage(train=str(stage.train), parameters=trained, epochs=stage.epochs)
    if stage.train.part == "all":
        return PlannedStage(words, False, False, "", recorded)
    still, why_not = still_part_of(network)
    if still is None:
        why = f"the layers before them are computed in each step: {why_not}" if why_not else ""
        return PlannedStage(words, False, False, why, recorded)
    size = lower_part_of(still, network).bytes_of(rows)
    free = available_memory()
    fits_memory, fits_disk = free is None or size <= _SHARE * free, size <= _SHARE * free_disk
    keeps = before if isinstance(before, bool) else fits_memory or fits_disk
    amount = f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
    if not keeps:
        why = f"the layers before them are computed in each step: their outputs would take {amount}, which is too much"
        return PlannedStage(words, False, False, why, recorded)
    where = "in memory" if fits_memory else "in a file of the run"
    why = f"the layers before them are computed once for all rows: {amount} {where}"
    return PlannedStage(words, True, not fits_memory, why, recorded)
