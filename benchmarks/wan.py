"""A long line with delay, loss and little bandwidth, between this computer and a network namespace on it.

    sudo .venv/bin/python -m benchmarks.wan --delay-ms 20 --loss 0.02 --kbps 2000 -- COMMAND...

runs the command inside, at 10.77.0.2, and takes the line down when it ends; whatever runs outside reaches it there, and
is reached at 10.77.0.1. A child process carries the packets between two TUN devices, because not every kernel has
netem. Needs root, /dev/net/tun and iproute2.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OUTSIDE, INSIDE = "10.77.0.1", "10.77.0.2"
OTHER_OUTSIDE = "10.77.0.3"  # see `move`
NAMESPACE = "belvedere-wan"
DEVICES = ("bwan0", "bwan1")  # outside, and inside the namespace
TUN = Path("/dev/net/tun")
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MTU = 1400
MAX_PACKET = 2048
READS_PER_TURN = 64  # then the other direction gets its turn
READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Line:
    """What a line does to packets, in each direction alike.

    Attributes:
        delay_ms: one way; the round trip takes twice as long.
        loss: the share of packets that are lost, at random.
        kbps: the bandwidth, or 0 for no limit.
        queue_ms: how much may wait for bandwidth; what comes on top of that is lost, as in a router.
    """

    delay_ms: float = 0.0
    loss: float = 0.0
    kbps: float = 0.0
    queue_ms: float = 200.0


@dataclass(slots=True)
class Direction:
    """The packets of one direction. Pure: time and chance are arguments."""

    line: Line
    _free_at_s: float = 0.0  # when all that was accepted so far has been sent
    _on_the_way: deque[tuple[float, bytes]] = field(default_factory=deque)  # with the times of arrival, which rise

    def accept(self, packet: bytes, now_s: float, chance: float) -> bool:
        """Take a packet; `chance` is in [0, 1). Returns whether it will arrive."""
        if chance < self.line.loss:
            return False
        starts_s = max(now_s, self._free_at_s)
        if self.line.kbps:
            if starts_s - now_s > self.line.queue_ms / 1000:
                return False
            starts_s += len(packet) * 8 / (self.line.kbps * 1000)
            self._free_at_s = starts_s
        self._on_the_way.append((starts_s + self.line.delay_ms / 1000, packet))
        return True

    def arrived(self, now_s: float) -> Iterator[bytes]:
        """Take the packets out that have arrived by now, in order."""
        while self._on_the_way and self._on_the_way[0][0] <= now_s:
            yield self._on_the_way.popleft()[1]

    @property
    def next_at_s(self) -> float | None:
        """When the next packet arrives."""
        return self._on_the_way[0][0] if self._on_the_way else None


def why_not() -> str | None:
    """Why there can be no line on this computer, or None."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    try:
        TUN.open("rb", buffering=0).close()
    except OSError as error:
        return f"{TUN} cannot be opened: {error.strerror}"
    return None


@contextlib.contextmanager
def wan(line: Line) -> Iterator[tuple[str, ...]]:
    """Open a line; gives what to put in front of a command so that it runs inside. Raises RuntimeError if it cannot."""
    if problem := why_not():
        raise RuntimeError(problem)
    subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL, check=False)  # of a killed run
    _ip("netns", "add", NAMESPACE)
    arguments = [
        f"--{name}={getattr(line, name.replace('-', '_'))}" for name in ("delay-ms", "loss", "kbps", "queue-ms")
    ]
    relay = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.wan", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        if relay.stdout is None or relay.stdout.readline() != READY:
            raise RuntimeError("the line did not come up")
        yield ("ip", "netns", "exec", NAMESPACE)
    finally:
        relay.terminate()
        relay.communicate()
        _ip("netns", "del", NAMESPACE)


def move(before: str = OUTSIDE, after: str = OTHER_OUTSIDE) -> None:
    """Give this computer another address on the line, as a phone gets one that leaves its Wi-Fi."""
    _ip("addr", "del", f"{before}/24", "dev", DEVICES[0])
    _ip("addr", "add", f"{after}/24", "dev", DEVICES[0])


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _open_devices() -> list[int]:
    descriptors = []
    for name in DEVICES:
        descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
        descriptors.append(descriptor)
    outside, inside = DEVICES
    _ip("link", "set", inside, "netns", NAMESPACE)
    for prefix, name, address in (((), outside, OUTSIDE), (("-n", NAMESPACE), inside, INSIDE)):
        _ip(*prefix, "addr", "add", f"{address}/24", "dev", name)
        _ip(*prefix, "link", "set", name, "mtu", str(MTU), "txqueuelen", "2000", "up")
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    return descriptors


def _carry(line: Line, descriptors: list[int]) -> None:
    """Carry packets until standard input is closed, which happens when the parent ends."""
    ends = [(Direction(line), random.Random(number), *pair) for number, pair in enumerate(_both_ways(descriptors))]
    parent = sys.stdin.fileno()
    while True:
        now_s = time.monotonic()
        times = [at_s for direction, *_ in ends if (at_s := direction.next_at_s) is not None]
        timeout_s = max(0.0, min(times) - now_s) if times else None
        readable, _, _ = select.select([*descriptors, parent], [], [], timeout_s)
        if parent in readable:
            return
        for direction, chance, from_end, to_end in ends:
            if from_end in readable:
                _read(direction, chance, from_end)
            for packet in direction.arrived(time.monotonic()):
                with contextlib.suppress(OSError):  # the other end is full or going down: lost
                    os.write(to_end, packet)


def _both_ways(descriptors: list[int]) -> list[tuple[int, int]]:
    one, other = descriptors
    return [(one, other), (other, one)]


def _read(direction: Direction, chance: random.Random, descriptor: int) -> None:
    for _ in range(READS_PER_TURN):
        try:
            packet = os.read(descriptor, MAX_PACKET)
        except BlockingIOError:
            return
        direction.accept(packet, time.monotonic(), chance.random())


def main(arguments: Sequence[str]) -> int:
    """Run a command inside, or, without one, be the child that carries the packets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wan", description=__doc__)
    default = Line()
    parser.add_argument("--delay-ms", type=float, default=default.delay_ms, help="one way")
    parser.add_argument("--loss", type=float, default=default.loss, help="the share of packets that are lost")
    parser.add_argument("--kbps", type=float, default=default.kbps, help="0 for no limit")
    parser.add_argument("--queue-ms", type=float, default=default.queue_ms, help="how much may wait for bandwidth")
    parser.add_argument("command", nargs="*")
    given = parser.parse_args(arguments)
    line = Line(given.delay_ms, given.loss, given.kbps, given.queue_ms)
    if given.command:
        with wan(line) as prefix:
            return subprocess.run([*prefix, *given.command], check=False).returncode
    descriptors = _open_devices()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    _carry(line, descriptors)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
