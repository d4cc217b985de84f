"""Distributes one stream of encoded frames to many viewers, so that a slow one never delays the others. No threads."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

from belvedere.stage.frames import MediaKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame

SUBSCRIBER_FRAMES = 8  # 0.27 s at 30 fps: more would delay the picture, fewer would overflow at a short stall
KEPT_FRAMES = 300  # ten seconds at 30 fps: cameras send an IDR every one to four
KEPT_BYTES = 8 * 2**20
VIDEO_ONLY = frozenset({MediaKind.VIDEO})


class Subscriber:
    """One viewer's queue of frames: short, and its video begins with an IDR, also after any gap.

    Args:
        kinds: the kinds of frames that this viewer can be sent; others are ignored.

    Attributes:
        dropped: how many frames this viewer did not get.
        takes_keyframes_only: for a viewer who cannot take all; set and cleared at any time.
    """

    def __init__(self, kinds: frozenset[MediaKind] = VIDEO_ONLY) -> None:
        self._kinds = kinds
        self._frames: deque[EncodedFrame] = deque()
        self._is_needing_idr = True
        self._is_closed = False
        self._changed = asyncio.Event()
        self._capacity = SUBSCRIBER_FRAMES
        self.dropped = 0
        self.takes_keyframes_only = False

    def start(self, kept: list[EncodedFrame]) -> None:
        """Begin with frames that were kept since an IDR; they may be more than the queue holds otherwise."""
        self._capacity = SUBSCRIBER_FRAMES + len(kept)
        for frame in kept:
            self.receive_frame(frame)

    def receive_frame(self, frame: EncodedFrame) -> bool:
        """Queue a frame or drop it; returns whether this viewer needs an IDR to continue.

        If the queue is full it is emptied: a viewer who does not keep up needs the newest picture, not the oldest.
        """
        if self._is_closed or frame.kind not in self._kinds:
            return False
        if len(self._frames) >= self._capacity:
            self._empty()
        if frame.kind is MediaKind.VIDEO:
            if self.takes_keyframes_only and not frame.is_idr:
                self.dropped += 1
                self._is_needing_idr = True
                return False
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
        frame = self._frames.popleft()
        self._capacity = max(SUBSCRIBER_FRAMES, min(self._capacity, len(self._frames) + SUBSCRIBER_FRAMES))
        return frame

    def cut(self) -> None:
        """Drop all queued frames; video goes on with the next IDR."""
        self._empty()

    def close(self) -> None:
        """Empty the queue and make `next_frame` return None; may be called more than once."""
        self._is_closed = True
        self._frames.clear()
        self._changed.set()

    def _empty(self) -> None:
        self.dropped += len(self._frames)
        self._frames.clear()
        self._capacity = SUBSCRIBER_FRAMES
        self._is_needing_idr = True


class _KeptFrames:
    """The frames since the last IDR, within bounds; none if there would be more."""

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self._bytes = 0

    def receive_frame(self, frame: EncodedFrame) -> None:
        if frame.is_idr:
            self.clear()
        elif not self.frames:
            return
        self.frames.append(frame)
        self._bytes += len(frame.data)
        if len(self.frames) > KEPT_FRAMES or self._bytes > KEPT_BYTES:
            self.clear()

    def clear(self) -> None:
        self.frames = []
        self._bytes = 0


class Hub:
    """Passes every frame to every attached subscriber, and requests an IDR whenever one of them needs it.

    Where an IDR cannot be requested, it keeps the frames since the last one for those who come next.
    """

    def __init__(self, request_idr: Callable[[], None]) -> None:
        self._request_idr = request_idr
        self._subscribers: set[Subscriber] = set()
        self._cut_s = -math.inf
        self._kept: _KeptFrames | None = None  # None while an IDR can be requested

    def receive_stream(self, *, can_request_idr: bool) -> None:
        """The frames that follow are of another stream."""
        self._kept = None if can_request_idr else _KeptFrames()

    def attach(self, subscriber: Subscriber) -> None:
        """Add a subscriber. It begins with the last IDR if that is kept, else with the next, which is requested."""
        self._subscribers.add(subscriber)
        if self._kept is not None and self._kept.frames:
            subscriber.start(self._kept.frames)
        else:
            self._request_idr()

    def detach(self, subscriber: Subscriber) -> None:
        """Remove and close a subscriber, attached or not."""
        self._subscribers.discard(subscriber)
        subscriber.close()

    def receive_frame(self, frame: EncodedFrame) -> None:
        """Pass one frame to every subscriber, unless it was captured before a cut."""
        if frame.captured_s <= self._cut_s:
            return
        if self._kept is not None and frame.kind is MediaKind.VIDEO:
            self._kept.receive_frame(frame)
        # A list, not a generator: `any` must not stop before every subscriber has the frame.
        waiting = [subscriber.receive_frame(frame) for subscriber in self._subscribers]
        if any(waiting):
            self._request_idr()

    def cut(self, at_s: float) -> None:
        """Drop all frames that were captured up to `at_s`: those in the queues, and those that come later."""
        self._cut_s = max(self._cut_s, at_s)
        if self._kept is not None:
            self._kept.clear()
        for subscriber in self._subscribers:
            subscriber.cut()
        if self._subscribers:
            self._request_idr()
