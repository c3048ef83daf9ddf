"""Which device a process takes, on machines with any number of GPUs: TensorFlow is told of GPUs that are not there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from mltrain.errors import DeviceError
from mltrain.training.device_names import PlaceOnMachine
from mltrain.training.devices import choose_device, gpus_for, gpus_in_words


@pytest.fixture
def machine(monkeypatch):
    """Return what makes a machine with so many GPUs, and what TensorFlow was told of them."""
    told = SimpleNamespace(visible=None, growing=[])

    def with_graphics(count):
        there = [SimpleNamespace(name=f"/physical_device:GPU:{number}", number=number) for number in range(count)]
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: there if kind == "GPU" else ["CPU"])
        monkeypatch.setattr(tf.config, "set_visible_devices", lambda which, kind: setattr(told, "visible", which))
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda each: {"device_name": f"Model {each.number}", "compute_capability": (8, 0)},
        )
        monkeypatch.setattr(
            tf.config.experimental, "set_memory_growth", lambda each, on: told.growing.append(each.number)
        )
        return told

    return with_graphics


@pytest.mark.parametrize(
    ("graphics", "asked", "place", "number", "reason"),
    [
        (1, "auto", "gpu", 0, "the GPU"),
        (1, "gpu", "gpu", 0, "asked for"),
        (1, "all", "gpu", 0, "asked for"),
        (4, "auto", "gpu:0", 0, "the first of 4 GPUs"),
        (4, "gpu", "gpu:0", 0, "asked for"),
        (4, "gpu:2", "gpu:2", 2, "asked for"),
        (4, "all", "gpu:0", 0, "the first of 4 that are asked for; a training has a worker for each"),
        (4, ("gpu:3", "gpu:1"), "gpu:3", 3, "the first of 2 that are asked for; a training has a worker for each"),
        # `evaluate` of a run that was trained on more GPUs than there are here.
        (1, ("gpu:0", "gpu:1"), "gpu:0", 0, "the first of 2 that are asked for; a training has a worker for each"),
    ],
)
def test_a_process_alone_takes_the_first(machine, graphics, asked, place, number, reason):
    told = machine(graphics)
    found = choose_device(asked)
    assert (found.kind, found.place, found.name, found.reason) == ("gpu", place, f"Model {number}", reason)
    assert told.visible.number == number
    assert found.words == f"{place} (Model {number})"


@pytest.mark.parametrize(
    ("graphics", "asked", "workers", "taken"),
    [
        (4, "auto", 4, [0, 1, 2, 3]),
        (4, "gpu", 2, [0, 1]),
        (2, "auto", 3, [0, 1, 0]),
        (4, "all", 4, [0, 1, 2, 3]),
        (2, "all", 4, [0, 1, 0, 1]),
        (4, ("gpu:3", "gpu:1"), 2, [3, 1]),
        (4, "gpu:2", 2, [2, 2]),
    ],
)
def test_the_workers_of_a_machine_take_one_after_another(machine, graphics, asked, workers, taken):
    told = machine(graphics)
    visible = []
    for number in range(workers):
        choose_device(asked, worker=PlaceOnMachine(number, workers))
        visible.append(told.visible.number)
    assert visible == taken
    # Where several share a GPU, none may take all of its memory.
    shared = len(set(taken)) < workers
    assert told.growing == (taken if shared else [])


def test_a_worker_of_each_machine_takes_its_first(machine):
    told = machine(4)
    assert choose_device("auto", worker=PlaceOnMachine(0, 1)).reason == "the first of 4 GPUs"
    assert told.visible.number == 0


def test_parts_of_the_cpu(machine):
    told = machine(2)
    parts = [choose_device(("cpu:0", "cpu:1"), worker=PlaceOnMachine(number, 2)) for number in range(2)]
    assert [each.place for each in parts] == ["cpu:0", "cpu:1"]
    assert [each.kind for each in parts] == ["cpu", "cpu"]
    assert told.visible == []  # no GPU
    alone = choose_device(("cpu:0", "cpu:1"))
    assert (alone.place, alone.devices) == ("cpu", 2)
    assert alone.reason == "all of it; a training has a worker for each of the 2 parts that are asked for"


def test_every_gpu_is_named_as_the_config_names_it(machine):
    machine(2)
    assert gpus_in_words() == ["gpu:0 (Model 0)", "gpu:1 (Model 1)"]
    machine(0)
    assert gpus_in_words() == []


@pytest.mark.parametrize(
    ("graphics", "asked", "said"),
    [
        (0, "gpu", r"^device: no GPU found \(.*\)\. Set device to auto or cpu$"),
        (0, "all", r"^device: no GPU found \(.*\)\. Set device to auto or cpu$"),
        (0, "gpu:1", r"^device: no GPU found \(.*\)\. Set device to auto or cpu$"),
        (1, "gpu:1", r"^device: there is no gpu:1: this machine has 1 GPU \(gpu:0\); name one of those"),
        (2, ("gpu:0", "gpu:7"), r"there is no gpu:7: this machine has 2 GPUs \(gpu:0 to gpu:1\).*`--set device=all`"),
    ],
)
def test_a_gpu_that_is_not_there(machine, graphics, asked, said):
    machine(graphics)
    with pytest.raises(DeviceError, match=said) as refused:
        gpus_for(asked)
    assert refused.value.path == ("device",)
    with pytest.raises(DeviceError, match=said):
        choose_device(asked, worker=PlaceOnMachine(0, 2))


@pytest.mark.parametrize(
    ("asked", "workers"), [("all", 1), ("all", 3), (("gpu:0", "gpu:1"), 1), (("cpu:0", "cpu:1"), 1)]
)
def test_fewer_workers_than_devices_are_refused(machine, asked, workers):
    machine(4)
    with pytest.raises(DeviceError, match=r"start one for each device \(SLURM: --ntasks-per-node=[24]\)"):
        choose_device(asked, worker=PlaceOnMachine(0, workers))
