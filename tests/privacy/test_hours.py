"""Quiet hours by the week's local time."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.privacy.hours import (
    MINUTES_A_DAY,
    MINUTES_A_WEEK,
    LocalTime,
    QuietSpan,
    minutes_until_quiet,
    quiet_minutes,
)

NIGHT = QuietSpan(0, 22 * 60, 7 * 60)  # Monday 22:00 to Tuesday 07:00
NOON = QuietSpan(2, 12 * 60, 13 * 60)
SPANS = st.lists(st.builds(QuietSpan, st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439)), max_size=6)


def at(weekday: int, hour: float) -> LocalTime:
    return LocalTime(weekday, hour * 60)


@pytest.mark.parametrize(
    ("time", "left"),
    [
        (at(0, 21.99), 0),
        (at(0, 22), 540),
        (at(0, 23.5), 450),
        (at(1, 0), 420),
        (at(1, 6.5), 30),
        (at(1, 7), 0),
        (at(1, 23), 0),
        (at(2, 12.5), 30),
    ],
)
def test_a_span_may_go_over_midnight(time: LocalTime, left: float) -> None:
    assert quiet_minutes([NIGHT, NOON], time) == pytest.approx(left)


def test_a_span_may_go_over_the_end_of_the_week() -> None:
    sunday = QuietSpan(6, 23 * 60, 60)
    assert quiet_minutes([sunday], at(6, 23.5)) == 90
    assert quiet_minutes([sunday], at(0, 0.5)) == 30


def test_a_span_with_the_same_ends_lasts_for_a_day() -> None:
    assert quiet_minutes([QuietSpan(3, 600, 600)], at(3, 10)) == MINUTES_A_DAY
    assert quiet_minutes([QuietSpan(3, 600, 600)], at(4, 10)) == 0


def test_spans_that_follow_or_overlap_each_other_are_one() -> None:
    spans = [QuietSpan(0, 1380, 0), QuietSpan(1, 0, 60), QuietSpan(1, 30, 90)]
    assert quiet_minutes(spans, at(0, 23)) == 150


def test_a_whole_week_never_ends() -> None:
    assert quiet_minutes([QuietSpan(day, 0, 0) for day in range(7)], at(4, 4)) == math.inf


def test_how_long_until_it_is_quiet() -> None:
    assert minutes_until_quiet([NIGHT, NOON], at(0, 21)) == 60
    assert minutes_until_quiet([NIGHT], at(1, 7)) == MINUTES_A_WEEK - 540
    assert minutes_until_quiet([], at(1, 7)) == math.inf


@given(SPANS, st.integers(0, MINUTES_A_WEEK - 1))
def test_quiet_hours_agree_with_every_minute_counted(spans: list[QuietSpan], minute: int) -> None:
    quiet = {
        (span.weekday * MINUTES_A_DAY + span.from_minute + passed) % MINUTES_A_WEEK
        for span in spans
        for passed in range((span.until_minute - span.from_minute) % MINUTES_A_DAY or MINUTES_A_DAY)
    }
    counted = next((n for n in range(MINUTES_A_WEEK) if (minute + n) % MINUTES_A_WEEK not in quiet), math.inf)
    assert quiet_minutes(spans, LocalTime(minute // MINUTES_A_DAY, minute % MINUTES_A_DAY)) == counted


@pytest.mark.parametrize("values", [(7, 0, 0), (-1, 0, 0), (0, 1440, 0), (0, 0, 1440), (0, -1, 0)])
def test_what_is_no_time_of_a_week_is_refused(values: tuple[int, int, int]) -> None:
    weekday, begin, end = values
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"weekday": weekday, "from_minute": begin, "until_minute": end}, QuietSpan)
