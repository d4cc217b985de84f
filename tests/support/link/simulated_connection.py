"""One simulated connection: packets to the unit queue without limit and are sent at connection events."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(eq=False, slots=True)
class Packet:
    """A frame for the unit, or a keep-alive if empty."""

    frame: bytes
    wants_answer: bool
    answer: asyncio.Future[None] | None = field(default=None)


class SimulatedConnection:
    """Connection events at a steady interval; no timer runs while nothing waits.

    `on_packet` returns how the unit responds to a packet: None for success, REFUSED, or UNANSWERED for no answer.
    """

    def __init__(
        self,
        *,
        first_event_in_s: float,
        interval_s: float,
        packets_per_event: int,
        on_packet: Callable[[Packet], LinkReason | None],
        on_lost: Callable[[], None],
    ) -> None:
        self.interval_s = interval_s
        self.is_open = True
        self.on_lost = on_lost
        self._packets_per_event = packets_per_event
        self._on_packet = on_packet
        self._loop = asyncio.get_running_loop()
        self._anchor_s = self._loop.time() + first_event_in_s
        self._queue: deque[Packet] = deque()
        self._unanswered: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """The number of queued packets."""
        return len(self._queue)

    async def send(self, packet: Packet) -> None:
        """Queue a packet, without limit, and wait for its answer if it wants one. Raises LinkError."""
        if not self.is_open:
            raise LinkError(LinkReason.LOST, "the link is closed")
        if packet.wants_answer:
            packet.answer = self._loop.create_future()
            self._unanswered.add(packet.answer)
        self._queue.append(packet)
        self.arm()
        if packet.answer is not None:
            await packet.answer

    def arm(self) -> None:
        """Set the timer for the next event if a packet is queued."""
        if self._timer is None and self._queue and self.is_open and self._expiry is None:
            since_anchor = (self._loop.time() - self._anchor_s) / self.interval_s
            next_s = self._anchor_s + (math.floor(since_anchor + 1e-6) + 1) * self.interval_s
            self._timer = self._loop.call_at(next_s, self._run)

    def mute(self, supervision_s: float, on_expired: Callable[[], None]) -> None:
        """Block all packets; call `on_expired` if that lasts for the supervision time."""
        if self._expiry is None:
            self._expiry = self._loop.call_later(supervision_s, on_expired)

    def unmute(self) -> None:
        """Unblock the packets."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
            self.arm()

    def close(self) -> None:
        """Close the connection and drop what is queued."""
        self.is_open = False
        self._queue.clear()
        for timer in (self._timer, self._expiry):
            if timer is not None:
                timer.cancel()
        for answer in self._unanswered:
            self._answer(answer, LinkReason.LOST)
        self._unanswered.clear()

    def _run(self) -> None:
        """Run one connection event."""
        self._timer = None
        if self._expiry is not None:
            return
        for _ in range(min(self._packets_per_event, len(self._queue))):
            packet = self._queue.popleft()
            problem = self._on_packet(packet)
            if packet.answer is not None and problem is not LinkReason.UNANSWERED:
                self._loop.call_later(self.interval_s, self._receive_answer, packet.answer, problem)
        self.arm()

    def _receive_answer(self, answer: asyncio.Future[None], problem: LinkReason | None) -> None:
        """Deliver an answer now, or at the first event after the connection is unblocked."""
        if self._expiry is not None and self.is_open:
            self._loop.call_later(self.interval_s, self._receive_answer, answer, problem)
        else:
            self._unanswered.discard(answer)
            self._answer(answer, problem)

    def _answer(self, answer: asyncio.Future[None], problem: LinkReason | None) -> None:
        if answer.done():  # the caller was cancelled
            return
        if problem is None:
            answer.set_result(None)
        else:
            answer.set_exception(LinkError(problem, "refused" if problem is LinkReason.REFUSED else "closed"))
