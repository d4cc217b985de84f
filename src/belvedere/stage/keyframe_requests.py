"""Limits how often viewers' requests produce a key frame. Pure: time is an argument.

A key frame is as large as ten other frames, and all viewers share one encoder: unlimited requests by one viewer would
blur everyone's picture. No request is lost: one that comes too early waits, and any key frame satisfies all that wait.
"""

from __future__ import annotations

from belvedere.token_bucket import TokenBucket

REPEAT_S = 1.0  # between one viewer's requests: the key frame for the first takes a while to arrive
APART_S = 0.1  # between two key frames, so that simultaneous requests share one
PER_S = 1.0  # in the long run, for all viewers together: a tenth of the bitrate
BURST = 3  # after a quiet time, so that a new viewer or one who lost the picture need not wait


class ViewerRequests:
    """The requests of one viewer."""

    def __init__(self) -> None:
        self._is_waiting = False
        self._granted_s = float("-inf")

    def receive_request(self, now_s: float) -> bool:
        """The viewer requests a key frame; returns whether to ask the encoder now. If not, `is_due` says when."""
        self._is_waiting = True
        return self.is_due(now_s)

    def receive_keyframe(self) -> None:
        """The viewer is sent a key frame, requested by anyone; a waiting request is satisfied."""
        self._is_waiting = False

    def is_due(self, now_s: float) -> bool:
        """Whether the caller must ask the encoder for a key frame now; true once for each request."""
        if not self._is_waiting or now_s - self._granted_s < REPEAT_S:
            return False
        self._is_waiting = False
        self._granted_s = now_s
        return True


class KeyframeBudget:
    """Limits the key frames that the encoder makes on request, for all viewers together."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(PER_S, BURST)
        self._last_s = float("-inf")

    def receive_keyframe(self, at_s: float) -> None:
        """The encoder made a key frame, requested or not."""
        self._last_s = at_s

    def take(self, now_s: float) -> bool:
        """Whether a key frame may be requested now; if so, it is counted."""
        return now_s - self._last_s >= APART_S and self._bucket.take(now_s)
