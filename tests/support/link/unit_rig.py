"""Runs a supervisor over any link and records what it reports."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from belvedere.head.axes import Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import UnitProfile, shipped_profile
from belvedere.link.options import LinkOptions
from belvedere.link.supervisor import LinkPhase, UnitStatus, UnitSupervisor
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from belvedere.errors import LinkReason
    from belvedere.head.layout import FrameLayout
    from belvedere.link.port import UnitLink

LAYOUT = shipped_profile("zeapon-pons-pt").frame
ANY = UnitProfile(name_patterns=("*",))


class UnitRig:
    """A supervisor and its listener; made by `supervised`.

    Attributes:
        statuses: every reported status, with its time.
        written: time, velocity and stamp of every reported write.
        attempted: time and velocity of every reported attempt.
        on_status: called with each status, for tests of listeners that react.
    """

    stop = stop_frame(LAYOUT)

    def __init__(
        self, link: UnitLink, unit: UnitProfile | None, options: LinkOptions, axis: Axis, layout: FrameLayout = LAYOUT
    ) -> None:
        self.statuses: list[tuple[float, UnitStatus]] = []
        self.written: list[tuple[float, float, object | None]] = []
        self.on_status: Callable[[UnitStatus], None] = lambda _status: None
        self.loop = asyncio.get_running_loop()
        self.attempted: list[tuple[float, float]] = []
        self._axis = axis
        self._changed = asyncio.Event()
        self.supervisor = UnitSupervisor(
            axis, link, layout, unit, clock=self.loop.time, options=options, listener=self, chance=lambda: 0.5
        )
        self.task = asyncio.create_task(self.supervisor.run())

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """Record the event."""
        assert axis is self._axis
        self.statuses.append((self.loop.time(), status))
        self._changed.set()
        self.on_status(status)

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """Record the event."""
        assert axis is self._axis
        assert now <= self.loop.time()
        self.written.append((now, velocity, stamp))

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """Record the event."""
        assert axis is self._axis
        assert now <= self.loop.time()
        self.attempted.append((now, velocity))

    @staticmethod
    def move(velocity: float = 0.5) -> bytes:
        """The frame for a velocity."""
        return pack(LAYOUT, velocity)

    @property
    def now(self) -> float:
        """The loop's time."""
        return self.loop.time()

    @property
    def phases(self) -> list[LinkPhase]:
        """All reported phases."""
        return [status.state for _at, status in self.statuses]

    @property
    def reasons(self) -> list[LinkReason | None]:
        """The reasons reported with them."""
        return [status.reason for _at, status in self.statuses]

    @property
    def is_ready(self) -> bool:
        """Whether the unit is READY."""
        return self.supervisor.status.state is LinkPhase.READY

    def put(self, velocity: float, stamp: object | None = None) -> None:
        """Put a command."""
        self.supervisor.put(velocity, stamp)

    async def until(self, phase: LinkPhase, timeout_s: float = 60.0) -> float:
        """Wait for this phase; returns the time that took in seconds."""
        began = self.now
        async with timeout(timeout_s):
            while not self.statuses or self.statuses[-1][1].state is not phase:
                self._changed.clear()
                await self._changed.wait()
        return self.now - began

    async def ready(self, timeout_s: float = 60.0) -> float:
        """Wait until the unit is READY; returns the time that took in seconds."""
        return await self.until(LinkPhase.READY, timeout_s)

    async def cancel(self) -> None:
        """Cancel the supervisor, as SIGTERM does."""
        self.task.cancel()
        await asyncio.wait({self.task})


@asynccontextmanager
async def supervised(
    link: UnitLink,
    unit: UnitProfile | None = ANY,
    options: LinkOptions | None = None,
    axis: Axis = Axis.PAN,
    layout: FrameLayout = LAYOUT,
) -> AsyncIterator[UnitRig]:
    """Run a supervisor over this link and cancel it afterwards; an exception in it fails the test."""
    rig = UnitRig(link, unit, options or LinkOptions(), axis, layout)
    try:
        yield rig
    finally:
        await rig.cancel()
    if not rig.task.cancelled():
        rig.task.result()
