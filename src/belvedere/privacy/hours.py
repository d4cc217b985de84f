"""Quiet hours: spans of local time that come back every week. A span may go over midnight; several may overlap."""

from __future__ import annotations

import bisect
import functools
import math
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTES_A_DAY = 1440
MINUTES_A_WEEK = 7 * MINUTES_A_DAY
MAX_SPANS = 28  # four a day

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
Minute = Annotated[int, msgspec.Meta(ge=0, le=MINUTES_A_DAY - 1)]


class LocalTime(msgspec.Struct, frozen=True):
    """A time of the week where the room is: Monday is weekday 0; `minute` is counted from midnight, with fractions."""

    weekday: int
    minute: float


class QuietSpan(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """From a minute of a weekday until another minute, exclusive: of the same day if that is later, else of the next.

    Where both are the same, it lasts for a whole day.
    """

    weekday: Weekday
    from_minute: Minute
    until_minute: Minute

    def in_weeks(self, count: int) -> list[tuple[float, float]]:
        """From when until when it lasts in each of so many weeks, in minutes since the first began."""
        length = (self.until_minute - self.from_minute) % MINUTES_A_DAY or MINUTES_A_DAY
        begins = (week * MINUTES_A_WEEK + self._begin for week in range(count))
        return [(begin, begin + length) for begin in begins]

    def minutes_until(self, at: LocalTime) -> float:
        """How long it takes until it begins."""
        return (self._begin - _minute_of_week(at)) % MINUTES_A_WEEK

    @property
    def _begin(self) -> int:
        return self.weekday * MINUTES_A_DAY + self.from_minute


def quiet_minutes(spans: Sequence[QuietSpan], at: LocalTime) -> float:
    """How much longer it is quiet at this time, over spans that follow or overlap each other.

    0 outside of the quiet hours, infinite where they never end.
    """
    stretches = _stretches(tuple(spans))
    minute = MINUTES_A_WEEK + _minute_of_week(at)
    before = bisect.bisect_right(stretches, (minute, math.inf)) - 1
    left = max(0.0, stretches[before][1] - minute) if before >= 0 else 0.0
    return left if left < MINUTES_A_WEEK else math.inf


def minutes_until_quiet(spans: Sequence[QuietSpan], at: LocalTime) -> float:
    """How long it takes until the next span begins; infinite without spans."""
    return min((span.minutes_until(at) for span in spans), default=math.inf)


def _minute_of_week(at: LocalTime) -> float:
    return at.weekday * MINUTES_A_DAY + at.minute


@functools.lru_cache(maxsize=8)
def _stretches(spans: tuple[QuietSpan, ...]) -> tuple[tuple[float, float], ...]:
    """Where it is quiet in three weeks in a row, by minutes; the second one has neighbours on both sides.

    Kept, because it is asked for each command and, when rights change, for each session.
    """
    stretches: list[tuple[float, float]] = []
    for begin, end in sorted(each for span in spans for each in span.in_weeks(3)):
        if stretches and begin <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], max(end, stretches[-1][1])
        else:
            stretches.append((begin, end))
    return tuple(stretches)
