"""Bounds how far behind a viewer's picture may be: decides which frames are sent, by what is acknowledged. Pure.

What waits may wait anywhere: here, in the kernel, in a router, or in a proxy or tunnel that takes seconds of video at
once. Only the viewer knows what has arrived, so the bound is on the age of the oldest frame that is sent and not
acknowledged, less the time that the path takes when nothing waits in it:

    SKIPPING --an IDR, and nothing unacknowledged--> SENDING --the oldest is overdue--> SKIPPING

While it skips, nothing new is sent, so that what waits is delivered and the next IDR finds an empty path.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WAITING_S = 0.25  # more than this must not wait; half of it would skip at each packet lost over a mobile network
FIRST_PATH_S = 0.5  # the path's assumed time there and back until the first acknowledgement: as bad as they get
MAX_PATH_S = 1.0  # a viewer that delays its acknowledgements on purpose gets no more than this
PATH_GAIN = 0.25  # how fast a path that has become longer is believed
SILENT_S = 5.0  # a viewer that acknowledges nothing for this long is gone, or asleep


class UnknownFrameError(ValueError):
    """An acknowledgement of a frame that was not sent."""


@dataclass(slots=True)
class _Sent:
    ticks: int
    at_s: float
    is_alone: bool  # nothing else was on its way


class Backlog:
    """The frames that one viewer was sent and has not acknowledged. Times are in seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()
        self._newest_ticks = -1
        self._path_s: float | None = None
        self._is_skipping = True

    @property
    def is_skipping(self) -> bool:
        """Whether nothing is sent until an IDR."""
        return self._is_skipping

    @property
    def needs_idr(self) -> bool:
        """Whether sending could go on now, if there were an IDR."""
        return self._is_skipping and not self._sent

    def receive_frame(self, now_s: float, ticks: int, *, is_idr: bool) -> bool:
        """Whether to send this frame, which counts as sent then. Where it returns False, drop what is unsent, too."""
        if self._waiting_s(now_s) > WAITING_S:
            self._is_skipping = True
        if self._is_skipping and (self._sent or not is_idr):
            return False
        self._is_skipping = False
        self._sent.append(_Sent(ticks, now_s, is_alone=not self._sent))
        self._newest_ticks = ticks
        return True

    def receive_dropped(self, ticks: int) -> None:
        """This frame and all later ones were dropped before they left; what follows begins with an IDR."""
        while self._sent and self._sent[-1].ticks >= ticks:
            self._sent.pop()
        self._is_skipping = True

    def receive_acknowledgement(self, now_s: float, ticks: int) -> None:
        """The viewer has this frame and all before it. Raises UnknownFrameError for one that was never sent."""
        if ticks > self._newest_ticks:
            raise UnknownFrameError
        newest = None
        while self._sent and self._sent[0].ticks <= ticks:
            newest = self._sent.popleft()
        if newest is not None:
            self._receive_path(now_s - newest.at_s, is_alone=newest.is_alone)

    def is_silent(self, now_s: float) -> bool:
        """Whether the viewer has acknowledged nothing for so long that it counts as gone."""
        return bool(self._sent) and now_s - self._sent[0].at_s > SILENT_S

    def _waiting_s(self, now_s: float) -> float:
        """How long the oldest frame has been on its way beyond what the path takes."""
        if not self._sent:
            return 0.0
        path_s = FIRST_PATH_S if self._path_s is None else self._path_s
        return now_s - self._sent[0].at_s - path_s

    def _receive_path(self, took_s: float, *, is_alone: bool) -> None:
        """The shortest time counts; only a frame that nothing was in the way of can show that the path is longer."""
        took_s = min(took_s, MAX_PATH_S)
        if self._path_s is None or took_s < self._path_s:
            self._path_s = took_s
        elif is_alone:
            self._path_s += PATH_GAIN * (took_s - self._path_s)
