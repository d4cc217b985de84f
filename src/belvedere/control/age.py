"""An upper bound on the age of a command, measured by our own clock alone, and the top speed allowed at that age.

The server sends its time to every client, and a client puts the newest one that it has received into each command:

    server   sends time 10.0                       command arrives at 10.3
             |                                     ^
    client   +---> receives 10.0 ... sends command |     so the command was sent between 10.0 and 10.3: age <= 0.3 s

The command was sent after that time was sent, so it cannot be older than `now - heard_s`, whatever the client's clock
says. It overestimates the age: it includes the delay to the client and the time since the client last heard from us.
A command that was delayed, or replayed by somebody in between, names an old time, and its bound is large. A time later
than `now` cannot have been received, so it proves nothing, and the age is unbounded.
"""

from __future__ import annotations

import math

# Share of full speed that is left at the largest age. After a release the head turns on for as long as the command is
# on its way: a quarter of full speed for twice the time is half of the overrun at half of that age.
SLOWEST = 0.25
GRAIN_S = 0.001  # the wire rounds times to the microsecond, and some loops' clocks have a resolution of a millisecond


def age_bound_s(now: float, heard_s: float) -> float:
    """The greatest possible age of a command whose sender had received our time `heard_s`.

    Infinite if `heard_s` is later than `now`, a time that the server cannot have sent yet.
    """
    age_s = now - heard_s
    return max(0.0, age_s) if age_s >= -GRAIN_S else math.inf


def top_speed(age_s: float, max_age_s: float) -> float:
    """The top speed at this age, a share of full speed.

    It is 1 up to half of `max_age_s`, and falls linearly to SLOWEST at `max_age_s`: the later a release arrives, the
    further the head overruns what its driver sees.
    """
    beyond = min(1.0, max(0.0, 2 * age_s / max_age_s - 1))
    return 1 - (1 - SLOWEST) * beyond
