"""Keeps the link to one unit open while the program runs, and writes the commands put to it.

The phases (`phases.TRANSITIONS`; every phase may also go to CLOSED, when the supervisor is cancelled):

                                                   ┌─── write refused ───┐
                                                   v                     │
    WAITING ──> SEARCHING ──> CONNECTING ──> SETTLING ─ stop verified ─> READY
       ^            │             │             │                          │
       └── backoff ─┴── LinkError ┴─────────────┴──────────────────────────┘
                    └─> DISABLED, for an axis without a unit

Moves are written only while READY, and READY is reached only through SETTLING, in which the unit is stopped: whatever
happened to the link, the unit may have been turning ever since. For the same reason a shutdown searches once more for a
unit that was lost in motion. A call that hangs is abandoned, never awaited without a timeout. Supervisors share nothing
but the radio, so that a dead unit never delays a stop of the other one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, NoReturn, Protocol

from belvedere.errors import LinkError, LinkReason
from belvedere.head.frames import pack, stop_frame, unpack
from belvedere.head.profile import WriteMode
from belvedere.link.backoff import Backoff
from belvedere.link.connection import Connection
from belvedere.link.final_stop import find_and_stop
from belvedere.link.latest_write import PendingWrite
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.phases import LinkPhase, UnitStatus, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.head.axes import Axis
    from belvedere.head.layout import FrameLayout
    from belvedere.head.profile import UnitProfile
    from belvedere.link.options import LinkOptions
    from belvedere.link.port import UnitLink

__all__ = ["LinkPhase", "UnitListener", "UnitStatus", "UnitSupervisor"]

logger = logging.getLogger(__name__)


class UnitListener(Protocol):
    """Receives the events of a unit, synchronously on the event loop; its methods may call `put`."""

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """The state of the link changed."""
        ...

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """A write succeeded; `velocity` is that of its frame, after rounding."""
        ...

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A write is about to begin: the unit may receive it even if the write is never answered.

        A command put from within replaces a move that was to be written.
        """
        ...


class UnitSupervisor:
    """The link to one axis's unit.

    `unit` is None for an axis without one. `chance` returns random numbers in [0, 1). Call it from the event loop only.
    """

    def __init__(
        self,
        axis: Axis,
        link: UnitLink,
        layout: FrameLayout,
        unit: UnitProfile | None,
        *,
        clock: Callable[[], float],
        options: LinkOptions,
        listener: UnitListener,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._axis = axis
        self._link = link
        self._layout = layout
        self._sign = -1 if unit is not None and unit.invert else 1
        self._mode = unit.write if unit is not None else WriteMode.AUTO
        self._clock = clock
        self._options = options
        self._listener = listener
        self._chance = chance
        self._calls = PendingCalls()
        self._backoff = Backoff(options)
        self._phase = LinkPhase.WAITING
        self._reason: LinkReason | None = None
        self._connection: Connection | None = None
        self._closing: asyncio.Task[None] | None = None
        self._ready_at: float | None = None
        self._was_left_turning = False
        self._is_failure_reported = False

    @property
    def may_be_turning(self) -> bool:
        """Whether a move was written and no stop was verified since, on this connection or an earlier one."""
        return self._was_left_turning or (self._connection is not None and self._connection.may_be_turning)

    @property
    def needs_its_link(self) -> bool:
        """Whether the unit could be left turning if its link were ended now: it moves, or has yet to be stopped."""
        is_unsettled = self._phase in {LinkPhase.CONNECTING, LinkPhase.SETTLING}
        return is_unsettled or (self._connection is not None and self._connection.may_be_turning)

    @property
    def status(self) -> UnitStatus:
        """The current state of the link."""
        connection = self._connection
        if connection is None:
            return UnitStatus(self._phase, self._reason)
        interval_s = connection.interval.estimate_s if connection.interval.is_learned else None
        return UnitStatus(self._phase, self._reason, connection.details, interval_s)

    def put(self, velocity: float, stamp: object | None = None) -> None:
        """Turn at this share of full speed as soon as the pacing allows, stop at once. It replaces whatever waits.

        `stamp` is reported back when the command was written. While the unit is not READY, commands are dropped: it is
        stopped before it becomes READY. Raises FrameError for a velocity outside [-1, 1].
        """
        pending = self._pending_write(velocity, stamp)
        if self._connection is not None and self._phase is LinkPhase.READY:
            self._connection.put(pending)

    async def run(self) -> None:
        """Keep the link open until cancelled; then stop the unit and close the link.

        Ends within `last_stop_s` plus `close_timeout_s` after the cancellation. For an unreachable unit that may be
        turning, a search of `final_search_s` is added. Raises only on programming errors.
        """
        try:
            while True:
                await self._attempt()
        finally:
            await self._shut_down()

    async def _attempt(self) -> None:
        """Make one attempt: from the search for the unit to the wait after the failure that ended it."""
        connection = self._new_connection()
        try:
            self._enter(LinkPhase.SEARCHING)
            self._connection = connection
            await connection.open(lambda: self._receive_found(connection))
            await self._serve(connection)
        except LinkError as error:
            if error.reason is LinkReason.DISABLED:
                self._enter(LinkPhase.DISABLED, error.reason)
                await asyncio.get_running_loop().create_future()  # nothing will ever change: wait to be cancelled
            await self._recover(error, connection)

    async def _serve(self, connection: Connection) -> NoReturn:
        """Stop the unit, then write commands; start over when the unit refused one."""
        reason = None
        while True:
            self._enter(LinkPhase.SETTLING, reason)
            await connection.stop_and_verify()
            self._was_left_turning = False
            self._ready_at = self._clock()
            self._enter(LinkPhase.READY)
            await connection.drive()
            reason = LinkReason.REFUSED

    async def _recover(self, error: LinkError, connection: Connection) -> None:
        """Report the failure, close what is left of the link, and wait for the next attempt."""
        failed_at = self._clock()
        ready_for_s = failed_at - self._ready_at if self._ready_at is not None else 0.0
        self._ready_at = None
        wait_s = self._backoff.wait_s(error.reason, ready_for_s, self._chance())
        self._was_left_turning = self.may_be_turning
        connection.cancel()
        self._connection = None
        self._report_failure(error)
        self._enter(LinkPhase.WAITING, error.reason)
        await self._close()
        await asyncio.sleep(max(0.0, failed_at + wait_s - self._clock()))

    async def _shut_down(self) -> None:
        self._was_left_turning = self.may_be_turning
        try:
            if self._connection is not None:
                if await self._connection.send_final_stop():
                    self._was_left_turning = False
                self._connection.cancel()
        finally:
            self._connection = None
            await self._close()
            await self._find_and_stop()
            self._enter(LinkPhase.CLOSED)

    async def _find_and_stop(self) -> None:
        if not self._was_left_turning:
            return
        options = self._options
        is_stopped = await find_and_stop(
            self._new_connection,
            self._close,
            for_s=options.final_search_s,
            rest_s=options.retry_first_s,
            clock=self._clock,
        )
        self._was_left_turning = not is_stopped
        if not is_stopped:
            logger.critical("%s: could not reach the unit to stop it before exit; it may still be turning", self._axis)

    async def _close(self) -> None:
        """Close the link, or continue to wait for a close in progress; abandon it after `close_timeout_s`."""
        if self._closing is None:
            self._closing = self._calls.begin(self._link.close())
        await asyncio.wait({self._closing}, timeout=self._options.close_timeout_s)
        self._closing.cancel()
        self._closing = None

    def _new_connection(self) -> Connection:
        return Connection(
            self._link,
            self._mode,
            PendingWrite(stop_frame(self._layout), 0.0, is_stop=True),
            calls=self._calls,
            clock=self._clock,
            options=self._options,
            on_written=self._receive_written,
            on_attempted=self._receive_attempted,
        )

    def _pending_write(self, velocity: float, stamp: object | None) -> PendingWrite:
        frame = pack(self._layout, self._sign * velocity)
        rounded = self._sign * unpack(self._layout, frame)
        return PendingWrite(frame, rounded, frame == stop_frame(self._layout), stamp)

    def _receive_found(self, connection: Connection) -> None:
        if connection is self._connection and self._phase is LinkPhase.SEARCHING:
            self._enter(LinkPhase.CONNECTING)

    def _receive_written(self, pending: PendingWrite, now: float) -> None:
        self._listener.receive_unit_written(self._axis, pending.velocity, pending.stamp, now)

    def _receive_attempted(self, pending: PendingWrite, now: float) -> None:
        self._listener.receive_unit_attempted(self._axis, pending.velocity, now)

    def _enter(self, phase: LinkPhase, reason: LinkReason | None = None) -> None:
        self._phase = follow(self._phase, phase)
        self._reason = None if phase is LinkPhase.READY else reason or self._reason
        if phase is LinkPhase.READY and self._connection is not None:
            self._is_failure_reported = False
            details = self._connection.details
            logger.info("%s: ready, %s", self._axis, f"{details.name} at {details.address}" if details else "")
        self._listener.receive_unit_status(self._axis, self.status)

    def _report_failure(self, error: LinkError) -> None:
        """Log the first failure as a warning; further ones only for debugging, until the unit was READY."""
        logger.log(logging.DEBUG if self._is_failure_reported else logging.WARNING, "%s: %s", self._axis, error)
        self._is_failure_reported = True
