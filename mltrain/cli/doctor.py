"""`mltrain doctor`: what this machine has."""

from __future__ import annotations

import json as json_format
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import typer

from mltrain.cli.arguments import Json

_PACKAGES = (
    "mltrain",
    "tensorflow",
    "keras",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "pillow",
    "pydantic",
    "PyYAML",
    "matplotlib",
    "rich",
    "typer",
)


def doctor(json: Json = False) -> None:
    """Show versions, devices, memory and optional packages; exit code 12 if TensorFlow does not start."""
    from mltrain.errors import DeviceError

    findings = _findings()
    if json:
        typer.echo(json_format.dumps(findings, indent=2))
    else:
        for topic, values in findings.items():
            typer.echo(topic)
            for name, value in values.items():
                typer.echo(f"  {name:<18} {value}")
    broken = findings["devices"].get("error")
    if broken:
        raise DeviceError(f"TensorFlow does not start: {broken}")


def _findings() -> dict[str, dict[str, Any]]:
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "devices": _devices(),
        "machine": {
            "system": platform.platform(),
            "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
            "memory": _memory(),
            "free disk": f"{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB in {Path.cwd()}",
        },
        "optional packages": {
            "CUDA libraries": _version(
                "nvidia-cuda-runtime-cu12", missing="not installed: python -m pip install '.[gpu]'"
            ),
        },
    }


def _version(package: str, missing: str = "not installed") -> str:
    from importlib import metadata  # 10 ms, and `mltrain --help` imports this file

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return missing


def _devices() -> dict[str, str]:
    from mltrain.tensorflow_start import start_tensorflow

    try:
        start_tensorflow()
        from mltrain.training.devices import choose_device, gpus_in_words

        device, gpus = choose_device("auto"), gpus_in_words()
    except Exception as error:  # noqa: BLE001 (a broken installation fails in any way, and saying how is the whole point)
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    means = {"auto means": f"{device.kind} ({device.name}): {device.reason}"}
    return {**means, "all means": ", ".join(gpus)} if gpus else means


def _memory() -> str:
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    available = os.sysconf("SC_AVPHYS_PAGES")
    return f"{pages * page / 2**30:.1f} GiB, {available * page / 2**30:.1f} GiB free"
