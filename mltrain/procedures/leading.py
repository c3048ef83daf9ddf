"""The first of several workers: what it says to the others. Imports TensorFlow.

It decides everything: stages, epochs, how many steps a call runs, the learning rate, and the end. The others compute
their part of each step, and have the same variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from mltrain.config.load import Loaded
from mltrain.config.resolved import resolved_yaml
from mltrain.errors import MisfitError, WorkersDifferError
from mltrain.problems import KeyPath, path_text
from mltrain.procedures.devices_of_workers import DeviceOfWorker
from mltrain.procedures.run_context import RunContext
from mltrain.procedures.setup import Setup
from mltrain.run.record import Record
from mltrain.training.leading import ALONE, Leading, SharedCalls
from mltrain.training.loss_scaling import inner_optimizer
from mltrain.training.sharing import Sharing
from mltrain.training.state import random_state, take_state
from mltrain.wording import listed_shortly
from mltrain.workers.cluster import Cluster
from mltrain.workers.team import Team
from mltrain.workers.words import Words

BEGIN, READY, STAGE, EPOCH, STEPS = "begin", "ready", "stage", "epoch", "steps"


class LeadingTeam(Leading):
    """Leads the other workers.

    Args:
        team: of which this worker is the first.
    """

    def __init__(self, team: Team) -> None:
        self._team = team
        sharing = Sharing(team.rank, team.count, team.sum)
        self.sharing, self.calls = sharing, SharedCalls(sharing, self._steps_begin)
        self._model: keras.Model | None = None

    def stage(self, number: int, model: keras.Model) -> None:
        """Give the others the stage of the training, counted from 0, and every variable of the model in it."""
        self._model = model
        self._team.say(Words(STAGE, {"stage": number}, take_state(model)))

    def epoch(self, number: int) -> None:
        """Tell the others which epoch the next steps belong to."""
        drawn = {} if self._model is None else random_state(self._model)
        self._team.say(Words(EPOCH, {"epoch": number}, {place: each.numpy() for place, each in drawn.items()}))

    def _steps_begin(self, step: int, count: int) -> None:
        self._team.say(Words(STEPS, {"step": step, "number": count, "rate": rate_of(self._model)}))


def leading_of(team: Team | None) -> Leading:
    """Return how the other workers are led."""
    return ALONE if team is None else LeadingTeam(team)


def rate_of(model: keras.Model | None) -> float | None:
    """Return the learning rate of a model, which a callback may have changed; None where it follows a schedule."""
    if model is None:
        return None
    optimizer = inner_optimizer(model)
    return None if isinstance(optimizer._learning_rate, LearningRateSchedule) else float(optimizer.learning_rate)


def prepare_others(
    loaded: Loaded, setup: Setup, record: Record, context: RunContext, team: Team
) -> tuple[DeviceOfWorker, ...]:
    """Wait until the other workers have read the data and built the network, and refuse what differs.

    Returns:
        the device of each worker, by its number.

    Args:
        loaded: the experiment.
        setup: of this worker.
        record: of this process, with what is known of the setup.
        context: of the run.
        team: of the workers.

    Raises:
        MisfitError: the model cannot be trained by several workers.
        WorkersDifferError: a worker has other data, another config or other versions.
        WorkerError: a worker is lost.
    """
    model = setup.network.model
    if type(model).train_step is not keras.Model.train_step:
        message = f"it has a `train_step` of its own, which {team.count} workers cannot share: train it with one"
        raise MisfitError(("model",), message)
    settled = {"epochs": setup.epochs, "rate": setup.rate, "determinism": dict(record.determinism)}
    team.say(Words(BEGIN, {**settled, "config": resolved_yaml(loaded), "folder": str(context.run.path.absolute())}))
    own, devices = fingerprint(setup, record), [device_of(setup, team.cluster)]
    for rank in range(1, team.count):
        answer = team.listen(rank, context.raise_if_interrupted).values
        theirs = answer["fingerprint"]
        devices.append(DeviceOfWorker(**answer["device"]))
        differences = [name for name in {**own, **theirs} if own.get(name) != theirs.get(name)]
        if differences:
            shown = [
                f"{name} is {_short(own.get(name))} for worker 0 and {_short(theirs.get(name))} for worker {rank}"
                for name in differences
            ]
            raise WorkersDifferError(f"the workers differ: {listed_shortly(shown)}")
    return tuple(devices)


def readiness(setup: Setup, record: Record, cluster: Cluster) -> Words:
    """Return what a worker says to the first one once it could begin."""
    return Words(READY, {"fingerprint": fingerprint(setup, record), "device": asdict(device_of(setup, cluster))})


def device_of(setup: Setup, cluster: Cluster) -> DeviceOfWorker:
    """Return the device of this worker."""
    return DeviceOfWorker(setup.device.place, setup.device.name, cluster.host)


def fingerprint(setup: Setup, record: Record) -> dict[str, Any]:
    """Return what must be equal for all workers: versions, data, splits, and how the network is computed."""
    recorded = setup.recorded(record)
    return {
        **dict(_leaves(setup.spec.model_dump(mode="json"), ())),
        **{f"version of {name}": version for name, version in recorded.versions.items()},
        "rows of the data": None if recorded.data is None else recorded.data.rows,
        "data": None if recorded.data is None else recorded.data.sha256,
        "preprocessing": recorded.preprocessing,
        **{f"rows of {name}": rows.sha256 for name, rows in recorded.splits.items()},
        **{f"determinism.{name}": value for name, value in recorded.determinism.items()},
        "parameters": setup.network.model.count_params(),
    }


def _leaves(values: Any, path: KeyPath) -> Iterator[tuple[str, Any]]:
    """Yield every value of a config, by its key in the YAML."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(values, list) and values:
        for number, value in enumerate(values):
            yield from _leaves(value, (*path, number))
    else:
        yield path_text(path), values


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}…" if re.fullmatch("[0-9a-f]{64}", text) else text[:60]
