"""A hundred workers on paper: `python -m benchmarks.hundred_workers`, five minutes.

What an exchange and a step cost is measured here, with processes of this machine, in seconds of the processor: other
work changes them little. A formula of these constants is compared with measured steps of 2 and 4 workers, and then says
what a step of many machines would take. The network between them is assumed, not measured.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ratios import machine, quick
from benchmarks.workers import CONFIG, CONVOLUTION, started
from mltrain.errors import WorkerError
from mltrain.workers.cluster import Cluster
from mltrain.workers.connections import connect
from mltrain.workers.sums import SMALL, Sums

# Assumed of the network between machines: seconds of a message on its way, and bytes per second of a machine in each
# direction.
LATENCY, RATE = 50e-6, 10e9 / 8
NUMBER = 4  # bytes of a float32
CLASSES = 10
FEW, MANY = 10, 500_000
COUNTS = (2, 4, 8)
NAME = "CNN 28×28 (32-64-64)"
PAPER = (2, 10, 100)


@dataclass(frozen=True)
class Network:
    """A network that is trained, as it was measured on one core.

    Attributes:
        name: in the table.
        weights: how many it has.
        rows: of the batches that were measured, the largest one last.
        steps: the seconds of a step with each of them.
    """

    name: str
    weights: int
    rows: tuple[int, ...]
    steps: tuple[float, ...]

    def sent(self, batch: int) -> int:
        """Return the bytes that are summed in a step: gradients, loss and predictions."""
        return NUMBER * (self.weights + 1 + CLASSES * batch)

    def seconds(self, batch: float) -> float:
        """Return the time in which one worker computes so many rows: fewer than were measured take as long."""
        if batch > self.rows[-1]:
            return self.steps[-1] * batch / self.rows[-1]
        return float(np.interp(batch, self.rows, self.steps))


@dataclass(frozen=True)
class Exchange:
    """What an exchange costs a worker.

    Attributes:
        fixed: seconds of each, however many workers there are.
        message: seconds for each other worker.
        byte: seconds for each byte that is sent, with one that is received.
        latency: seconds on the way.
    """

    fixed: float
    message: float
    byte: float
    latency: float = 0.0

    def seconds(self, workers: int, size: int) -> float:
        """Return the time in which `size` bytes of each worker become their sum, as mltrain does it."""
        once = self.fixed + self.latency + self.message * (workers - 1)
        if size <= SMALL:
            return once + self.byte * size * (workers - 1)
        return 2 * once + self.byte * _moved(workers, size)

    def of_ring(self, workers: int, size: int) -> float:
        """Return the time of a ring, in which each worker talks to the next one alone, 2 (n - 1) times."""
        once = self.fixed + self.latency + self.message
        return 2 * (workers - 1) * once + self.byte * _moved(workers, size)


def _moved(workers: int, size: int) -> float:
    """Return the bytes that a worker sends, and as many that it receives."""
    return 2 * size * (workers - 1) / workers


def main() -> None:
    """Measure, and print the constants, the check and the table."""
    short = quick(__doc__)
    rounds, epochs = (20, 2) if short else (1_000, 25)
    print(f"Measured on {machine()}.\n")
    here = _measured_exchange(rounds)
    with tempfile.TemporaryDirectory() as name:
        trained = _Trained(Path(name), epochs)
        network = trained.network()
        _show_constants(here, network)
        _show_check(here, network, trained, rounds)
    _show_table(here, network)


def _measured_exchange(rounds: int) -> Exchange:
    """Return what an exchange costs between processes of this machine."""
    few = {count: exchanges(count, FEW, rounds) for count in COUNTS}
    many = exchanges(2, MANY, rounds // 5)
    # The processor's time of a worker: more processes than cores wait for each other, and do not work more.
    message = float(np.polyfit([count - 1 for count in COUNTS], [few[count][1] for count in COUNTS], 1)[0])
    byte = (many[1] - 2 * few[2][1]) / _moved(2, MANY * NUMBER)
    return Exchange(few[2][0] - message, message, byte)


def exchanges(count: int, numbers: int, rounds: int) -> tuple[float, float]:
    """Return the seconds of a quick exchange of so many workers, a quarter are quicker, and the processor's for one."""
    context = multiprocessing.get_context("spawn")
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in free)
    for each in free:
        each.close()
    secret, answers = secrets.token_hex(8), context.Queue()
    clusters = [Cluster(rank, addresses, secret, "a benchmark", on_machine=count) for rank in range(count)]
    workers = [context.Process(target=_exchange, args=(each, numbers, rounds, answers)) for each in clusters]
    for each in workers:
        each.start()
    found = [answers.get(timeout=120) for _ in workers]
    for each in workers:
        each.join()
    return statistics.median(wall for wall, _ in found), statistics.median(own for _, own in found)


def _exchange(cluster: Cluster, numbers: int, rounds: int, answers: Any) -> None:
    connections = connect(cluster)
    sums = Sums(cluster.rank, connections.of_gradients, lambda rank: WorkerError(f"worker {rank} is lost"))
    values, walls = np.ones(numbers, np.float32), []
    for _ in range(10):
        sums.of([values])
    own = time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        sums.of([values])
        walls.append(time.perf_counter() - began)
    answers.put((float(np.quantile(walls, 0.25)), (time.process_time() - own) / rounds))
    connections.close()


class _Trained:
    """Trainings of one network through the real command, by workers of one core each where there are as many."""

    batch = 64

    rows = 960  # 20 more are not trained

    def __init__(self, place: Path, epochs: int) -> None:
        self._place = place
        self._epochs = epochs
        rows = self.rows + 20
        draw = np.random.default_rng(0)
        images, y = draw.integers(0, 255, (rows, 28, 28, 1), np.uint8), draw.integers(0, CLASSES, rows).astype(str)
        np.savez(place / "images.npz", image=images, y=y)

    def network(self) -> Network:
        """Return what one worker needs for a step, with three sizes of the batch."""
        sizes = (self.batch // 16, self.batch // 4, self.batch)
        return Network(NAME, 320 + 18_496 + 36_928 + 650, sizes, tuple(self.step(1, size) for size in sizes))

    def step(self, workers: int, batch: int) -> float:
        """Return the seconds of the processor that a worker needs for a step: more epochs, less few ones."""
        more = self._seconds(workers, batch, 2 + self._epochs) - self._seconds(workers, batch, 2)
        return more / (workers * self._epochs * self.rows / batch)

    def _seconds(self, workers: int, batch: int, epochs: int) -> float:
        name = f"{workers}-{batch}-{epochs}"
        config, run = self._place / f"{name}.yaml", self._place / name
        text = CONFIG.format(data="images", model=CONVOLUTION, epochs=epochs, batch=batch)
        config.write_text(text.replace("validation: 0.02, ", ""), encoding="utf-8")
        before = os.times()
        process = started(config, run, workers, set(sorted(os.sched_getaffinity(0))[:workers]))
        if process.wait():
            raise SystemExit(f"{config.name} with {workers} workers ended with {process.returncode}")
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system


def _show_constants(here: Exchange, network: Network) -> None:
    print("| constant | measured |\n|---|---|")
    for name, value in (
        ("an exchange, without what each other worker adds", f"{here.fixed * 1e3:.3f} ms"),
        ("each other worker in an exchange", f"{here.message * 1e3:.3f} ms"),
        ("bytes sent, and the same number received and added", f"{1 / here.byte / 1e9:.2f} GB/s"),
        *(
            (f"{network.name}: a step of {rows} rows", f"{seconds * 1e3:.1f} ms")
            for rows, seconds in zip(network.rows, network.steps, strict=True)
        ),
    ):
        print(f"| {name} | {value} |", flush=True)


def _show_check(here: Exchange, network: Network, trained: _Trained, rounds: int) -> None:
    """Compare the formula with what is measured."""
    size = network.sent(trained.batch)
    print("\n| here, each worker | formula | measured |\n|---|---|---|")
    for count in COUNTS[:2]:
        _, measured = exchanges(count, size // NUMBER, rounds)
        exchange = here.seconds(count, size)
        print(f"| {count} workers: {size:,} bytes summed | {exchange * 1e3:.2f} ms | {measured * 1e3:.2f} ms |")
        expected, measured = exchange + network.seconds(trained.batch / count), trained.step(count, trained.batch)
        print(f"| {count} workers: a step | {expected * 1e3:.1f} ms | {measured * 1e3:.1f} ms |", flush=True)


def _show_table(here: Exchange, network: Network) -> None:
    far = Exchange(here.fixed, here.message, here.byte + 1 / RATE, LATENCY)
    print(
        f"\nOn paper, with {LATENCY * 1e6:.0f} µs and {RATE * 8 / 1e9:.0f} Gbit/s between machines of one core each:\n"
    )
    print(
        "| network | workers | bytes sent in a step | exchange | a ring | faster than one from | half of linear from |"
    )
    print("|---|---|---|---|---|---|---|")
    # A network like those of ImageNet: the weights of a ResNet50, and the seconds that its multiplications take.
    for each in (network, _larger(network)):
        for workers in PAPER:
            print(_line(far, each, workers), flush=True)


def _larger(network: Network) -> Network:
    """Return a network with the weights of a ResNet50, which computes 4.1e9 multiplications for a row at the speed at
    which the measured one computes its own."""
    own = 26 * 26 * 9 * 32 + 24 * 24 * 9 * 32 * 64 + 10 * 10 * 9 * 64 * 64
    times = 4.1e9 / own
    return Network("of ResNet50's size", 25_600_000, network.rows, tuple(times * each for each in network.steps))


def _line(far: Exchange, network: Network, workers: int) -> str:
    faster, half = (_batch_from(far, network, workers, least) for least in (1.0, workers / 2))
    size = network.sent(half or workers)
    moved = size * (workers - 1) if size <= SMALL else _moved(workers, size)
    ours, ring = far.seconds(workers, size), far.of_ring(workers, size)
    return (
        f"| {network.name} | {workers} | {moved / 1e6:.2f} MB | {ours * 1e3:.2f} ms | {ring * 1e3:.2f} ms | "
        f"{_rows(faster)} | {_rows(half)} |"
    )


def _batch_from(far: Exchange, network: Network, workers: int, least: float) -> int | None:
    """Return the smallest batch whose step is so many times as fast as with one worker; None up to a million rows."""
    candidates: Sequence[int] = np.unique(np.geomspace(workers, 1e6, 2_000).astype(int)).tolist()
    for batch in candidates:
        shared = network.seconds(batch / workers) + far.seconds(workers, network.sent(batch))
        if network.seconds(batch) > least * shared:
            return batch
    return None


def _rows(batch: int | None) -> str:
    return "–" if batch is None else f"{batch:,} rows"


if __name__ == "__main__":
    main()
