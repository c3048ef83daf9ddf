"""Which device a run uses, and why. Imports TensorFlow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tensorflow as tf

from mltrain.errors import DeviceError, PluginError
from mltrain.run.record import processor


@dataclass(frozen=True)
class DeviceChoice:
    """The device of a run.

    Attributes:
        kind: "cpu" or "gpu".
        name: of the hardware.
        reason: why it was chosen.
        intra_op_threads: within one operation; 0 is TensorFlow's own choice, the number of cores.
        inter_op_threads: operations at the same time; 0 likewise.
        computes_bfloat16: whether it has instructions for products of bfloat16.
    """

    kind: str
    name: str
    reason: str
    intra_op_threads: int
    inter_op_threads: int
    computes_bfloat16: bool


@contextmanager
def _before_first_operation(key: str) -> Iterator[None]:
    """Say what is wrong where TensorFlow refuses a setting because it has computed something already."""
    try:
        yield
    except RuntimeError as error:
        message = f"TensorFlow has computed something already, so '{key}' cannot be set any more"
        raise PluginError(f"{message}: a plugin must not compute when it is read, only when it is called") from error


def choose_device(asked: str, threads: int | Literal["auto"] = "auto") -> DeviceChoice:
    """Return the device for `asked` ("auto", "cpu", "gpu") and make it the only one that TensorFlow sees.

    Args:
        asked: the device.
        threads: within one operation; auto leaves it to TensorFlow, which takes as many as there are cores.

    Raises:
        DeviceError: a GPU was asked for and there is none: training on the CPU instead would be ten times slower in
            silence.
    """
    if threads not in ("auto", tf.config.threading.get_intra_op_parallelism_threads()):
        with _before_first_operation("threads"):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    graphics = tf.config.list_physical_devices("GPU")
    used = (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
    )
    if asked == "gpu" and not graphics:
        raise DeviceError(f"no GPU found ({_why_no_gpu()}). Set device to auto or cpu")
    if asked == "cpu" or not graphics:
        if graphics:
            with _before_first_operation("device"):
                tf.config.set_visible_devices([], "GPU")
        reason = "asked for" if asked == "cpu" else f"no GPU: {_why_no_gpu()}"
        return DeviceChoice("cpu", processor(), reason, *used, computes_bfloat16=_cpu_computes_bfloat16())
    tf.config.set_visible_devices(graphics[0], "GPU")
    details = tf.config.experimental.get_device_details(graphics[0])
    reason = "asked for" if asked == "gpu" else f"the first of {len(graphics)} GPUs" if len(graphics) > 1 else "the GPU"
    name, capability = details.get("device_name", graphics[0].name), details.get("compute_capability", (0, 0))
    return DeviceChoice("gpu", name, reason, *used, computes_bfloat16=capability >= (8, 0))


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
