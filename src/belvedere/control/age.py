"""How old a command may be at most, told by what its sender had heard of us, and how fast the head may turn for that.

A command that names a time of our clock was sent after that time was told: it is younger than that, whatever any clock
of the sender's says. A command that was held up, or sent again by somebody in between, names an old time.
"""

from __future__ import annotations

import math

SLOWEST = (
    0.25  # top speed at the largest delay: the head turns on by no more after letting go than it does at half of it
)
GRAIN_S = 0.001  # the wire rounds times to the microsecond, and some loops' clocks go by milliseconds


def age_bound_s(now: float, heard_s: float) -> float:
    """How old a command can be that was sent after `heard_s` was told; infinite for a time that nobody was told yet."""
    age_s = now - heard_s
    return max(0.0, age_s) if age_s >= -GRAIN_S else math.inf


def top_speed(age_s: float, max_age_s: float) -> float:
    """The most of full speed at this age: all of it up to half of `max_age_s`, then less and less, down to SLOWEST."""
    beyond = min(1.0, max(0.0, 2 * age_s / max_age_s - 1))
    return 1 - (1 - SLOWEST) * beyond
