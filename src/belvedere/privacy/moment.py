"""When an event happens, by each of the clocks that the room's rules need."""

from __future__ import annotations

import msgspec

from belvedere.privacy.hours import LocalTime


class Moment(msgspec.Struct, frozen=True):
    """One moment.

    Attributes:
        now: seconds of a monotonic clock; what ends knocks and visits.
        utc_s: seconds since 1970 by the wall clock; what people are told.
        local: the time of the week where the room is; what quiet hours go by.
    """

    now: float
    utc_s: float
    local: LocalTime
