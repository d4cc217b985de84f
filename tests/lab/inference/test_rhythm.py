from random import Random

import pytest

from belvedere.lab.inference.rhythm import Event, find_background, silence_after, usual_gap, without

MOVES = ("020110", "020140", "020270", "020233")
STOP, KEEP_ALIVE = "020000", "020f00"


def holds(chance: Random, count: int = 10, pause_s: float = 3.0) -> list[Event]:
    """Holds of a second at twenty commands a second, each with one stop after it."""
    now_s, events = 0.0, []
    for _ in range(count):
        for _ in range(20):
            events.append(Event(now_s, chance.choice(MOVES)))
            now_s += 0.05
        events.append(Event(now_s, STOP))
        now_s += pause_s * chance.uniform(0.7, 1.3)
    return events


def presses(chance: Random, count: int = 12) -> list[Event]:
    """A frame for each press, and a stop for each release."""
    now_s, events = 0.0, []
    for _ in range(count):
        events.append(Event(now_s, chance.choice(MOVES)))
        events.append(Event(now_s + chance.uniform(0.5, 2), STOP))
        now_s += chance.uniform(3, 7)
    return events


def clock(period_s: float, end_s: float, digits: str = KEEP_ALIVE, start_s: float = 0.013) -> list[Event]:
    return [Event(start_s + number * period_s, digits) for number in range(int(end_s / period_s))]


@pytest.mark.parametrize("period_s", [0.2, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_what_keeps_its_own_clock_is_found_whatever_else_is_sent(period_s: float, seed: int) -> None:
    for used in (holds(Random(seed)), presses(Random(seed))):
        found = find_background([sorted([*used, *clock(period_s, used[-1].time_s)])], 6)
        assert list(found) == [KEEP_ALIVE]
        assert found[KEEP_ALIVE] == pytest.approx(period_s, rel=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_a_stop_that_comes_nearly_in_time_follows_releases_all_the_same(seed: int) -> None:
    assert find_background([holds(Random(seed))], 6) == {}
    assert find_background([presses(Random(seed))], 6) == {}


def test_a_keep_alive_that_is_sent_only_at_rest_keeps_its_own_clock() -> None:
    used = holds(Random(1))
    stops = [event.time_s for event in used if event.digits == STOP]
    idle = [Event(time_s + 0.6 * number, KEEP_ALIVE) for time_s in stops for number in range(1, 4)]
    assert list(find_background([sorted([*used, *idle])], 6)) == [KEEP_ALIVE]


def test_the_stop_of_an_app_that_never_falls_silent_takes_the_place_of_commands() -> None:
    used = holds(Random(1))
    stops = [event.time_s for event in used if event.digits == STOP]
    resting = [Event(time_s + 0.05 * number, STOP) for time_s in stops for number in range(1, 40)]
    assert find_background([sorted([*used, *resting])], 6) == {}


def test_a_stop_that_is_repeated_slowly_until_the_next_press_follows_the_release_at_once() -> None:
    used = holds(Random(1))
    stops = [event.time_s for event in used if event.digits == STOP]
    resting = [Event(time_s + 0.5 * number, STOP) for time_s in stops for number in range(1, 4)]
    assert find_background([sorted([*used, *resting])], 6) == {}


def test_a_command_that_is_held_keeps_no_clock() -> None:
    held = [Event(20 * begin + 0.05 * at, "020199") for begin in range(6) for at in range(20)]
    moves = [Event(20 * begin + 0.05 * at - 0.5, MOVES[at % 4]) for begin in range(6) for at in range(10)]
    stops = [Event(20 * begin + 1.0, STOP) for begin in range(6)]
    assert find_background([sorted([*held, *moves, *stops])], 6) == {}


def test_where_everything_repeats_only_few_frames_are_examined() -> None:
    cycle = [Event(0.05 * at, f"{at % 300:06x}") for at in range(6000)]
    assert len(find_background([cycle], 6)) <= 16


def test_a_silence_is_five_usual_gaps_within_bounds() -> None:
    assert usual_gap([[Event(0.05 * at, "00") for at in range(9)]]) == pytest.approx(0.05)
    assert silence_after([[Event(0.05 * at, "00") for at in range(9)]]) == pytest.approx(0.25)
    assert silence_after([[Event(0.001 * at, "00") for at in range(9)]]) == 0.2
    assert silence_after([[Event(2.0 * at, "00") for at in range(9)]]) == 0.6


def test_frames_can_be_left_out() -> None:
    assert without([[Event(0, "a"), Event(1, "b")]], {"a"}) == [[Event(1, "b")]]
