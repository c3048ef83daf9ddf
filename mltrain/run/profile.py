"""Where the time of a process that trained went: `profile.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mltrain.run.status import now
from mltrain.spec import Many, Spec
from mltrain.stopwatch import Lap, PhaseName

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ProfiledPhase(Spec):
    """One phase; what happens inside another phase does not count to that one, too."""

    phase: PhaseName
    """What the process did."""
    seconds: Seconds
    """Wall time."""
    share: Annotated[float, Field(ge=0, le=1)]
    """The share of the whole."""
    times: Annotated[int, Field(ge=1)]
    """How often it began."""


class Profile(Spec):
    """Where the time of the process went."""

    format: Literal[1] = 1
    """The version of this file's form."""
    written: str
    """When, in UTC."""
    seconds: Seconds
    """Wall time from the start of the process until this was written: the sum of the phases."""
    phases: Many[ProfiledPhase]
    """In the order in which they first began."""


def profile_of(laps: Mapping[PhaseName, Lap]) -> Profile:
    """Return what a stopwatch measured, in microseconds: finer than that it is not the same twice anyway."""
    total = sum(lap.seconds for lap in laps.values())
    phases = tuple(
        ProfiledPhase(phase=phase, seconds=round(lap.seconds, 6), share=lap.seconds / total, times=lap.times)
        for phase, lap in laps.items()
    )
    return Profile(written=now(), seconds=round(total, 6), phases=phases)
