"""The longest time for which the head may be kept moving without a rest, by any number of holds and drivers.

Each hold has its own longest time in `core.py`; this one spans holds. A script that sends a new hold number with every
message never exceeds the first, and would keep the head turning for as long as it runs without the second.
"""

from __future__ import annotations

import math


class Ceiling:
    """Measures the time of motion since the last rest.

    A rest is `rest_s` seconds during which neither axis is commanded to move. A shorter pause, a new hold or another
    driver does not count as a rest: otherwise two sessions of one client could take turns and never have to stop.
    """

    def __init__(self, max_s: float, rest_s: float) -> None:
        self._max_s = max_s
        self._rest_s = rest_s
        self._began_at = -math.inf  # when the head first moved after the last rest
        self._at_rest_since: float | None = -math.inf  # None while the head is commanded to move

    def receive(self, now: float, *, is_moving: bool) -> None:
        """From now on the head is commanded to move, or not to; repeating the same state changes nothing."""
        if not is_moving:
            self._at_rest_since = now if self._at_rest_since is None else self._at_rest_since
            return
        if self._has_rested(now):  # after a shorter pause the time goes on from the earlier beginning
            self._began_at = now
        self._at_rest_since = None

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before` to `now`: shift both times, so that the durations stay the same."""
        self._began_at -= before - now
        if self._at_rest_since is not None:
            self._at_rest_since -= before - now

    def ends_at(self, now: float) -> float:
        """The time at which motion without a rest must end; infinite once the head has rested."""
        return math.inf if self._has_rested(now) else self._began_at + self._max_s

    def _has_rested(self, now: float) -> bool:
        return self._at_rest_since is not None and now - self._at_rest_since >= self._rest_s
