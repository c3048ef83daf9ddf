"""How much memory is left, so that data that cannot fit is refused before it is read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

GIB = 2**30

_CGROUPS = Path("/sys/fs/cgroup")
# What the kernel gives back when memory is short.
_RECLAIMABLE = ("inactive_file", "active_file")


def available_memory() -> int | None:
    """Return how many bytes this process can still take, from the machine, its container and its limits; None where the
    system does not report it. It takes less than a millisecond."""
    limits = [*_of_the_machine(), *_of_the_container(), *_of_the_process()]
    return max(0, min(limits)) if limits else None


def in_gib(count: float) -> str:
    """Return bytes in words: `1.5 GiB`."""
    return f"{count / GIB:.1f} GiB" if count < 100 * GIB else f"{math.ceil(count / GIB):,} GiB"


def _of_the_machine() -> Iterator[int]:
    numbers = _numbers(Path("/proc/meminfo"))
    if "MemAvailable:" in numbers:
        yield 1024 * (numbers["MemAvailable:"] + numbers.get("SwapFree:", 0))


def _of_the_container() -> Iterator[int]:
    """Yield what each cgroup (version 2) above this process leaves."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    below = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    inner = _CGROUPS / below
    for folder in (inner, *inner.parents):
        if not folder.is_relative_to(_CGROUPS):
            return
        try:
            most, used = (int((folder / name).read_text(encoding="utf-8")) for name in ("memory.max", "memory.current"))
        except (OSError, ValueError):  # the root has no limit, and "max" is not a number
            continue
        numbers = _numbers(folder / "memory.stat")
        yield most - used + sum(numbers.get(name, 0) for name in _RECLAIMABLE)


def _of_the_process() -> Iterator[int]:
    try:
        import resource  # not on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return
    if limit != resource.RLIM_INFINITY:
        yield limit - used


def _numbers(path: Path) -> dict[str, int]:
    """Return the second word of each line by its first."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    words = (line.split() for line in lines)
    return {each[0]: int(each[1]) for each in words if len(each) > 1 and each[1].isdigit()}
