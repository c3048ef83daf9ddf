"""How the devices of several workers are said."""

from __future__ import annotations

import pytest

from mltrain.procedures.devices_of_workers import DeviceOfWorker, devices_decision
from mltrain.task import Decision

FIRST = Decision("device", "gpu:0 (A100)", "asked for")


@pytest.mark.parametrize(
    ("devices", "value", "reason"),
    [
        (
            [("gpu:0", "A100", "a"), ("gpu:1", "A100", "a"), ("gpu:2", "A100", "a")],
            "gpu:0, gpu:1 and gpu:2 (A100)",
            "one for each worker, in their order",
        ),
        (
            [("gpu:0", "A100", "a"), ("gpu:1", "A100", "a"), ("gpu:0", "H100", "b")],
            "gpu:0 and gpu:1 (A100) at a, gpu:0 (H100) at b",
            "one for each worker, in their order",
        ),
        ([("cpu", "EPYC", "a"), ("cpu", "EPYC", "a")], "cpu of 2 workers (EPYC)", "asked for"),
        (
            [(f"gpu:{number}", "A100", "a") for number in range(16)],
            "gpu:0 to gpu:15 (A100)",
            "one for each worker, in their order",
        ),
    ],
)
def test_those_of_a_machine_are_said_together(devices, value, reason):
    found = devices_decision([DeviceOfWorker(*each) for each in devices], FIRST)
    assert (found.what, found.value, found.reason) == ("device", value, reason)
