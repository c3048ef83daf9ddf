"""Machines whose packets get lost and come late: network namespaces with a TUN device each, and a switch between them.

A bridge and `tc netem` would do the same, but not every kernel has netem. Root may make namespaces and devices.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_MOST_BYTES = 65_536
_LOOKS = 0.2


class CannotBeMadeError(Exception):
    """Namespaces or TUN devices cannot be had here."""


class Switch:
    """Forwards the IPv4 packets of TUN devices to the device of their destination: each late, and some of them not.

    Args:
        devices: the descriptor of each device, by the address that is reached over it.
        delay: in seconds, of every packet.
        loss: the part of the packets that gets lost; it may be changed at any time.
        seed: of what is lost.
    """

    def __init__(self, devices: dict[str, int], delay: float, loss: float, seed: int) -> None:
        self.delay = delay
        self.loss = loss
        self.forwarded = self.lost = 0
        self._devices = {bytes(map(int, address.split("."))): device for address, device in devices.items()}
        self._draw = random.Random(seed)
        # By the time at which they arrive; of equal times in their order.
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._forward, name="switch", daemon=True)

    def __enter__(self) -> Switch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _forward(self) -> None:
        waiting = select.poll()
        for device in self._devices.values():
            waiting.register(device, select.POLLIN)
        while not self._over.is_set():
            until = self._under_way[0][0] - time.monotonic() if self._under_way else _LOOKS
            for device, _ in waiting.poll(max(0.0, min(until, _LOOKS)) * 1000):
                self._take(os.read(device, _MOST_BYTES))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                *_, device, packet = heapq.heappop(self._under_way)
                os.write(device, packet)

    def _take(self, packet: bytes) -> None:
        device = self._devices.get(packet[16:20])  # the destination; an IPv6 packet has none that is known
        if device is None or packet[0] >> 4 != 4:
            return
        if self._draw.random() < self.loss:
            self.lost += 1
            return
        self.forwarded += 1
        heapq.heappush(self._under_way, (time.monotonic() + self.delay, self.forwarded, device, packet))


@contextmanager
def machines_behind(
    addresses: tuple[str, ...], *, delay: float, loss: float, seed: int
) -> Iterator[tuple[list[str], Switch]]:
    """Make a namespace for each address, and yield their names and the switch between them.

    Raises:
        CannotBeMadeError: says why.
    """
    prefix = f"mltt{os.getpid() % 100_000}"
    names = [f"{prefix}n{number}" for number in range(len(addresses))]
    with ExitStack() as stack:
        devices = {}
        for number, (name, address) in enumerate(zip(names, addresses, strict=True)):
            _do("ip", "netns", "add", name)
            stack.callback(subprocess.run, ["ip", "netns", "delete", name], capture_output=True, check=False)
            device = f"{prefix}t{number}"
            devices[address] = _device(device)
            stack.callback(os.close, devices[address])
            _do("ip", "link", "set", device, "netns", name)
            _do("ip", "-n", name, "link", "set", "lo", "up")
            _do("ip", "-n", name, "address", "add", f"{address}/24", "dev", device)
            _do("ip", "-n", name, "link", "set", device, "up")
        yield names, stack.enter_context(Switch(devices, delay, loss, seed))


def _device(name: str) -> int:
    """Return the descriptor of a new TUN device; it goes with its descriptor."""
    file = None
    try:
        file = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError as error:
        if file is not None:
            os.close(file)
        raise CannotBeMadeError(f"{_TUN}: {error.strerror}") from error
    return file


def _do(*arguments: str) -> None:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CannotBeMadeError("the command ip (iproute2) is not installed") from error
    if done.returncode:
        raise CannotBeMadeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
