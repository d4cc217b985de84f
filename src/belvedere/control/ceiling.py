"""How long the head may be kept moving without rest, whoever does it, and however they number their presses."""

from __future__ import annotations

import math


class Ceiling:
    """The time of motion since the last rest.

    A rest is `rest_s` seconds in which neither axis was told to turn. A new press, another driver or another way in is
    none: otherwise whoever takes turns with themselves would never have to stop.
    """

    def __init__(self, max_s: float, rest_s: float) -> None:
        self._max_s = max_s
        self._rest_s = rest_s
        self._began_at = -math.inf  # when the head first moved after the last rest
        self._at_rest_since: float | None = -math.inf

    def receive(self, now: float, *, is_moving: bool) -> None:
        """From now on the head is told to turn, or is not."""
        if not is_moving:
            self._at_rest_since = now if self._at_rest_since is None else self._at_rest_since
            return
        if self._has_rested(now):
            self._began_at = now
        self._at_rest_since = None

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before`: what was counted until then stays counted."""
        self._began_at -= before - now
        if self._at_rest_since is not None:
            self._at_rest_since -= before - now

    def ends_at(self, now: float) -> float:
        """Until when the head may be moved without rest; infinite once it has rested."""
        return math.inf if self._has_rested(now) else self._began_at + self._max_s

    def _has_rested(self, now: float) -> bool:
        return self._at_rest_since is not None and now - self._at_rest_since >= self._rest_s
