"""One connection to a unit, from opening the link until it has failed.

The only evidence of a working link is a call that succeeds in time: after an unanswered request BlueZ keeps reporting a
dead link as connected. `supervisor` decides when to connect, `write_scheduler` what to write next.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import WriteMode
from belvedere.link.connection_interval import ConnectionInterval
from belvedere.link.latest_write import PendingWrite
from belvedere.link.pending_calls import PendingCalls, outcome, result
from belvedere.link.write_scheduler import AcknowledgedStop, KeepAlive, WriteScheduler
from belvedere.timeouts import timeout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.options import LinkOptions
    from belvedere.link.port import LinkDetails, UnitLink

UNACKNOWLEDGED_STOPS = 3  # a stop that cannot be acknowledged is written this often
STALL_S = 0.03  # the event loop woke up this late: answers may be waiting unread, so nothing is overdue yet
FIRST_ANSWER_S = 2.0  # after connecting, BlueZ sends up to ten requests of its own, and ours wait between them
STOP_AND_VERIFY_S = 2.0  # how long a unit may refuse the stop before the link is reopened


class Connection:
    """One connection. Made for a single `open`, so that a late callback of an older one cannot affect a newer one.

    `on_written` is called with each write that succeeded and its time, `on_attempted` before each write begins: the
    unit may receive it even if the write is never answered.
    """

    def __init__(
        self,
        link: UnitLink,
        mode: WriteMode,
        stop: PendingWrite,
        *,
        calls: PendingCalls,
        clock: Callable[[], float],
        options: LinkOptions,
        on_written: Callable[[PendingWrite, float], None],
        on_attempted: Callable[[PendingWrite, float], None] = lambda _pending_write, _now: None,
    ) -> None:
        self.details: LinkDetails | None = None
        self.interval = ConnectionInterval(options.first_interval_s)
        self._link = link
        self._mode = mode
        self._stop = stop
        self._calls = calls
        self._clock = clock
        self._options = options
        self._on_written = on_written
        self._on_attempted = on_attempted
        self._scheduler = WriteScheduler(
            self.interval, options, with_response=True, can_keep_alive=False, can_acknowledge=False
        )
        self._can_acknowledge = False
        self._is_lost = False
        self._write_task: asyncio.Task[None] | None = None
        self._keep_alive_task: asyncio.Task[bool] | None = None
        self._wake = asyncio.Event()

    async def open(self, on_found: Callable[[], None]) -> None:
        """Open the link; `on_found` is called once the unit was found. Raises LinkError."""
        opening = self._calls.begin(self._link.open(self._receive_lost, on_found))
        details = await outcome(opening, self._options.open_timeout_s)
        without = details.can_write_without_response and self._mode is not WriteMode.WITH_RESPONSE
        with_response = not (without or self._mode is WriteMode.WITHOUT_RESPONSE)
        self.details = details
        may_acknowledge = details.can_write_with_response and self._mode is not WriteMode.WITHOUT_RESPONSE
        self._can_acknowledge = with_response or may_acknowledge
        self._scheduler = WriteScheduler(
            self.interval,
            self._options,
            with_response=with_response,
            can_keep_alive=details.can_keep_alive,
            can_acknowledge=self._can_acknowledge,
        )

    async def stop_and_verify(self) -> None:
        """Write stops until the unit has one, and learn the interval from the answers. Raises LinkError."""
        deadline_at = self._clock() + STOP_AND_VERIFY_S
        while True:
            try:
                await self._stop_until_answered()
            except LinkError as error:
                if error.reason is not LinkReason.REFUSED or self._clock() >= deadline_at:
                    raise
                await asyncio.sleep(2 * self.interval.estimate_s)
            else:
                self._raise_if_lost()
                self._scheduler.receive_stop_verified(self._clock())
                return

    def put(self, pending: PendingWrite) -> None:
        """Write this next, instead of whatever waits."""
        self._scheduler.put(pending)
        self._wake.set()

    async def drive(self) -> None:
        """Write what is put until the unit refuses a write. Raises LinkError when the link has failed.

        A failed link may still transmit, and the unit may be moving, so one more stop is written on it.
        """
        try:
            await self._run()
        except LinkError:
            self._stop_blindly()
            raise

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock()
            if not self._collect(now):
                return
            self._raise_if_lost()
            if self._scheduler.is_overdue(now):
                raise LinkError(LinkReason.UNANSWERED, "the unit did not answer in time")
            self._begin_next(now)
            # Wakes early on `put`, on the end of a call and on a loss: each of them sets `_wake`.
            deadline = self._scheduler.deadline()
            await wait_until(self._wake, deadline, self._clock)
            if deadline is not None and self._clock() > deadline + STALL_S:
                self._scheduler.receive_stall(self._clock())

    @property
    def may_be_turning(self) -> bool:
        """Whether a move was written on this connection and no stop was verified since."""
        return not self._scheduler.is_surely_at_rest

    async def send_final_stop(self) -> bool:
        """Write one last stop within `last_stop_s`, if the link still works.

        Returns whether it succeeded as far as the link can tell. Raises no LinkError.
        """
        if self.details is None or self._is_lost:
            return False
        with contextlib.suppress(LinkError, TimeoutError):
            async with timeout(self._options.last_stop_s):
                if self._write_task is not None:  # BlueZ blocks later writes for up to 30 s after a cancelled one
                    await asyncio.wait({self._write_task})
                if (
                    not self._scheduler.with_response
                ):  # a write without response is not blocked by an unanswered request
                    await self._write_stop(response=False)
                if self._can_acknowledge:
                    await self._write_stop(response=True)
                else:  # disconnecting at once could drop a packet that is still queued
                    await asyncio.sleep(2 * self.interval.estimate_s)
                return not self._is_lost
        return False

    def cancel(self) -> None:
        """Cancel the calls in flight, without waiting for them to end."""
        for call in (self._write_task, self._keep_alive_task):
            if call is not None:
                call.cancel()

    async def _stop_until_answered(self) -> None:
        """Write a stop that the unit acknowledges, or several and a keep-alive, answered after they arrived."""
        if not self._scheduler.with_response:  # commands overtake BlueZ's own requests to a new unit
            for _ in range(1 if self._can_acknowledge else UNACKNOWLEDGED_STOPS):
                await self._write_stop(response=False)
                await asyncio.sleep(self.interval.estimate_s)
        round_trip_s = await self._first_answer()
        if round_trip_s is not None and round_trip_s > self.interval.backlog_after_s:  # queued behind BlueZ's requests
            again_s = await self._first_answer()
            round_trip_s = min(round_trip_s, again_s or round_trip_s)
        if round_trip_s is not None:
            self.interval.receive_round_trip(round_trip_s)

    async def _first_answer(self) -> float | None:
        """The round trip of an acknowledged stop, or else of a keep-alive, in s; None if the unit can do neither."""
        begun = self._clock()
        if self._can_acknowledge:
            await self._write_stop(response=True, timeout_s=FIRST_ANSWER_S)
        elif not await outcome(self._calls.begin(self._link.keep_alive()), FIRST_ANSWER_S):
            return None
        return self._clock() - begun

    async def _write_stop(self, *, response: bool, timeout_s: float | None = None) -> None:
        self._on_attempted(self._stop, self._clock())
        writing = self._calls.begin(self._link.write(self._stop.frame, response=response))
        await outcome(writing, self.interval.answer_timeout_s if timeout_s is None else timeout_s)
        self._on_written(self._stop, self._clock())

    def _stop_blindly(self) -> None:
        """Write one more stop without waiting for it: a link that is only slow will still deliver it.

        Behind a write that hangs it may hang as well, so it has the same timeout.
        """
        if not self._is_lost:
            self._on_attempted(self._stop, self._clock())
            writing = self._calls.begin(self._link.write(self._stop.frame, response=self._scheduler.with_response))
            timer = asyncio.get_running_loop().call_later(self.interval.answer_timeout_s, writing.cancel)
            writing.add_done_callback(lambda _: timer.cancel())

    async def _write_newest(self) -> None:
        attempted = None
        while (
            pending := self._scheduler.newest()
        ) is not attempted:  # the listener may put a stop from within, if the move is too old
            self._on_attempted(pending, self._clock())
            attempted = pending
        await self._link.write(pending.frame, response=self._scheduler.with_response)

    def _begin_next(self, now: float) -> None:
        match self._scheduler.next(now):
            case PendingWrite():
                self._write_task = self._calls.begin(self._write_newest(), self._wake.set)
            case AcknowledgedStop():
                self._write_task = self._calls.begin(self._link.write(self._stop.frame, response=True), self._wake.set)
            case KeepAlive():
                self._keep_alive_task = self._calls.begin(self._link.keep_alive(), self._wake.set)

    def _collect(self, now: float) -> bool:
        """Process the calls that have ended. Returns False if the unit refused a write. Raises LinkError."""
        if self._keep_alive_task is not None and self._keep_alive_task.done():
            keep_alive, self._keep_alive_task = self._keep_alive_task, None
            self._scheduler.receive_keep_alive(now, is_answered=result(keep_alive))
        if self._write_task is None or not self._write_task.done():
            return True
        writing, self._write_task = self._write_task, None
        try:
            result(writing)
        except LinkError as error:
            if error.reason is not LinkReason.REFUSED:
                raise
            self._scheduler.receive_refused()
            return False
        self._on_written(self._scheduler.receive_written(now) or self._stop, now)
        return True

    def _raise_if_lost(self) -> None:
        if self._is_lost:
            raise LinkError(LinkReason.LOST, "the connection was lost")

    def _receive_lost(self) -> None:
        self._is_lost = True
        self._wake.set()
