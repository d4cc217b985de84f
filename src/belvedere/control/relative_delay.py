"""How late a client's messages arrive, compared with its own fastest messages, so that no clocks are synchronised.

Each message carries the client's time of sending. The difference `arrival - sent` is the unknown offset between the two
clocks plus the delay of this message. The offset is the same for all messages, so a message's difference minus the
smallest recent difference is the delay beyond that of the fastest message: queueing, retransmission, a frozen tab.
A constant delay is invisible to this measure; `age.py` bounds that one.
"""

from __future__ import annotations

import math
from collections import deque

WINDOW_S = 30.0  # how long a fast message is the reference; after a clock jump the old reference is gone after this
JUMP_S = 0.1  # an excess over the upper bound that rounding does not explain: the client's clock has stood still


class RelativeDelay:
    """The delay of one client's messages relative to its fastest message of the last `WINDOW_S` seconds.

    The two clocks may differ by any offset; they only have to run at the same rate.
    """

    def __init__(self) -> None:
        # A sliding-window minimum: (arrival, difference), oldest first, differences strictly rising. The first entry is
        # the minimum of the window; each later one becomes it when all before it have left the window.
        self._smallest: deque[tuple[float, float]] = deque()

    def receive(self, now: float, sent_at_s: float, max_s: float = math.inf) -> float:
        """Record a message and return how much later than the fastest one it arrived (seconds, at least 0).

        `max_s` is an upper bound known from elsewhere. If the message seems later than that by more than `JUMP_S`, it
        is the client's clock that stood still, as it does while a computer sleeps, or was set back. Then every earlier
        difference has another offset, so they are forgotten, and this message becomes the reference.
        """
        late_s = self._receive(now, sent_at_s)
        if late_s > max_s + JUMP_S:
            self._smallest.clear()
            late_s = self._receive(now, sent_at_s)
        return min(late_s, max_s)

    def _receive(self, now: float, sent_at_s: float) -> float:
        difference = now - sent_at_s
        # An earlier entry with a larger difference leaves the window first and can never be the minimum again.
        while self._smallest and self._smallest[-1][1] >= difference:
            self._smallest.pop()
        self._smallest.append((now, difference))
        while self._smallest[0][0] < now - WINDOW_S:
            self._smallest.popleft()
        return difference - self._smallest[0][1]
