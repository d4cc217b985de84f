from collections import Counter
from random import Random

from tests.lab.app_stream import AppUse, app_stream

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.lab.inference.commands import Traffic, usual_digits
from belvedere.lab.streams import Sample, ValueStream

PONS = shipped_profile("zeapon-pons-pt").frame
STOP = pack(PONS, 0)


def stream(*samples: tuple[float, bytes]) -> ValueStream:
    numbered = tuple(Sample(at, time_s, value) for at, (time_s, value) in enumerate(sorted(samples), 1))
    return ValueStream("A", "sent", 0x52, 0x17, None, numbered)


def drives(count: int = 8) -> list[tuple[float, bytes]]:
    """Bursts of twenty commands with one stop each, five seconds apart."""
    moves = [
        (5.0 * burst + 0.05 * at, bytes([2, 1 + burst % 2, 9 + (at * 7 + burst) % 60]))
        for burst in range(count)
        for at in range(20)
    ]
    return moves + [(5.0 * burst + 1.0, b"\x02\0\0") for burst in range(count)]


def others(traffic: Traffic) -> dict[str, int]:
    candidate = traffic.stops[0] if traffic.stops else None
    return {one.description: one.count for one in traffic.commands(candidate).other_traffic}


def test_the_stop_is_kept_as_it_was_sent_and_everything_else_is_a_motion() -> None:
    traffic = Traffic([app_stream(lambda velocity: pack(PONS, velocity), Random(1))])
    (candidate,) = traffic.stops
    commands = traffic.commands(candidate)
    assert (commands.stop_value, commands.length) == (STOP, 12)
    assert commands.values.count(STOP) == 24
    assert commands.other_traffic == ()


def test_a_keep_alive_is_told_from_commands_and_from_the_stop() -> None:
    beats = [(0.013 + 0.73 * at, b"\x7e\x00\x01") for at in range(50)]
    traffic = Traffic([stream(*drives(), *beats)])
    assert [one.stop.digits for one in traffic.stops] == ["020000"]
    assert others(traffic) == {"heartbeat every 0.73 s (7e0001)": 50}


def test_values_of_other_lengths_are_set_aside() -> None:
    traffic = Traffic([stream(*drives(), (2.0, b"\x01"), (3.0, b"\x01\x02"))])
    assert others(traffic) == {"1 bytes long": 1, "2 bytes long": 1}


def test_a_stop_of_another_length_is_no_command_but_is_known() -> None:
    traffic = Traffic([stream(*((time_s, value if any(value[1:]) else b"\x3f") for time_s, value in drives()))])
    (candidate,) = traffic.stops
    commands = traffic.commands(candidate)
    assert (commands.stop_value, commands.length) == (b"\x3f", 3)
    assert b"\x3f" not in commands.values


def test_what_is_sent_right_after_the_stop_is_set_aside() -> None:
    queries = [(5.0 * burst + 1.03, b"\xee\0\0") for burst in range(8)]
    assert others(Traffic([stream(*drives(), *queries)])) == {"sent right after the stop (ee0000)": 8}


def test_what_is_sent_before_each_press_is_set_aside_however_often() -> None:
    opening = [(5.0 * burst - 0.03, b"\xe4\x55\0") for burst in range(8)]
    assert others(Traffic([stream(*drives(), *opening)])) == {"rare and of a different form": 8}


def test_rare_values_of_another_shape_are_set_aside() -> None:
    assert others(Traffic([stream(*drives(), (3.0, b"\x99\x88\x77"))])) == {"rare and of a different form": 1}


def test_stops_that_are_counted_and_checked_are_one_and_have_no_value() -> None:
    count = 0

    def frame(velocity: float) -> bytes:
        nonlocal count
        count += 1
        body = bytes([0xAA, count % 256, 1 if velocity > 0 else 2 if velocity else 0, round(abs(velocity) * 200)])
        return body + bytes([sum(body) % 256])

    traffic = Traffic([app_stream(frame, Random(1), AppUse(presses=20))])
    (candidate,) = traffic.stops
    assert candidate.stop.digits == "aa??0000??"
    assert traffic.commands(candidate).stop_value is None
    assert [(one.start, one.end) for one in traffic.counters] == [(2, 4)]


def test_usual_digits_are_those_of_nearly_all_frames() -> None:
    assert usual_digits(Counter({b"\x12": 99, b"\x13": 1, b"\x15": 40})) == ["1", ""]
    assert usual_digits(Counter()) == []
