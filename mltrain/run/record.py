"""How a run came about: `record.json`.

Everything that can make two runs of one config differ is here with its reason, and the times; nothing of it is in
`metrics.json`, which is equal for equal runs.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from mltrain.plugins import Origin
from mltrain.run.git import Git, git_state
from mltrain.run.status import now
from mltrain.spec import Many, Spec
from mltrain.task import Decision

_PACKAGES = ("mltrain", "tensorflow", "keras", "numpy", "pillow", "pyarrow", "scikit-learn")

# Variables that change results or the device. Never the whole environment: it holds people's secrets.
# KERAS_BACKEND is none of them, as mltrain sets it itself: the second run of a process would have another one.
_ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)


class Machine(Spec):
    """Where the run was made."""

    system: str
    """Operating system and its version."""
    processor: str
    """Model of the processor; the last digits of a result can depend on it."""
    cores: int
    """Logical cores that the process could use."""


class Device(Spec):
    """The device that computed."""

    value: str
    """The device, such as `cpu` or `gpu:0`."""
    reason: str
    """Why this one."""


class Data(Spec):
    """Which data it was."""

    source: str
    """The file, folder or generator of the rows."""
    rows: int
    """How many there were."""
    sha256: str
    """Fingerprint of the data."""


class VectorFiles(Spec):
    """The file of word vectors that a text began with."""

    source: str
    """The file."""
    sha256: str
    """Fingerprint of its bytes."""
    words_sha256: str | None = None
    """Fingerprint of the file of its words; null where they are in the same file."""


class WeightsOrigin(Spec):
    """Where first weights of a model, or of its backbone, are from."""

    source: str
    """The file, the run, or the name of Keras' file of weights of ImageNet."""
    sha256: str
    """Fingerprint of the bytes of the file, or of the weights of the run."""
    how: str
    """How layers were found there."""
    taken: Many[str]
    """The layers of the model that begin with them."""
    not_taken: Many[str] = ()
    """The layers there that the model does not have, or that do not fit."""
    random: Many[str] = ()
    """The layers of the model that begin at random."""


class SplitRows(Spec):
    """Which rows a split holds."""

    rows: int
    """How many."""
    sha256: str
    """Fingerprint of the row ids: int64, little endian, in their order."""


class Threads(Spec):
    """The number of threads of TensorFlow; 0 means that TensorFlow chose it."""

    intra_op: int
    """Within one operation; the number changes the last digits of convolutions."""
    inter_op: int
    """Operations at the same time."""


class Resumption(Spec):
    """One time that the run was resumed."""

    time: str
    """When, in UTC."""
    command: Many[str]
    """The command line."""
    step: int
    """The step from which it continued."""
    checkpoint: str | None
    """The checkpoint that was read; null if there was none and the training began at step 0."""
    inexact: Many[str] = ()
    """What differed from the run so far. If this is not empty, the run is not bit for bit the uninterrupted one."""
    changed: Many[str] = ()
    """Settings that were changed, and an end of the training that was passed. `reproduce` cannot repeat such a run."""


class OwnMetricRecord(Spec):
    """A metric of a plugin."""

    direction: Literal["min", "max"]
    """Whether smaller or larger is better."""
    origin: Origin
    """The file or package that defines its function."""


class OwnArgumentRecord(Spec):
    """An argument of a component of a plugin."""

    name: str
    """Its name."""
    type: str
    """What it may hold, in the words of `mltrain list`."""
    default: Any = None
    """Its default; null where it is required."""
    required: bool = False
    """Whether it has none."""
    doc: str = ""
    """One line on it."""


class OwnPartRecord(Spec):
    """A layer, loss, optimizer, schedule or model of a plugin."""

    kind: Literal["layer", "loss", "optimizer", "schedule", "model"]
    """What it is."""
    name: str
    """Its `type` in the config."""
    origin: Origin
    """The file or package that defines it."""
    doc: str = ""
    """One line on it."""
    arguments: Many[OwnArgumentRecord] = ()
    """Its arguments, so that the config can be read without the plugin."""
    takes: Many[str] = ()
    """The parameters that mltrain gives."""


class Record(Spec):
    """How a run was made."""

    format: Literal[1] = 1
    """The version of this file's form."""
    started: str
    """When, in UTC."""
    finished: str | None = None
    """When, in UTC; null while it runs, or if it was killed."""
    command: Many[str]
    """The command line."""
    working_directory: str
    """The working directory of the command."""
    versions: Mapping[str, str]
    """The versions of Python and of the packages that compute."""
    machine: Machine
    """Where the run was made."""
    git: Git | None
    """The state of the repository that holds the config; null outside of one."""
    environment: Mapping[str, str]
    """The environment variables that can change results and were set."""
    seeds: Mapping[str, int] = {}
    """Every seed, by its purpose."""
    device: Device | None = None
    """What computed; null before that was decided."""
    threads: Threads | None = None
    """The number of threads of TensorFlow; null before it started."""
    workers: Annotated[int, Field(ge=1)] = 1
    """The number of processes that trained together: another number changes the last digits."""
    devices: Many[str] = ()
    """The device of each of them, where there are several."""
    determinism: Mapping[str, bool | str] = {}
    """Switches that change the last digits: op determinism, XLA, precision."""
    epochs: int | None = None
    """The epochs that fit a budget in seconds; null without one."""
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The learning rate that a range test has found before the first step; null without one."""
    data: Data | None = None
    """Which data it was; null before it was read."""
    vectors: Mapping[str, VectorFiles] = {}
    """The word vectors that the training began with, by the name of the text."""
    first_weights: Mapping[str, WeightsOrigin] = {}
    """The weights that the training began with where they were not random, by the key of the config."""
    preprocessing: str | None = None
    """The sha256 of preprocessing.json; null before it was fitted."""
    decision: str | None = None
    """The sha256 of decision.json; null before it is written, and for runs without one."""
    own_metrics: Mapping[str, OwnMetricRecord] = {}
    """The metrics of plugins in `evaluation.metrics`, by name."""
    own_parts: Many[OwnPartRecord] = ()
    """The layers, losses, optimizers, schedules and models of plugins that the config names."""
    resumed: Many[Resumption] = ()
    """Each time that the run was resumed."""
    slices: Mapping[str, Many[float]] = {}
    """The edges of the bins of `evaluation.slices`, by column."""
    splits: Mapping[str, SplitRows] = {}
    """Which rows each split holds."""
    defaults: Literal[1, 2, 3] = 1
    """What values of the config mean that are not stated. 1, in runs of older versions: the target of a regression is
    not scaled, and the best epoch is that of `validation.loss` whatever EarlyStopping watches. Up to 2, weight decay is
    on all that is trained."""
    decisions: Many[Decision] = ()
    """The values that mltrain chose because the config does not state them, with the reason."""

    def with_values(self, **values: Any) -> Self:
        """Return this record with more of it known; the values are checked."""
        return type(self).model_validate({**dict(self), **values})


def start_record(command: Sequence[str], config_directory: Path) -> Record:
    """Return what is known when a run begins."""
    return Record(
        started=now(),
        command=tuple(map(readable, command)),
        working_directory=readable(str(Path.cwd())),
        versions={"python": platform.python_version(), **_versions()},
        machine=Machine(system=platform.platform(), processor=processor(), cores=_cores()),
        git=git_state(config_directory),
        defaults=3,
        environment={name: readable(os.environ[name]) for name in _ENVIRONMENT if name in os.environ},
    )


def changes_sentence(resumed: Sequence[Resumption]) -> str | None:
    """Return what differed when a run was resumed; None where every resumption was exact."""
    changes = dict.fromkeys(each for one in resumed for each in one.inexact)
    return f"resumed with changes: {'; '.join(changes)}" if changes else None


def row_fingerprint(rows: Any) -> SplitRows:
    """Return the fingerprint of a split's row ids, an integer array."""
    import hashlib

    import numpy as np

    return SplitRows(rows=len(rows), sha256=hashlib.sha256(np.asarray(rows, dtype="<i8").tobytes()).hexdigest())


def readable(text: str) -> str:
    """Return a text of the operating system, which need not be UTF-8, as one that JSON and every reader can hold."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    # The CPU build of TensorFlow is a package of another name on some platforms.
    if "tensorflow" not in versions:
        with suppress(metadata.PackageNotFoundError):
            versions["tensorflow"] = metadata.version("tensorflow-cpu")
    return versions


def processor() -> str:
    """Return the model of the processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
