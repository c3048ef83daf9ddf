"""Which device a run uses, and why. Imports TensorFlow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from mltrain.errors import DeviceError
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
    """

    kind: str
    name: str
    reason: str
    intra_op_threads: int
    inter_op_threads: int


def choose_device(asked: str) -> DeviceChoice:
    """Return the device for `asked` ("auto", "cpu", "gpu") and make it the only one that TensorFlow sees.

    Raises:
        DeviceError: a GPU was asked for and there is none: training on the CPU instead would be ten times slower in
            silence.
    """
    graphics = tf.config.list_physical_devices("GPU")
    threads = (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
    )
    if asked == "gpu" and not graphics:
        raise DeviceError(f"device: gpu was asked for and there is none ({_why_no_gpu()}); say auto or cpu")
    if asked == "cpu" or not graphics:
        if graphics:
            tf.config.set_visible_devices([], "GPU")
        reason = "asked for" if asked == "cpu" else f"no GPU: {_why_no_gpu()}"
        return DeviceChoice("cpu", processor(), reason, *threads)
    tf.config.set_visible_devices(graphics[0], "GPU")
    details = tf.config.experimental.get_device_details(graphics[0])
    reason = "asked for" if asked == "gpu" else f"the first of {len(graphics)} GPUs" if len(graphics) > 1 else "the GPU"
    return DeviceChoice("gpu", details.get("device_name", graphics[0].name), reason, *threads)


def _why_no_gpu() -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES", None) in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides all"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if not Path("/dev/nvidiactl").exists():
        return "the machine has no NVIDIA driver"
    return "TensorFlow finds none; its CUDA libraries come with: python -m pip install '.[gpu]'"
