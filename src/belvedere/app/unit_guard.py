"""Tells the guardian what it must know of the units, and the engine what the guardian did.

It stands between the units and the engine: a move is known to the guardian before anything of it reaches the radio.
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

BEATS_PER_DEAD_MAN = 5  # a loop that is merely slow misses none of them in a row
PLACES = {axis: at for at, axis in enumerate(AXES)}


def guarded_unit(axis: Axis, details: LinkDetails, mode: WriteMode) -> GuardedUnit | None:
    """How a connected unit is told to stop from outside; None where it is not BlueZ that reaches it."""
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
    """Whoever listens before the engine does."""

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        pass

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        pass

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        pass


class UnitGuard:
    """One head's guardian as the house sees it (`link.supervisor.UnitListener`, and the engine's `beat`).

    `guardian` is None where there is none, wanted or not: all is handed on. While a unit may be turning, the engine
    beats every `beat_s` seconds; at rest as seldom as systemd wants it.
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
        """These are the head's; done once, before anything runs."""
        self._engine, self._units = engine, units

    @property
    def state(self) -> GuardianState:
        """What can be relied on."""
        if self._guardian is None:
            return GuardianState.MISSING if self._is_wanted else GuardianState.NOT_NEEDED
        return GuardianState.MISSING if self._unguarded else self._guardian.state

    # for the engine

    def beat(self) -> None:
        """The engine's loop turns."""
        self._notifier.alive()
        if self._guardian is not None:
            self._guardian.beat(self._turning())

    def beat_s(self) -> float | None:
        """How often the engine must beat at least, as things are."""
        if self._guardian is None or not any(self._turning()):
            return self._notifier.watchdog_s
        return min(self._beat_s, self._notifier.watchdog_s or self._beat_s)

    def new_stops(self) -> Iterator[tuple[Axis, float]]:
        """Which axes the guardian has stopped since this was asked last, and when."""
        if self._guardian is not None:
            for at, stopped_at in self._guardian.new_stops():
                logger.warning("%s: stopped by the guardian, because this process hung", AXES[at])
                yield AXES[at], stopped_at

    # for the units

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """The link changed."""
        if self._guardian is not None and status.details is not None:
            self._publish_unit(self._guardian, axis, status.details)
        self._engine.receive_unit_status(axis, status)

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """The radio took a command."""
        self._engine.receive_unit_written(axis, velocity, stamp, now)

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A command is about to be handed over; a move is known from here on, whatever happens next."""
        self._engine.receive_unit_attempted(axis, velocity, now)
        if self._guardian is not None and velocity != 0:
            self._guardian.mark_turning(PLACES[axis])

    # its life

    async def run(self) -> None:
        """Keep the guardian running until cancelled; whatever goes wrong with it is told, and ends nothing."""
        if self._guardian is None:
            return
        try:
            await self._guardian.run()
        except Exception:
            logger.exception("the guardian is missing, and is not started again")

    @contextlib.asynccontextmanager
    async def ending(self, running: asyncio.Task[None]) -> AsyncIterator[None]:
        """While the house ends: go on beating for an engine that has ended, and let the guardian go last of all."""
        beating = asyncio.create_task(self._keep_beating(), name="last beats")
        try:
            yield
        finally:
            beating.cancel()
            running.cancel()
            await asyncio.wait({beating, running})
            self.close()

    def close(self) -> None:
        """Give back what the guardian was told by; nothing is told any more."""
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None

    def _publish_unit(self, guardian: GuardianProcess, axis: Axis, details: LinkDetails) -> None:
        """A unit of which the guardian cannot be told is one that nobody guards, however well it watches."""
        unit = self._profile.unit(axis)
        guarded = guarded_unit(axis, details, WriteMode.AUTO if unit is None else unit.write)
        if guarded is not None:
            guardian.set_unit(PLACES[axis], guarded)
            self._unguarded.discard(axis)
        elif axis not in self._unguarded:
            self._unguarded.add(axis)
            logger.warning("%s: nobody tells where BlueZ has it: if Belvedere hangs now, it turns on", axis)

    async def _keep_beating(self) -> None:
        while self._guardian is not None:
            self._guardian.beat(self._turning())
            await asyncio.sleep(self._beat_s)

    def _turning(self) -> tuple[bool, ...]:
        return tuple(axis in self._units and self._units[axis].may_be_turning for axis in AXES)
