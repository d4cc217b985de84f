"""A server process to attack, which reports on its event loop: `python -m tests.attacks.server belvedere.toml`.

It is `belvedere serve` with a watchdog on its loop. It prints a JSON line once it listens, and another for each line
that it reads: what the watchdog saw since the last. A thread does that, because the loop may be blocked.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from aioice import ice
from tests.access.joining import invite
from tests.attacks.heard import hear_everybody
from tests.support.loop_watchdog import LoopWatchdog, Stall, Waited

from belvedere.app.run import run
from belvedere.app.settings import read_config

if TYPE_CHECKING:
    from belvedere.app.build import Belvedere
    from belvedere.app.opening import Opened as ServerOpened
    from belvedere.app.unit_guard import UnitGuard
    from belvedere.head.axes import Axis

VISITORS = 12


class Opened(msgspec.Struct, frozen=True):
    """The server listens at this address; a one-time link for each visitor."""

    address: str
    links: list[str]


class BegunStop(msgspec.Struct, frozen=True, array_like=True):
    """A stop was given to the radio of this axis's unit at this time of the monotonic clock, in milliseconds."""

    axis: str
    at_ms: float


class Seen(msgspec.Struct, frozen=True):
    """What the watchdog saw, in milliseconds, the stops that were given to the radio, and the waits for a processor."""

    lags_ms: list[float]
    held_ms: list[float]
    stalls: list[Stall]
    rss_mib: float
    begun: list[BegunStop]
    waits: list[Waited]


class BegunStops:
    """Notes when writes of stops begin.

    When they are answered depends on the virtual unit as well, which shares the server's loop: a real one is reached
    through other processes and the air.
    """

    def __init__(self) -> None:
        self._stops: list[BegunStop] = []

    def watch(self, guard: UnitGuard) -> None:
        """Note what is written from now on."""
        receive_attempted = guard.receive_unit_attempted

        def receive_unit_attempted(axis: Axis, velocity: float, now: float) -> None:
            if velocity == 0:
                self._stops.append(BegunStop(axis, time.monotonic() * 1000))
            receive_attempted(axis, velocity, now)

        guard.receive_unit_attempted = receive_unit_attempted  # type: ignore[method-assign]  # nothing else hears of it

    def take(self) -> list[BegunStop]:
        """Those since the last call."""
        stops, self._stops = self._stops, []
        return stops


class WatchedServer:
    """Runs the watchdog on the loop, and reports what it saw."""

    def __init__(self) -> None:
        self._watchdog = LoopWatchdog()
        self._begun_stops = BegunStops()
        self._links: list[str] = []

    def receive_built(self, belvedere: Belvedere) -> None:
        """Start the watchdog before anything else."""
        self._watchdog.start()
        self._begun_stops.watch(belvedere.guard)
        if belvedere.sound is not None:
            hear_everybody(belvedere.sound)
        self._links = [f"/join#{invite(belvedere.invitations, f'Visitor {number}')}" for number in range(VISITORS)]

    def receive_opened(self, opened: ServerOpened) -> None:
        """Print the address, and report from now on."""
        _print(Opened(opened.address, [opened.address + link for link in self._links]))
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        for _line in sys.stdin:
            watched = self._watchdog.take()
            lags_ms, held_ms = ([each * 1000 for each in kind] for kind in (watched.lags_s, watched.held_s))
            begun = self._begun_stops.take()
            _print(Seen(lags_ms, held_ms, watched.stalls, _rss_mib(), begun, watched.waits))


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def _print(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def _no_address(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: ARG001, FBT001 - as aioice calls it
    return []


def main() -> int:
    """Serve until SIGTERM, over loopback only: no attack may leave this machine."""
    ice.get_host_addresses = _no_address
    server = WatchedServer()
    return run(read_config(Path(sys.argv[1])), server.receive_opened, server.receive_built)


if __name__ == "__main__":
    sys.exit(main())
