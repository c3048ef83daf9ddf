"""Which processes train together, and which of them this one is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mltrain.errors import UsageError

# How the launcher tells a process who it is.
VARIABLE = "MLTRAIN_CLUSTER"
# What else the launcher says: descriptors of a socket at the own address, and of a pipe that ends with the launcher; a
# folder, in which the first worker says where the run is, and who is lost; and the run, where it is taken up again.
LISTENING, LAUNCHER = "MLTRAIN_LISTENING", "MLTRAIN_LAUNCHER"
FOLDER, TAKEN_UP = "MLTRAIN_WORKERS_FOLDER", "MLTRAIN_TAKEN_UP"
RUN_FILE, LOST_FILE = "run", "lost"


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, seen by one of them.

    Attributes:
        rank: of this process, counted from 0; the first one decides and writes.
        addresses: `host:port` of each, by rank.
        secret: what each of them knows, so that nobody else is taken for one.
        source: what has described it, such as `--workers 2`.
        on_machine: how many of them share the cores of this machine.
    """

    rank: int
    addresses: tuple[str, ...]
    secret: str
    source: str
    on_machine: int = 1

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.addresses)

    def as_text(self) -> str:
        """Return it as `described` reads it."""
        return json.dumps(asdict(self))


def described(environment: Mapping[str, str]) -> Cluster | None:
    """Return the cluster that the environment describes; None where this process is alone.

    Raises:
        UsageError: the description is not one.
    """
    text = environment.get(VARIABLE)
    if text is None:
        return None
    try:
        found = json.loads(text)
        cluster = Cluster(**{**found, "addresses": tuple(found["addresses"])})
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{VARIABLE} does not describe a cluster: {error!r}; only mltrain itself sets it") from error
    return cluster if cluster.count > 1 else None
