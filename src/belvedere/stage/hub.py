"""Distributes one stream of encoded frames to many viewers, so that a slow one never delays the others. No threads."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SUBSCRIBER_FRAMES = 8  # 0.27 s at 30 fps: more would delay the picture, fewer would overflow at a short stall


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One picture, encoded.

    Attributes:
        data: an H.264 access unit in Annex B format.
        payloads: the same access unit as RTP payloads (RFC 6184, packetization mode 1), shared by all viewers.
        ticks: when it was captured, in ticks of 1/90000 s of the server's monotonic clock.
        is_idr: a decoder can start here.
    """

    data: bytes
    payloads: tuple[bytes, ...]
    ticks: int
    is_idr: bool


class Subscriber:
    """One viewer's queue of frames: short, and it begins with an IDR, also after any gap.

    Attributes:
        dropped: how many frames this viewer did not get.
    """

    def __init__(self) -> None:
        self._frames: deque[EncodedFrame] = deque()
        self._is_needing_idr = True
        self._is_closed = False
        self._changed = asyncio.Event()
        self.dropped = 0

    def receive_frame(self, frame: EncodedFrame) -> bool:
        """Queue a frame or drop it; returns whether this viewer needs an IDR to continue.

        If the queue is full it is emptied: a viewer who does not keep up needs the newest picture, not the oldest.
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
        """Wait for the oldest queued frame; returns None once the subscriber is closed."""
        while not self._frames:
            if self._is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._frames.popleft()

    def close(self) -> None:
        """Empty the queue and make `next_frame` return None; may be called more than once."""
        self._is_closed = True
        self._frames.clear()
        self._changed.set()


class Hub:
    """Passes every frame to every attached subscriber, and requests an IDR whenever one of them needs it."""

    def __init__(self, request_idr: Callable[[], None]) -> None:
        self._request_idr = request_idr
        self._subscribers: set[Subscriber] = set()

    def attach(self, subscriber: Subscriber) -> None:
        """Add a subscriber. It begins with an IDR, which is requested at once."""
        self._subscribers.add(subscriber)
        self._request_idr()

    def detach(self, subscriber: Subscriber) -> None:
        """Remove and close a subscriber, attached or not."""
        self._subscribers.discard(subscriber)
        subscriber.close()

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Pass one frame to every subscriber."""
        # A list, not a generator: `any` must not stop before every subscriber has the frame.
        waiting = [subscriber.receive_frame(frame) for subscriber in self._subscribers]
        if any(waiting):
            self._request_idr()
