"""The age of a command when the unit receives it, and the time until a stop arrives.

A stick moves at 60 Hz for 30 s; both units share one radio with connection events every 40 ms, behind a host that takes
writes without back-pressure. Everything but the radio is real: the fail-safe core, the engine, both supervisors, bleak.
Time is virtual, so the figures are exact, the same on every machine, and available in seconds.

Each setpoint within 15 s has a different speed, so the speed in a received frame identifies its setpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.control.core import Control
from belvedere.control.lease import LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.engine.bus import Bus
from belvedere.engine.engine import Engine
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame, unpack
from belvedere.head.profile import shipped_profile
from belvedere.link.ble import BleUnit
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.link.supervisor import LinkPhase, UnitSupervisor
from belvedere.sim.head import HeadOptions, VirtualHead
from belvedere.testing.clock import run_in_virtual_time
from benchmarks.report import Result, compare, percentile
from benchmarks.rivals.queued_writes import QueuedWrites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.sim.unit import ReceivedFrame

PROFILE = shipped_profile("zeapon-pons-pt")
FASTEST = PROFILE.frame.speed.fastest
STOP = stop_frame(PROFILE.frame)

INTERVAL_S = 0.040
STICK_S = 1 / 60
DRIVE_S = 30.0
SPEEDS = range(100, 1000)  # 15 s of setpoints before a speed comes again
SEEDS = (1, 2, 3, 4, 5)  # as many phases of the two links' connection events

STOPS = 200
RIVAL_STOPS = 20  # each takes half a minute to drain
HOLD_S = (0.3, 2.0)
REST_S = 0.8

RIVALS = {
    "firing": "a server that writes every setpoint at once, without response",
    "awaiting": "a server that awaits each write with response",
}
SCENE = "60 Hz stick for 30 s, connection events every 40 ms, both units on one radio, virtual time"


class Server(Protocol):
    """What is between the stick and the radio: Belvedere or a rival."""

    async def open(self) -> None:
        """Connect both units."""
        ...

    def drive(self, pan: float, tilt: float) -> None:
        """Receive a setpoint of the stick."""
        ...

    def release(self) -> None:
        """The stick was released."""
        ...

    async def close(self) -> None:
        """End."""
        ...


class Belvedere:
    """Belvedere, from the engine call that a WebSocket message causes."""

    def __init__(self, head: VirtualHead) -> None:
        self._loop = asyncio.get_running_loop()
        options = ControlOptions(acceleration_per_s=100, hold_ceiling_s=300)  # shaping must not change the speeds
        control = Control(options, dict.fromkeys(AXES, AxisSetup()))
        self._engine = Engine(control, clock=self._loop.time, bus=Bus())
        link = LinkOptions()
        radio = Radio(client_backend=head.client_backend, scanner_backend=head.scanner_backend, options=link)
        self._units: dict[Axis, UnitSupervisor] = {}
        for axis in AXES:
            unit = PROFILE.unit(axis)
            assert unit is not None  # noqa: S101 - the shipped profile has both
            self._units[axis] = UnitSupervisor(
                axis,
                BleUnit(unit, radio),
                PROFILE.frame,
                unit,
                clock=self._loop.time,
                options=link,
                listener=self._engine,
            )
            self._engine.attach(axis, self._units[axis])
        self._tasks: list[asyncio.Task[None]] = []
        self._epoch = self._hold = self._seq = 0

    async def open(self) -> None:
        """Start, and take the lease once both units are ready."""
        runs = [self._engine.run(), *(unit.run() for unit in self._units.values())]
        self._tasks = [asyncio.create_task(run) for run in runs]
        while any(  # noqa: ASYNC110 - waiting costs nothing in virtual time
            unit.status.state is not LinkPhase.READY for unit in self._units.values()
        ):
            await asyncio.sleep(0.01)
        self._engine.receive_session_opened("stick", "person")
        self._engine.receive_lease("stick", LeaseVerb.ACQUIRE)
        self._epoch = self._engine.status.lease.epoch
        self._hold = 1

    def drive(self, pan: float, tilt: float) -> None:
        """Give a setpoint to the engine."""
        self._seq += 1
        now = self._loop.time()
        self._engine.receive_drive(
            "stick",
            Setpoint(epoch=self._epoch, hold=self._hold, seq=self._seq, pan=pan, tilt=tilt, sent_at_s=now, heard_s=now),
        )

    def release(self) -> None:
        """End the hold."""
        self._engine.receive_release("stick", self._epoch, self._hold)
        self._hold += 1

    async def close(self) -> None:
        """End the tasks as the program does."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Ages(NamedTuple):
    """Milliseconds, over both units of one drive."""

    p50: float
    p99: float
    most: float
    growth: float


def run() -> list[Result]:
    """Measure driving and stopping, ours and the rivals'."""
    logging.getLogger("bumble").setLevel(logging.ERROR)
    makers: dict[str, Callable[[VirtualHead], Server]] = {
        "ours": Belvedere,
        "awaiting": lambda head: QueuedWrites(PROFILE, head, "awaiting"),
        "firing": lambda head: QueuedWrites(PROFILE, head, "firing"),
    }
    drives = {
        name: [run_in_virtual_time(_drive(maker, seed)) for seed in SEEDS[: None if name == "ours" else 2]]
        for name, maker in makers.items()
    }
    stops = {
        name: run_in_virtual_time(_stops(maker, STOPS if name == "ours" else RIVAL_STOPS))
        for name, maker in makers.items()
    }
    return [*_age_results(drives), *_stop_results(stops)]


def _age_results(drives: dict[str, list[Ages]]) -> list[Result]:
    figures: tuple[tuple[str, Callable[[Ages], float], str, float | None, Iterable[str]], ...] = (
        ("p50", lambda ages: ages.p50, "median age of a command when the unit receives it", None, ("firing",)),
        (
            "p99",
            lambda ages: ages.p99,
            "99th percentile of a command's age when the unit receives it",
            2 * INTERVAL_S * 1000,
            RIVALS,
        ),
        ("most", lambda ages: ages.most, "the oldest command of all", None, ("firing",)),
        (
            "growth",
            lambda ages: ages.growth,
            "growth of the median age from the first third of the drive to the last",
            1.0,
            RIVALS,
        ),
    )
    return [
        compare(
            f"command-age-{name}-{rival}",
            f"{what}; {SCENE}",
            "ms",
            ours=[figure_of(ages) for ages in drives["ours"]],
            rival=[figure_of(ages) for ages in drives[rival]],
            rival_is=RIVALS[rival],
            budget=budget,
        )
        for name, figure_of, what, budget, rivals in figures
        for rival in rivals
    ]


def _stop_results(stops: dict[str, list[float]]) -> list[Result]:
    return [
        compare(
            f"stop-latest-{rival}",
            f"the latest of {STOPS} stops (rival {RIVAL_STOPS}) at random moments, until the unit receives it",
            "ms",
            ours=[max(stops["ours"])],
            rival=[max(stops[rival])],
            rival_is=rival_is,
            budget=2 * INTERVAL_S * 1000,
        )
        for rival, rival_is in RIVALS.items()
    ]


async def _drive(make: Callable[[VirtualHead], Server], seed: int) -> Ages:
    """One drive of 30 s."""
    loop = asyncio.get_running_loop()
    async with VirtualHead(PROFILE, HeadOptions(interval_s=INTERVAL_S, seed=seed)) as head:
        server = make(head)
        await server.open()
        sent: list[float] = []
        began = loop.time()
        while loop.time() < began + DRIVE_S:
            share = SPEEDS[len(sent) % len(SPEEDS)] / FASTEST
            sent.append(loop.time())
            server.drive(share, -share)
            await asyncio.sleep(STICK_S)
        ages = [age for axis in AXES for age in _ages(sent, [*head.unit(axis).frames])]  # a backlog is not waited for
        server.release()
        await server.close()
    first = [age for at, age in ages if at < began + DRIVE_S / 3]
    last = [age for at, age in ages if at >= began + DRIVE_S * 2 / 3]
    every = [age for _at, age in ages]
    growth = percentile(last, 0.5) - percentile(first, 0.5)
    return Ages(percentile(every, 0.5), percentile(every, 0.99), max(every), growth)


def _ages(sent: list[float], frames: list[ReceivedFrame]) -> list[tuple[float, float]]:
    """When each moving frame came, and its age in milliseconds."""
    ages = []
    newest = 0
    for frame in frames:
        speed = round(abs(unpack(PROFILE.frame, frame.frame)) * FASTEST)
        if speed:
            newest += (speed - SPEEDS[newest % len(SPEEDS)]) % len(SPEEDS)
            ages.append((frame.at_s, (frame.at_s - sent[newest]) * 1000))
    return ages


async def _stops(make: Callable[[VirtualHead], Server], count: int) -> list[float]:
    """How many milliseconds each stop took, the slower axis of the two."""
    chance = random.Random(7)
    loop = asyncio.get_running_loop()
    took: list[float] = []
    async with VirtualHead(PROFILE, HeadOptions(interval_s=INTERVAL_S)) as head:
        server = make(head)
        await server.open()
        for _ in range(count):
            await _hold(server, chance)
            stopped = loop.time()
            server.release()
            took += [(await _stop_arrived(head, axis, stopped) - stopped) * 1000 for axis in AXES]
            await asyncio.sleep(REST_S + chance.uniform(0, INTERVAL_S))
        await server.close()
    return took


async def _hold(server: Server, chance: random.Random) -> None:
    """Move the stick for a random while, and end between two of its messages."""
    for index in range(round(chance.uniform(*HOLD_S) / STICK_S)):
        share = 0.3 + (index % 60) / 100
        server.drive(share, -share)
        await asyncio.sleep(STICK_S)
    await asyncio.sleep(chance.uniform(0, STICK_S))


async def _stop_arrived(head: VirtualHead, axis: Axis, since_s: float) -> float:
    """When the unit received the first stop after this moment."""
    while True:
        for frame in head.unit(axis).frames:
            if frame.at_s >= since_s and frame.frame == STOP:
                return frame.at_s
        await asyncio.sleep(INTERVAL_S)
