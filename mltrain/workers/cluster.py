"""Which processes train together, and which of them this one is.

The launcher of `--workers N` says it, or the scheduler that has started the processes: `TF_CONFIG`, as of Kubeflow, the
variables of a SLURM step, or those of an indexed job of Kubernetes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mltrain.errors import UsageError

# How the launcher tells a process who it is.
VARIABLE = "MLTRAIN_CLUSTER"
# What else the launcher says: descriptors of a socket at the own address, and of a pipe that ends with the launcher; a
# folder, in which the first worker says where the run is, and who is lost; and the run, where it is taken up again.
LISTENING, LAUNCHER = "MLTRAIN_LISTENING", "MLTRAIN_LAUNCHER"
FOLDER, TAKEN_UP = "MLTRAIN_WORKERS_FOLDER", "MLTRAIN_TAKEN_UP"
RUN_FILE, LOST_FILE = "run", "lost"
# How often a process has started again that no launcher watches.
RESTARTED = "MLTRAIN_RESTARTED"
# What a user may say where the scheduler does not: a secret that all workers share, the port of the first worker on a
# machine, the number of pods and the service that names them.
SECRET, PORT = "MLTRAIN_SECRET", "MLTRAIN_PORT"
PODS, SERVICE = "MLTRAIN_PODS", "MLTRAIN_SERVICE"
_PORT = 23456
_RANGE = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, seen by one of them.

    Attributes:
        rank: of this process, counted from 0; the first one decides and writes.
        addresses: `host:port` of each, by rank; of workers of one machine, the path of a file at which it listens.
        secret: what each of them knows, so that nobody else is taken for one.
        source: what has described it, such as `--workers 2`.
        on_machine: how many of them share the cores of this machine.
        place: of this one among those, counted from 0.
    """

    rank: int
    addresses: tuple[str, ...]
    secret: str
    source: str
    on_machine: int = 1
    place: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.addresses)

    @property
    def by_files(self) -> bool:
        """Whether they meet at files of this machine, and not over a network."""
        return all(map(is_file, self.addresses))

    @property
    def host(self) -> str:
        """The machine of this worker; empty where all are on one."""
        return _host_of(self.addresses[self.rank])

    @property
    def hosts(self) -> int:
        """How many machines there are."""
        return len(set(map(_host_of, self.addresses)))

    def as_text(self) -> str:
        """Return it as `described` reads it."""
        return json.dumps(asdict(self))


def is_file(address: str) -> bool:
    """Return whether an address is the path of a file."""
    return Path(address).is_absolute()


def _host_of(address: str) -> str:
    return "" if is_file(address) else address.rpartition(":")[0]


def described(environment: Mapping[str, str]) -> Cluster | None:
    """Return the cluster that the environment describes; None where this process is alone.

    Raises:
        UsageError: the description is not one, or lacks something.
    """
    readers = {VARIABLE: _of_launcher, "TF_CONFIG": _of_tensorflow, "SLURM_STEP_NUM_TASKS": _of_slurm}
    for variable, read in {**readers, "JOB_COMPLETION_INDEX": _of_kubernetes}.items():
        if environment.get(variable):
            try:
                cluster = read(environment)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                message = f"{variable} describes no workers ({_reason(error)}); unset it to train alone"
                raise UsageError(message) from error
            return cluster if cluster is not None and cluster.count > 1 else None
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error}"
    return str(error)


def _of_launcher(environment: Mapping[str, str]) -> Cluster:
    found = json.loads(environment[VARIABLE])
    return Cluster(**{**found, "addresses": tuple(found["addresses"])})


def _of_tensorflow(environment: Mapping[str, str]) -> Cluster | None:
    """Read `{"cluster": {"chief": […], "worker": […]}, "task": {"type": "worker", "index": 0}}`."""
    found = json.loads(environment["TF_CONFIG"])
    if not found.get("cluster"):
        return None
    cluster, task = found["cluster"], found["task"]
    others = sorted(set(cluster) - {"chief", "master", "worker"})
    if others or task["type"] not in cluster:
        raise ValueError(f"expected workers and perhaps a chief, found {', '.join(others or [task['type']])}")
    groups = [group for group in ("chief", "master", "worker") if group in cluster]
    before = sum(len(cluster[group]) for group in groups[: groups.index(task["type"])])
    addresses = tuple(str(address) for group in groups for address in cluster[group])
    return _on_hosts(before + int(task["index"]), addresses, "TF_CONFIG", environment)


def _of_slurm(environment: Mapping[str, str]) -> Cluster | None:
    """Read the variables that `srun` gives to each task of a step."""
    tasks = int(environment["SLURM_STEP_NUM_TASKS"])
    if tasks < 2:
        return None
    hosts = _hosts_of_slurm(environment["SLURM_STEP_NODELIST"])
    counts = _counts_of_slurm(environment["SLURM_STEP_TASKS_PER_NODE"])
    if len(counts) != len(hosts) or sum(counts) != tasks:
        raise ValueError(f"{tasks} tasks on {len(hosts)} nodes, of which SLURM_STEP_TASKS_PER_NODE says {sum(counts)}")
    # Two jobs that share a machine do not meet at one port.
    first = int(environment.get(PORT) or 20_000 + int(environment.get("SLURM_JOB_ID", 0)) % 10_000)
    addresses = [f"{host}:{first + place}" for host, count in zip(hosts, counts, strict=True) for place in range(count)]
    return _on_hosts(int(environment["SLURM_PROCID"]), tuple(addresses), "SLURM", environment)


def _of_kubernetes(environment: Mapping[str, str]) -> Cluster | None:
    """Read the index of a pod of an indexed job; its name is that of the job, a dash, and the index."""
    if PODS not in environment and SERVICE not in environment:
        return None  # each pod trains alone
    count, service, index = int(environment[PODS]), environment[SERVICE], int(environment["JOB_COMPLETION_INDEX"])
    job, _, own = environment["HOSTNAME"].rpartition("-")
    if own != str(index) or not 0 <= index < count:
        raise ValueError(f"the name {environment['HOSTNAME']!r} does not end in the index {index} of {count} pods")
    port = int(environment.get(PORT) or _PORT)
    addresses = tuple(f"{job}-{number}.{service}:{port}" for number in range(count))
    return _on_hosts(index, addresses, "Kubernetes", environment)


def _on_hosts(rank: int, addresses: tuple[str, ...], source: str, environment: Mapping[str, str]) -> Cluster:
    hosts = list(map(_host_of, addresses))
    without_port = [address for address in addresses if not re.fullmatch(r".+:\d{1,5}", address)]
    if without_port:
        raise ValueError(f"expected host:port for each worker, found {without_port[0]!r}")
    if not 0 <= rank < len(addresses):
        raise ValueError(f"expected an index below {len(addresses)}, found {rank}")
    on_machine, place = hosts.count(hosts[rank]), hosts[:rank].count(hosts[rank])
    return Cluster(rank, addresses, environment.get(SECRET, ""), source, on_machine, place)


def _hosts_of_slurm(text: str) -> list[str]:
    """Return the names of `node[01-03,7],login`: ranges keep their zeros."""
    found = []
    for prefix, ranges, suffix, plain in re.findall(r"([^,\[\]]*)\[([^\]]*)\]([^,\[]*)|([^,\[\]]+)", text):
        if plain:
            found.append(plain)
            continue
        for part in ranges.split(","):
            whole = _RANGE.fullmatch(part)
            first, last = (whole[1], whole[2]) if whole else (part, part)
            numbers = range(int(first), int(last) + 1)
            found += [f"{prefix}{str(number).zfill(len(first))}{suffix}" for number in numbers]
    return found


def _counts_of_slurm(text: str) -> list[int]:
    """Return the numbers of `2(x3),1`."""
    found = []
    for part in text.split(","):
        count, _, times = part.partition("(x")
        found += [int(count)] * int(times.rstrip(")") or 1)
    return found
