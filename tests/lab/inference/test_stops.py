from random import Random

import pytest

from belvedere.lab.inference.rhythm import Event
from belvedere.lab.inference.stops import find_stops, mask

MOVES = ("02010010", "02010240", "02020070", "02020133")
STOP, QUERY, SWITCH_ON = "02000000", "02ee0000", "02990000"


def holds(chance: Random, count: int = 10, stops: int = 1, tick_s: float = 0.05) -> list[Event]:
    """Holds of half a second to two, each with so many stops after it."""
    now_s, events = 0.0, []
    for _ in range(count):
        for _ in range(round(chance.uniform(0.5, 2) / tick_s)):
            events.append(Event(now_s, chance.choice(MOVES)))
            now_s += tick_s
        events += [Event(now_s + tick_s * number, STOP) for number in range(stops)]
        now_s += chance.uniform(1, 3)
    return events


def presses(chance: Random, count: int = 10) -> list[Event]:
    """A frame for each press, and a stop for each release."""
    now_s, events = 0.0, []
    for number in range(count):
        events.append(Event(now_s, MOVES[number % 4]))
        events.append(Event(now_s + chance.uniform(0.8, 2), STOP))
        now_s += chance.uniform(3, 6)
    return events


def after_stops(events: list[Event], delay_s: float, digits: str) -> list[Event]:
    return [Event(one.time_s + delay_s, digits) for one in events if one.digits == STOP]


def found(*events: Event, length: int = 8) -> list[str]:
    return [one.stop.digits for one in find_stops([sorted(events)], length)]


@pytest.mark.parametrize("stops", [1, 2, 3])
@pytest.mark.parametrize("tick_s", [0.03, 0.05, 0.1, 0.2])
def test_what_follows_releases_and_is_absent_while_held_is_the_stop(stops: int, tick_s: float) -> None:
    (only,) = find_stops([holds(Random(1), stops=stops, tick_s=tick_s)], 8)
    assert only.stop.digits == STOP
    assert only.stop.confidence > 0.8
    assert "10 of 10 bursts of commands end with it" in only.stop.evidence


def test_where_a_press_and_a_release_are_a_frame_each_the_stop_follows_every_press() -> None:
    (only,) = find_stops([presses(Random(1))], 8)
    assert only.stop.digits == STOP
    assert "it follows 10 of 10 presses" in only.stop.evidence


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_burst_or_a_few_are_no_evidence(count: int) -> None:
    assert found(*holds(Random(1), count=count)) == []


@pytest.mark.parametrize("count", [2, 4])
def test_few_presses_are_no_evidence(count: int) -> None:
    assert found(*presses(Random(1), count=count)) == []


def test_bursts_that_end_each_with_something_else_show_no_stop() -> None:
    assert found(*(one for one in holds(Random(1)) if one.digits != STOP)) == []


@pytest.mark.parametrize("period_s", [0.1, 0.25, 0.5])
def test_what_comes_at_any_time_follows_releases_by_chance(period_s: float) -> None:
    moves = [one for one in holds(Random(1), count=30) if one.digits != STOP]
    beats = [Event(0.02 + number * period_s, QUERY) for number in range(int(moves[-1].time_s / period_s))]
    assert found(*moves, *beats) == []


def test_a_query_after_the_stop_comes_after_the_stop_in_the_list() -> None:
    events = holds(Random(1))
    first, *others = find_stops([sorted([*events, *after_stops(events, 0.04, QUERY)])], 8)
    assert first.stop.digits == STOP
    assert first.companions == {QUERY}
    assert QUERY not in [one.stop.digits for one in others] or others


def test_a_query_whose_stop_is_often_lost_is_not_taken_for_it() -> None:
    events = holds(Random(1))
    queries = after_stops(events, 0.04, QUERY)
    lost = {one.time_s for one in events if one.digits == STOP} - {one.time_s - 0.04 for one in queries[::2]}
    kept = [one for one in events if one.time_s not in lost]
    assert found(*kept, *queries)[:1] in ([], [STOP])


def test_what_comes_before_each_press_is_no_stop() -> None:
    events = presses(Random(1))
    opening = [Event(one.time_s - 0.03, SWITCH_ON) for one in events if one.digits != STOP]
    assert found(*events, *opening) == [STOP]


def test_a_stop_may_have_a_length_of_its_own_and_polls_of_another_do_not_matter() -> None:
    chance = Random(1)
    short = [one._replace(digits="3f") if one.digits == STOP else one for one in holds(chance)]
    polls, now_s = [], 0.0
    while now_s < short[-1].time_s:
        now_s += chance.uniform(0.2, 0.8)
        polls.append(Event(now_s, "c0ff"))
    assert found(*short, *polls) == ["3f"]


def test_where_only_one_motion_was_made_nothing_tells_the_press_from_the_release() -> None:
    assert found(*(one if one.digits == STOP else one._replace(digits=MOVES[0]) for one in presses(Random(1)))) == []


def test_what_an_app_that_never_falls_silent_repeats_at_rest_is_the_stop() -> None:
    events = holds(Random(1))
    resting = [Event(one.time_s + 0.05 * at, STOP) for one in events if one.digits == STOP for at in range(1, 19)]
    assert found(*events, *resting) == [STOP]


def test_units_are_judged_each_by_its_own_times() -> None:
    pan, tilt = holds(Random(1)), [one._replace(time_s=one.time_s + 0.7) for one in holds(Random(2))]
    (only,) = find_stops([pan, tilt], 8)
    assert (only.stop.digits, "20 of 20" in only.stop.evidence) == (STOP, True)


def test_thousands_of_releases_can_be_judged() -> None:
    assert found(*holds(Random(1), count=3000, tick_s=0.2)) == [STOP]


def test_a_counter_in_the_stop_is_hidden() -> None:
    assert mask(b"\x02\x37\x00", {2, 3}) == "02??00"
