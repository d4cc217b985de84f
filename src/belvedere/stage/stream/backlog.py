"""Bounds how far behind a viewer's picture may be: decides which frames are sent, by what is acknowledged. Pure.

What waits may wait anywhere: here, in the kernel, in a router, or in a proxy or tunnel that takes seconds of video at
once. Only the viewer knows what has arrived. So there are two bounds, on the age of the oldest frame that is sent and
not acknowledged, and, on a path that has proved too narrow, on how long the next frame would take behind all of those;
both less the time that the path takes when nothing waits in it:

    SKIPPING --an IDR, and nothing unacknowledged--> SENDING --beyond a bound--> SKIPPING

While it skips, nothing new is sent, so that what waits is delivered and the next IDR finds an empty path.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WAITING_S = 0.25  # more than this must not wait; half of it would skip at each packet lost over a mobile network
NARROW_S = 10.0  # for so long after something waited too long, the path counts as too narrow
FIRST_PATH_S = 0.1  # the path's assumed time there and back until the first acknowledgement; nearly all are quicker
MAX_PATH_S = 1.0  # a viewer that delays its acknowledgements on purpose gets no more than this
PATH_GAIN = 0.25  # how fast a path that has become longer is believed
RATE_WINDOW_S = 2.0  # the best rate of this window and of the one before counts: most frames are too small to show it
RATE_SAMPLE_S = 0.02  # acknowledgements that come closer together are counted as one
SILENT_S = 5.0  # a viewer that acknowledges nothing for this long is gone, or asleep


class UnknownFrameError(ValueError):
    """An acknowledgement of a frame that was not sent."""


@dataclass(slots=True)
class _Sent:
    ticks: int
    at_s: float
    size: int
    is_alone: bool  # nothing else was on its way


class _DeliveryRate:
    """The best rate at which the path has delivered lately while more was on its way; infinite while none is known."""

    def __init__(self) -> None:
        self._best = [0.0, 0.0]  # of this window and of the one before
        self._until_s = float("-inf")
        self._since_s = float("-inf")
        self._bytes = 0

    @property
    def bytes_per_s(self) -> float:
        return max(self._best) or float("inf")

    def receive(self, now_s: float, size: int, sent_s: float) -> None:
        """Bytes were acknowledged, the last of which were sent at `sent_s`."""
        if sent_s >= self._since_s:  # the path was empty in between, so the time says nothing
            self._since_s, self._bytes = now_s, 0
            return
        self._bytes += size
        took_s = now_s - self._since_s
        if took_s < RATE_SAMPLE_S:
            return
        if now_s >= self._until_s:
            self._best = [0.0, self._best[0]]
            self._until_s = now_s + RATE_WINDOW_S
        self._best[0] = max(self._best[0], self._bytes / took_s)
        self._since_s, self._bytes = now_s, 0


class Backlog:
    """The frames that one viewer was sent and has not acknowledged. Times are in seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()
        self._newest_ticks = -1
        self._rate = _DeliveryRate()
        self._path_s: float | None = None
        self._narrow_until_s = float("-inf")
        self._is_skipping = True

    @property
    def is_skipping(self) -> bool:
        """Whether nothing is sent until an IDR."""
        return self._is_skipping

    @property
    def needs_idr(self) -> bool:
        """Whether sending could go on now, if there were an IDR."""
        return self._is_skipping and not self._sent

    def receive_frame(self, now_s: float, ticks: int, size: int, *, is_idr: bool) -> bool:
        """Whether to send this frame of `size` bytes, which counts as sent then.

        Where it returns False, drop what is unsent, too.
        """
        if self._waits_too_long(now_s, size):
            self._is_skipping = True
            self._narrow_until_s = now_s + NARROW_S
        if self._is_skipping and (self._sent or not is_idr):
            return False
        self._is_skipping = False
        self._sent.append(_Sent(ticks, now_s, size, is_alone=not self._sent))
        self._newest_ticks = ticks
        return True

    def receive_dropped(self, ticks: int) -> None:
        """This frame and all later ones were dropped before they left; what follows begins with an IDR."""
        while self._sent and self._sent[-1].ticks >= ticks:
            self._sent.pop()
        self._is_skipping = True

    @property
    def delivered_bits_per_s(self) -> float:
        """The rate at which the path has delivered lately while it was full; infinite while it was not."""
        return 8 * self._rate.bytes_per_s

    def receive_acknowledgement(self, now_s: float, ticks: int) -> float | None:
        """The viewer has this frame and all before it. Raises UnknownFrameError for one that was never sent.

        Returns how long the newest took there and back, without what its own size takes; None if it is known already.
        """
        if ticks > self._newest_ticks:
            raise UnknownFrameError
        newest, size = None, 0
        while self._sent and self._sent[0].ticks <= ticks:
            newest = self._sent.popleft()
            size += newest.size
        if newest is None:
            return None
        self._rate.receive(now_s, size, newest.at_s)
        self._receive_path(now_s - newest.at_s, is_alone=newest.is_alone)
        return max(0.0, now_s - newest.at_s - newest.size / self._rate.bytes_per_s)

    def is_silent(self, now_s: float) -> bool:
        """Whether the viewer has acknowledged nothing for so long that it counts as gone."""
        return bool(self._sent) and now_s - self._sent[0].at_s > SILENT_S

    def _waits_too_long(self, now_s: float, size: int) -> bool:
        """Whether the oldest frame does, or one of this size would."""
        if not self._sent:
            return False
        path_s = FIRST_PATH_S if self._path_s is None else self._path_s
        waiting_s = now_s - self._sent[0].at_s - path_s
        if waiting_s > WAITING_S or now_s >= self._narrow_until_s:
            return waiting_s > WAITING_S
        unacknowledged = size + sum(each.size for each in self._sent)
        return unacknowledged / self._rate.bytes_per_s > path_s + WAITING_S

    def _receive_path(self, took_s: float, *, is_alone: bool) -> None:
        """The shortest time counts; only a frame that nothing was in the way of can show that the path is longer."""
        took_s = min(took_s, MAX_PATH_S)
        if self._path_s is None or took_s < self._path_s:
            self._path_s = took_s
        elif is_alone:
            self._path_s += PATH_GAIN * (took_s - self._path_s)
