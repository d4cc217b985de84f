"""One stream of encoded frames to many viewers, none of whom can slow another: pure bookkeeping, no threads."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SUBSCRIBER_FRAMES = 8  # a quarter of a second: more would be an old picture, less would stumble over a busy moment


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One picture, encoded.

    Attributes:
        data: an H.264 access unit in Annex B form.
        payloads: the same as RTP payloads (RFC 6184, packetization mode 1), shared by all viewers.
        ticks: when it was captured, in ticks of 1/90000 s of the server's monotonic clock.
        is_idr: a decoder can start here.
    """

    data: bytes
    payloads: tuple[bytes, ...]
    ticks: int
    is_idr: bool


class Subscriber:
    """One viewer's end of the hub: a short queue that starts, and after any gap starts again, at an IDR."""

    def __init__(self) -> None:
        self._frames: deque[EncodedFrame] = deque()
        self._is_needing_idr = True
        self._is_closed = False
        self._changed = asyncio.Event()
        self.dropped = 0

    def receive_frame(self, frame: EncodedFrame) -> bool:
        """Queue a frame or drop it; returns whether this viewer can only go on with an IDR.

        A viewer who does not keep up loses everything that waits: the newest picture is what matters.
        """
        if self._is_closed:
            return False
        if len(self._frames) >= SUBSCRIBER_FRAMES:
            self.dropped += len(self._frames)
            self._frames.clear()
            self._is_needing_idr = True
        if self._is_needing_idr and not frame.is_idr:
            self.dropped += 1
            return True
        self._is_needing_idr = False
        self._frames.append(frame)
        self._changed.set()
        return False

    async def next_frame(self) -> EncodedFrame | None:
        """The oldest frame that waits, as soon as there is one; None once the outlet is closed."""
        while not self._frames:
            if self._is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._frames.popleft()

    def close(self) -> None:
        """Drop what waits and end `next_frame`; may be called again."""
        self._is_closed = True
        self._frames.clear()
        self._changed.set()


class Hub:
    """Hands every frame to every attached outlet and asks for an IDR whenever one of them needs it."""

    def __init__(self, request_idr: Callable[[], None]) -> None:
        self._request_idr = request_idr
        self._subscribers: set[Subscriber] = set()

    def attach(self, subscriber: Subscriber) -> None:
        """Let an outlet take part; it begins with an IDR, which is asked for at once."""
        self._subscribers.add(subscriber)
        self._request_idr()

    def detach(self, subscriber: Subscriber) -> None:
        """End an outlet, attached or not."""
        self._subscribers.discard(subscriber)
        subscriber.close()

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Hand out one frame."""
        waiting = [subscriber.receive_frame(frame) for subscriber in self._subscribers]
        if any(waiting):
            self._request_idr()
