"""Quiet hours: spans of local time that come back every week. A span may go over midnight; several may overlap."""

from __future__ import annotations

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

    def left_minutes(self, at: LocalTime) -> float:
        """How much longer it lasts at this time; 0 outside of it."""
        length = (self.until_minute - self.from_minute) % MINUTES_A_DAY or MINUTES_A_DAY
        passed = (_minute_of_week(at) - self._begin) % MINUTES_A_WEEK
        return max(0.0, length - passed)

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
    passed = 0.0
    while passed < MINUTES_A_WEEK:
        left = max((span.left_minutes(_later(at, passed)) for span in spans), default=0.0)
        if not left:
            return passed
        passed += left
    return math.inf


def minutes_until_quiet(spans: Sequence[QuietSpan], at: LocalTime) -> float:
    """How long it takes until the next span begins; infinite without spans."""
    return min((span.minutes_until(at) for span in spans), default=math.inf)


def _minute_of_week(at: LocalTime) -> float:
    return at.weekday * MINUTES_A_DAY + at.minute


def _later(at: LocalTime, minutes: float) -> LocalTime:
    days, minute = divmod(at.minute + minutes, MINUTES_A_DAY)
    return LocalTime((at.weekday + int(days)) % 7, minute)
