"""Which device a process uses, and why. Imports TensorFlow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from mltrain.errors import DeviceError, PluginError
from mltrain.run.record import processor
from mltrain.training.device_names import PlaceOnMachine, single_devices
from mltrain.wording import counted

_KEY = ("device",)


@dataclass(frozen=True)
class DeviceChoice:
    """The device of a process.

    Attributes:
        kind: "cpu" or "gpu".
        name: of the hardware.
        reason: why it was chosen.
        intra_op_threads: within one operation; 0 is TensorFlow's own choice, the number of cores.
        inter_op_threads: operations at the same time; 0 likewise.
        computes_bfloat16: whether it has instructions for products of bfloat16.
        place: which of its kind, as `gpu:1`; the kind alone where there is one.
        devices: how many a training uses, with a worker for each.
    """

    kind: str
    name: str
    reason: str
    intra_op_threads: int
    inter_op_threads: int
    computes_bfloat16: bool
    place: str
    devices: int = 1

    @property
    def words(self) -> str:
        """Which it is, and what hardware."""
        return f"{self.place} ({self.name})"


@contextmanager
def _before_first_operation(key: str) -> Iterator[None]:
    """Say what is wrong where TensorFlow refuses a setting because it has computed something already."""
    try:
        yield
    except RuntimeError as error:
        message = f"TensorFlow has computed something already, so '{key}' cannot be set any more"
        raise PluginError(f"{message}: a plugin must not compute when it is read, only when it is called") from error


def gpus_of_machine() -> list[Any]:
    """Return every GPU that TensorFlow sees.

    Raises:
        DeviceError: there is none.
    """
    found = tf.config.list_physical_devices("GPU")
    if not found:
        raise DeviceError(f"no GPU found ({_why_no_gpu()}). Set device to auto or cpu", _KEY)
    return found


def gpus_for(asked: str | tuple[str, ...]) -> list[Any]:
    """Return the GPUs from which a training takes its devices; none where it uses the CPU.

    Raises:
        DeviceError: there is no such GPU: training on the CPU instead would be ten times slower in silence.
    """
    named = single_devices(asked)
    if asked == "auto":
        return tf.config.list_physical_devices("GPU")
    if asked == "cpu" or any(each.startswith("cpu") for each in named):
        return []
    found = gpus_of_machine()
    missing = [each for each in named if _number(each) >= len(found)]
    if missing:
        there = "1 GPU (gpu:0)" if len(found) == 1 else f"{len(found)} GPUs (gpu:0 to gpu:{len(found) - 1})"
        message = f"there is no {missing[0]}: this machine has {there}; name one of those, or use all, auto or cpu"
        raise DeviceError(f"{message} (`--set device=all`)", _KEY)
    return [found[_number(each)] for each in named] or found


def choose_device(
    asked: str | tuple[str, ...], threads: int | Literal["auto"] = "auto", worker: PlaceOnMachine | None = None
) -> DeviceChoice:
    """Return the device for what `device` in the YAML says, and make it the only one that TensorFlow sees.

    The workers of a machine take one after another of the devices. A process alone takes the first, and does not ask
    whether the others are there.

    Args:
        asked: the device, or several.
        threads: within one operation; auto leaves it to TensorFlow, which takes as many as there are cores.
        worker: which one of the machine this process is; None where it computes alone.

    Raises:
        DeviceError: there is no such GPU, or the machine has fewer workers than devices are asked for.
    """
    if threads not in ("auto", tf.config.threading.get_intra_op_parallelism_threads()):
        with _before_first_operation("threads"):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    used = (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
    )
    gpus, named = tf.config.list_physical_devices("GPU"), single_devices(asked)
    usable = gpus_for(asked if worker is not None or not named else named[0])
    devices = len(usable) if asked == "all" else max(1, len(named))
    _refuse_idle(devices, worker)
    number = 0 if worker is None else worker.number
    if not usable:
        if gpus:
            with _before_first_operation("device"):
                tf.config.set_visible_devices([], "GPU")
        place = named[number % len(named)] if named and worker is not None else "cpu"
        reason = f"no GPU: {_why_no_gpu()}" if asked == "auto" else _reason(devices, worker, of_cpu=True)
        return DeviceChoice("cpu", processor(), reason, *used, _cpu_computes_bfloat16(), place, devices)
    gpu = usable[number % len(usable)]
    tf.config.set_visible_devices(gpu, "GPU")
    if worker is not None and worker.of > len(usable):
        # TensorFlow takes all memory of a GPU at once: the next worker on it would find none.
        tf.config.experimental.set_memory_growth(gpu, True)
    name, capability = _details(gpu)
    place = f"gpu:{gpus.index(gpu)}" if named or len(gpus) > 1 else "gpu"
    reason = _reason_of_auto(len(gpus), worker) if asked == "auto" else _reason(devices, worker)
    return DeviceChoice("gpu", name, reason, *used, capability >= (8, 0), place, devices)


def gpus_in_words() -> list[str]:
    """Return every GPU as `device` names it, with its hardware."""
    found = tf.config.list_physical_devices("GPU")
    return [f"gpu:{number} ({_details(each)[0]})" for number, each in enumerate(found)]


def _details(gpu: Any) -> tuple[str, tuple[int, int]]:
    """Return the name of the hardware of a GPU, and what NVIDIA calls its compute capability."""
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("device_name", gpu.name), details.get("compute_capability", (0, 0))


def _refuse_idle(devices: int, worker: PlaceOnMachine | None) -> None:
    """Refuse to leave devices unused that are asked for.

    Raises:
        DeviceError: the machine has fewer workers than that.
    """
    if worker is not None and worker.of < devices:
        raise DeviceError(
            f"{devices} devices are asked for, and this machine has {counted(worker.of, 'worker')}: start one for each "
            f"device (SLURM: --ntasks-per-node={devices}), or use auto, with which each worker takes one",
            _KEY,
        )


def _reason(devices: int, worker: PlaceOnMachine | None, *, of_cpu: bool = False) -> str:
    if devices == 1:
        return "asked for"
    if of_cpu and worker is None:
        return f"all of it; a training has a worker for each of the {devices} parts that are asked for"
    others = "a training has a worker for each" if worker is None else "each has a worker of its own"
    return f"{'the first' if worker is None else 'one'} of {devices} that are asked for; {others}"


def _reason_of_auto(gpus: int, worker: PlaceOnMachine | None) -> str:
    if gpus == 1:
        return "the GPU"
    if worker is None or worker.of == 1:
        return f"the first of {gpus} GPUs"
    return f"one of {gpus} GPUs, which the {worker.of} workers of this machine take one after another"


def _number(device: str) -> int:
    return int(device.partition(":")[2])


def _cpu_computes_bfloat16() -> bool:
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        return bool(re.search(r"\b(avx512_bf16|amx_bf16)\b", flags))
    return False


def _why_no_gpu() -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES", None) in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides all"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if not Path("/dev/nvidiactl").exists():
        return "the machine has no NVIDIA driver"
    return "TensorFlow finds none; its CUDA libraries come with: python -m pip install '.[gpu]'"
