"""What `device` in the YAML may say. No TensorFlow: how many GPUs there are is not known here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator
from pydantic_core import InitErrorDetails, PydanticCustomError

from mltrain.spec import fail, problem, suggest

_WORDS = ("auto", "cpu", "gpu", "all")
_ONE = r"(cpu|gpu):(0|[1-9][0-9]{0,3})"
_EXPECTED = "expected auto, cpu, gpu, all (every GPU of the machine), one GPU (gpu:1) or a list ([gpu:0, gpu:2])"


def _device(value: Any) -> str | tuple[str, ...]:
    # One validator, because a union would report every mistake once for each of its branches.
    if isinstance(value, list | tuple):
        return _of_list(value)
    if value in _WORDS:
        return str(value)
    if value == "cpu:0":
        return "cpu"
    if not isinstance(value, str):
        raise PydanticCustomError("device", "{message}", {"message": f"{_EXPECTED}, received {_shown(value)}"})
    if re.fullmatch(r"cpu:[1-9][0-9]*", value):
        message = f"there is one CPU: expected cpu, or a list that splits it ([cpu:0, cpu:1]), received '{value}'"
    elif re.fullmatch(_ONE, value):
        return value
    else:
        message = _unknown(value) or f"unknown device '{value}'{suggest(value, _WORDS)}: {_EXPECTED}"
    raise PydanticCustomError("device", "{message}", {"message": message})


def _of_list(values: list[Any] | tuple[Any, ...]) -> str | tuple[str, ...]:
    """Return the devices of a list, each once and all of one kind; a list of one is that one."""
    if not values:
        message = "expected at least one device in the list, such as [gpu:0]: it is empty"
        raise PydanticCustomError("device", "{message}", {"message": message})
    problems: list[InitErrorDetails] = []
    for number, value in enumerate(values):
        if message := _misfit(value, values, number):
            problems.append(problem("device", message, (number,), value))
    if problems:
        raise fail("device", problems)
    return tuple(values) if len(values) > 1 else _device(values[0])


def _misfit(value: Any, values: list[Any] | tuple[Any, ...], number: int) -> str:
    """Return what is wrong with one item of a list; an empty text where nothing is."""
    if not isinstance(value, str):
        hint = f" (did you mean gpu:{value}?)" if type(value) is int and value >= 0 else ""
        return f"expected one device, such as gpu:0, received {_shown(value)}{hint}"
    found = re.fullmatch(_ONE, value)
    if found is None:
        if value in _WORDS:
            return f"a list names single devices: expected gpu:0, gpu:1, … or cpu:0, cpu:1, …, received '{value}'"
        return _unknown(value) or f"unknown device '{value}': expected gpu:0, gpu:1, … or cpu:0, cpu:1, …"
    if value in values[:number]:
        return f"{value} is in the list twice: expected each device once"
    if isinstance(values[0], str) and not value.startswith(values[0].partition(":")[0]):
        return f"{value} is of another kind than {values[0]}: expected only GPUs, or only parts of the CPU"
    if found[1] == "cpu" and int(found[2]) >= len(values):
        parts = "cpu:0" if len(values) == 1 else f"cpu:0 to cpu:{len(values) - 1}"
        return f"the CPU is split in as many parts as the list has: expected {parts}, received '{value}'"
    return ""


def _unknown(text: str) -> str:
    """Return what is wrong with a text that is nearly a device; an empty text where it is not even that."""
    nearly = re.fullmatch(r"\s*/?(?:device:)?(cpu|gpu)\s*:?\s*(-?)0*(\d+)\s*", text, flags=re.IGNORECASE)
    if nearly is None:
        return ""
    if nearly[2]:
        return f"devices are counted from 0: expected {nearly[1].lower()}:0, received '{text}'"
    return f"unknown device '{text}' (did you mean '{nearly[1].lower()}:{nearly[3]}'?)"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping (write gpu:0 without the space)"
    return "nothing (null)" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class PlaceOnMachine:
    """Which worker of its machine a process is.

    Attributes:
        number: counted from 0.
        of: how many workers the machine has.
    """

    number: int
    of: int


_Single = Annotated[str, Field(pattern=f"^{_ONE}$")]
# `cpu:0` alone is read as `cpu`, and a list of one device as that device.
DeviceNames = Annotated[
    Literal["auto", "cpu", "gpu", "all"] | str | tuple[str, ...],
    PlainValidator(
        _device,
        json_schema_input_type=Literal["auto", "cpu", "gpu", "all"]
        | _Single
        | Annotated[list[_Single], Field(min_length=1)],
    ),
    # Without it pydantic warns of the tuple where it writes JSON.
    PlainSerializer(lambda value: list(value) if isinstance(value, tuple) else value),
]


def single_devices(asked: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the devices that are named one by one, such as `gpu:1`; none where it is a word, such as `auto`."""
    if isinstance(asked, tuple):
        return asked
    return (asked,) if ":" in asked else ()
