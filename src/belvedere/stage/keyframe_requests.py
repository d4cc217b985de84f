"""How often a lost picture is answered with a key frame. Pure: time is an argument.

A key frame is as large as ten others, and all viewers share one encoder: whoever asks without end spoils everyone's
picture. No request is lost: one that comes too early waits, and any key frame serves everybody who waits.
"""

from __future__ import annotations

from belvedere.token_bucket import TokenBucket

REPEAT_S = 1.0  # one viewer's second request waits so long: the first key frame needs a while to be seen
APART_S = 0.1  # between any two key frames, so that viewers who ask together share one
PER_S = 1.0  # in the long run, whoever asks: a tenth of the bitrate
BURST = 3  # at once after a quiet time, so that nobody who comes or lost the picture waits


class ViewerRequests:
    """One viewer's requests."""

    def __init__(self) -> None:
        self._is_waiting = False
        self._granted_s = float("-inf")

    def receive_request(self, now_s: float) -> bool:
        """The viewer asks; returns whether to ask the encoder now, or else later when `is_due` says so."""
        self._is_waiting = True
        return self.is_due(now_s)

    def receive_keyframe(self) -> None:
        """The viewer is sent a key frame, whoever asked for it."""
        self._is_waiting = False

    def is_due(self, now_s: float) -> bool:
        """Whether a request waits no longer and is to be handed on by the caller; so says it once."""
        if not self._is_waiting or now_s - self._granted_s < REPEAT_S:
            return False
        self._is_waiting = False
        self._granted_s = now_s
        return True


class KeyframeBudget:
    """How often the encoder begins anew on request, for all viewers together."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(PER_S, BURST)
        self._last_s = float("-inf")

    def receive_keyframe(self, at_s: float) -> None:
        """There was a key frame, asked for or not."""
        self._last_s = at_s

    def take(self, now_s: float) -> bool:
        """Whether there may be one now; it is counted."""
        return now_s - self._last_s >= APART_S and self._bucket.take(now_s)
