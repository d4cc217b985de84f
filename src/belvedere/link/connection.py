"""One connection with a unit, from opening it to the moment when it has shown to be bad.

Health is what calls do: a connection is good as long as they end well and in time, whatever else anybody claims. When
and how often to connect is `supervisor`'s, what to hand over next `scheduler`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import WriteMode
from belvedere.link.connection_interval import ConnectionInterval
from belvedere.link.latest_command import PendingWrite
from belvedere.link.pending_calls import PendingCalls, outcome, result
from belvedere.link.write_scheduler import AcknowledgedStop, KeepAlive, WriteScheduler
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.options import LinkOptions
    from belvedere.link.port import LinkDetails, UnitLink

UNACKNOWLEDGED_STOPS = 3  # a stop that nobody acknowledges is said so often
STALL_S = 0.03  # a loop that comes later than this was busy: what it finds overdue may have been answered meanwhile
FIRST_ANSWER_S = 2.0  # BlueZ asks a new unit up to ten questions of its own, and ours go between them
STOP_AND_VERIFY_S = 2.0  # a unit that refuses to stop is asked so long before it is connected to anew
TIMER_S = 0.001  # uvloop rounds to milliseconds: a shorter timer would fire early, and again, and again


class Connection:
    """A link while it lasts; made for one `open`, so that whatever comes late from an older one finds it gone.

    `on_written` is told of each letter that was handed over, and when; `on_attempted` of each that is about to be: the
    unit may take it even if nothing more is ever heard of it.
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
        """Open the link. Raises LinkError."""
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
        """Tell the unit to stop until it has it; learns the pace on the way. Raises LinkError."""
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
        """Hand this over next, instead of whatever waits."""
        self._scheduler.put(pending)
        self._wake.set()

    async def drive(self) -> None:
        """Carry letters until the unit refuses one. Raises LinkError when the link has shown to be bad.

        A link that is given up may still carry something, and the unit may be moving: it is handed one more stop.
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
            deadline = self._scheduler.deadline()
            await self._wait(deadline)
            if deadline is not None and self._clock() > deadline + STALL_S:
                self._scheduler.receive_stall(self._clock())

    @property
    def may_be_turning(self) -> bool:
        """Whether the unit was made to move here, and has not shown since that it has a stop."""
        return not self._scheduler.is_surely_at_rest

    async def send_final_stop(self) -> bool:
        """Get one more stop onto the air, if the link still can, within `last_stop_s`.

        Returns whether nothing spoke against it. Raises no LinkError.
        """
        if self.details is None or self._is_lost:
            return False
        with contextlib.suppress(LinkError, TimeoutError):
            async with timeout(self._options.last_stop_s):
                if self._write_task is not None:  # cutting it short could block what comes after it
                    await asyncio.wait({self._write_task})
                if not self._scheduler.with_response:  # this cannot be held up by anything unanswered
                    await self._write_stop(response=False)
                if self._can_acknowledge:
                    await self._write_stop(response=True)
                else:  # closing at once could cut off what still waits in the radio
                    await asyncio.sleep(2 * self.interval.estimate_s)
                return not self._is_lost
        return False

    def cancel(self) -> None:
        """Give up whatever is still being called; nothing is waited for."""
        for call in (self._write_task, self._keep_alive_task):
            if call is not None:
                call.cancel()

    async def _stop_until_answered(self) -> None:
        """A stop that the unit acknowledges; or several, and a question whose answer shows that they came through."""
        if not self._scheduler.with_response:  # commands overtake the questions that BlueZ itself asks a new unit
            for _ in range(1 if self._can_acknowledge else UNACKNOWLEDGED_STOPS):
                await self._write_stop(response=False)
                await asyncio.sleep(self.interval.estimate_s)
        round_trip_s = await self._first_answer()
        if round_trip_s is not None and round_trip_s > self.interval.backlog_after_s:  # something was ahead of it
            again_s = await self._first_answer()
            round_trip_s = min(round_trip_s, again_s or round_trip_s)
        if round_trip_s is not None:
            self.interval.receive_round_trip(round_trip_s)

    async def _first_answer(self) -> float | None:
        """How long the unit took to acknowledge a stop, or else to answer a question; None where it can do neither."""
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
        """Hand over one more stop and wait for nothing: a link that is only slow, or looked dead, still carries it.

        Behind a write that hangs it may hang as well, and is let go of like any call.
        """
        if not self._is_lost:
            self._on_attempted(self._stop, self._clock())
            writing = self._calls.begin(self._link.write(self._stop.frame, response=self._scheduler.with_response))
            timer = asyncio.get_running_loop().call_later(self.interval.answer_timeout_s, writing.cancel)
            writing.add_done_callback(lambda _: timer.cancel())

    async def _write_newest(self) -> None:
        attempted = None
        while (pending := self._scheduler.newest()) is not attempted:  # telling of a move may end it: it may be too old
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
        """Take in what has ended; False if the unit refused a command. Raises LinkError."""
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

    async def _wait(self, deadline: float | None) -> None:
        """Sleep until something happens, or until this time; without a deadline there is no timer at all."""
        timer = None
        if deadline is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(max(TIMER_S, deadline - self._clock()), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _raise_if_lost(self) -> None:
        if self._is_lost:
            raise LinkError(LinkReason.LOST, "the connection was lost")

    def _receive_lost(self) -> None:
        self._is_lost = True
        self._wake.set()
