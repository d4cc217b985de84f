"""How late a client's messages come, judged without trusting its clock: against its own quickest messages."""

from __future__ import annotations

import math
from collections import deque

WINDOW_S = 30.0  # how long a quick message is remembered; a clock that jumped is forgiven after this
JUMP_S = 0.1  # a clock that stood still for less costs nobody a drive; more is not what rounding does


class RelativeDelay:
    """Compares two clocks that share nothing but their pace.

    The smallest difference between arrival and sending seen in the last half a minute belongs to the quickest message;
    whatever arrives with a larger difference spent the rest of it waiting somewhere on the way.
    """

    def __init__(self) -> None:
        self._smallest: deque[tuple[float, float]] = deque()  # (arrival, difference), differences rising

    def receive(self, now: float, sent_at_s: float, max_s: float = math.inf) -> float:
        """Take note of a message and return how much later than the quickest it came (seconds, at least 0).

        Where it cannot be later than `most_s`, but seems so, the client's clock has stood still, as it does while a
        computer sleeps, or was set back: what was known of it counts no more.
        """
        late_s = self._receive(now, sent_at_s)
        if late_s > max_s + JUMP_S:
            self._smallest.clear()
            late_s = self._receive(now, sent_at_s)
        return min(late_s, max_s)

    def _receive(self, now: float, sent_at_s: float) -> float:
        difference = now - sent_at_s
        while self._smallest and self._smallest[-1][1] >= difference:
            self._smallest.pop()
        self._smallest.append((now, difference))
        while self._smallest[0][0] < now - WINDOW_S:
            self._smallest.popleft()
        return difference - self._smallest[0][1]
