"""The devices of workers that train together, as the record and the terminal say them. No TensorFlow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mltrain.run.record import Device, Record
from mltrain.task import Decision
from mltrain.wording import in_words, listed_shortly

if TYPE_CHECKING:
    from mltrain.procedures.setup import Setup

_MOST = 8


@dataclass(frozen=True)
class DeviceOfWorker:
    """The device of one worker.

    Attributes:
        place: which of its kind, as `gpu:1`.
        name: of the hardware.
        host: where it is.
    """

    place: str
    name: str
    host: str


def with_devices(setup: Setup, record: Record, devices: Sequence[DeviceOfWorker]) -> tuple[Setup, Record]:
    """Return a setup and a record with the devices of the workers among the decisions."""
    (of_first,) = (each for each in setup.decisions if each.what == "device")
    decision = devices_decision(devices, of_first)

    def changed(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
        return tuple(decision if each.what == "device" else each for each in decisions)

    record = record.with_values(
        device=Device(value=setup.device.kind, reason=f"{decision.value}; {decision.reason}"),
        devices=tuple(f"{each.place} ({each.name}){_at(each.host, devices)}" for each in devices),
        decisions=changed(record.decisions),
    )
    return replace(setup, decisions=changed(setup.decisions)), record


def devices_decision(devices: Sequence[DeviceOfWorker], of_first: Decision) -> Decision:
    """Return what is said of them, those of one kind and machine together; `of_first` is what the first one says."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in devices:
        groups.setdefault((each.name, each.host), []).append(each.place)
    parts = [f"{_places(places)} ({name}){_at(host, devices)}" for (name, host), places in groups.items()]
    reason = of_first.reason if len(set(devices)) == 1 else "one for each worker, in their order"
    return Decision("device", listed_shortly(parts, _MOST), reason)


def _places(places: Sequence[str]) -> str:
    """Return `gpu:0 and gpu:1`; what several workers call the same is said once: where a scheduler gives a GPU to
    each, all of them call theirs `gpu`."""
    shared = [place if count == 1 else f"{place} of {count} workers" for place, count in Counter(places).items()]
    return in_words(shared) if len(shared) <= _MOST else f"{shared[0]} to {shared[-1]}"


def _at(host: str, devices: Sequence[DeviceOfWorker]) -> str:
    return f" at {host}" if len({each.host for each in devices}) > 1 else ""
