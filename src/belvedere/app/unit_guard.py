"""Keeps the guardian informed about the units, and the engine about stops by the guardian.

It is the listener of the units and passes all calls on to the engine. So the guardian knows that a unit may be turning
before the move is given to the radio: if this process hangs right after that, the guardian stops the unit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from belvedere.guardian.memory import GuardedUnit
from belvedere.guardian.process import GuardianState
from belvedere.head.axes import AXES
from belvedere.head.profile import WriteMode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from belvedere.app.systemd_notify import Notifier
    from belvedere.guardian.process import GuardianProcess
    from belvedere.head.axes import Axis
    from belvedere.head.profile import HeadProfile
    from belvedere.link.port import LinkDetails
    from belvedere.link.supervisor import UnitListener, UnitStatus, UnitSupervisor

logger = logging.getLogger(__name__)

BEATS_PER_DEAD_MAN = 5  # a loop that is merely slow does not miss five in a row
SLOTS = {axis: at for at, axis in enumerate(AXES)}  # each axis's index in the guardian's memory


def guarded_unit(axis: Axis, details: LinkDetails, mode: WriteMode) -> GuardedUnit | None:
    """What the guardian needs to stop a connected unit through BlueZ; None if it is not connected through BlueZ."""
    if details.dbus is None:
        return None
    return GuardedUnit(
        name=axis.value,
        device=details.dbus.device,
        characteristic=details.dbus.characteristic,
        by_command=details.can_write_without_response and mode is not WriteMode.WITH_RESPONSE,
        by_request=details.can_write_with_response and mode is not WriteMode.WITHOUT_RESPONSE,
    )


class _NullListener:
    """The listener until `attach` is called; ignores everything."""

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        pass

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        pass

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        pass


class UnitGuard:
    """Connects the guardian with units and engine (a `link.supervisor.UnitListener`, and the engine's `beat`).

    `guardian` is None if there is none, wanted or not: then calls are only passed on. While a unit may be turning, the
    engine beats every `beat_s` seconds; at rest only as often as systemd's watchdog needs.
    """

    def __init__(
        self,
        guardian: GuardianProcess | None,
        notifier: Notifier,
        profile: HeadProfile,
        *,
        beat_s: float,
        is_wanted: bool,
    ) -> None:
        self._guardian = guardian
        self._is_wanted = is_wanted
        self._profile = profile
        self._notifier = notifier
        self._beat_s = beat_s
        self._engine: UnitListener = _NullListener()
        self._units: Mapping[Axis, UnitSupervisor] = {}
        self._unguarded: set[Axis] = set()

    def attach(self, engine: UnitListener, units: Mapping[Axis, UnitSupervisor]) -> None:
        """Connect the engine and the units of the head; call it once, before anything runs."""
        self._engine, self._units = engine, units

    @property
    def state(self) -> GuardianState:
        """Whether the guardian watches all units."""
        if self._guardian is None:
            return GuardianState.MISSING if self._is_wanted else GuardianState.NOT_NEEDED
        return GuardianState.MISSING if self._unguarded else self._guardian.state

    # Called by the engine.

    def beat(self) -> None:
        """The engine's loop is running: notify systemd and the guardian."""
        self._notifier.alive()
        if self._guardian is not None:
            self._guardian.beat(self._turning())

    def beat_s(self) -> float | None:
        """The longest interval between calls of `beat` at present, in seconds; None if none are needed."""
        if self._guardian is None or not any(self._turning()):
            return self._notifier.watchdog_s
        return min(self._beat_s, self._notifier.watchdog_s or self._beat_s)

    def new_stops(self) -> Iterator[tuple[Axis, float]]:
        """Which axes the guardian has stopped since the last call, and when."""
        if self._guardian is not None:
            for at, stopped_at in self._guardian.new_stops():
                logger.warning("%s: was stopped by the guardian, because this process hung", AXES[at])
                yield AXES[at], stopped_at

    # Called by the units.

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """A unit's link changed."""
        if self._guardian is not None and status.details is not None:
            self._publish_unit(self._guardian, axis, status.details)
        self._engine.receive_unit_status(axis, status)

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """The radio accepted a command."""
        self._engine.receive_unit_written(axis, velocity, stamp, now)

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A command is about to be written; if it is a move, the guardian knows it from now on, whatever follows."""
        self._engine.receive_unit_attempted(axis, velocity, now)
        if self._guardian is not None and velocity != 0:
            self._guardian.mark_turning(SLOTS[axis])

    # Start and end.

    async def run(self) -> None:
        """Keep the guardian running until cancelled. Its failure is logged and ends nothing."""
        if self._guardian is None:
            return
        try:
            await self._guardian.run()
        except Exception:
            logger.exception("the guardian failed and is not restarted; if Belvedere hangs, the head continues to turn")

    @contextlib.asynccontextmanager
    async def ending(self, running: asyncio.Task[None]) -> AsyncIterator[None]:
        """Beat in place of the engine during the shutdown, and end the guardian last, when the block ends."""
        beating = asyncio.create_task(self._keep_beating(), name="shutdown beats")
        try:
            yield
        finally:
            beating.cancel()
            running.cancel()
            await asyncio.wait({beating, running})
            self.close()

    def close(self) -> None:
        """Free the memory shared with the guardian; it is not informed any more."""
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None

    def _publish_unit(self, guardian: GuardianProcess, axis: Axis, details: LinkDetails) -> None:
        """Give the guardian a unit's D-Bus paths; a unit without them is unguarded, and `state` says so."""
        unit = self._profile.unit(axis)
        guarded = guarded_unit(axis, details, WriteMode.AUTO if unit is None else unit.write)
        if guarded is not None:
            guardian.set_unit(SLOTS[axis], guarded)
            self._unguarded.discard(axis)
        elif axis not in self._unguarded:
            self._unguarded.add(axis)
            logger.warning("%s: D-Bus path not known, so the guardian cannot stop it if Belvedere hangs", axis)

    async def _keep_beating(self) -> None:
        while self._guardian is not None:
            self._guardian.beat(self._turning())
            await asyncio.sleep(self._beat_s)

    def _turning(self) -> tuple[bool, ...]:
        return tuple(axis in self._units and self._units[axis].may_be_turning for axis in AXES)
