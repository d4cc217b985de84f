from random import Random

from tests.lab.app_stream import AppUse, app_stream

from belvedere.lab.inference.commands import separate_commands
from belvedere.lab.inference.stops import find_stop, mask
from belvedere.lab.streams import Sample, ValueStream


def test_what_bursts_end_with_is_the_stop() -> None:
    commands = separate_commands([app_stream(lambda velocity: bytes([2, round(100 * abs(velocity)) + 3]), Random(1))])
    stop = find_stop(commands, frozenset())
    assert stop is not None
    assert stop.digits == "0203"
    assert stop.confidence > 0.9


def test_a_counter_in_the_stop_is_hidden() -> None:
    assert mask(b"\x02\x37\x00", {2, 3}) == "02??00"


def test_bursts_that_end_each_with_something_else_show_no_stop() -> None:
    samples = tuple(Sample(at, at * 1.0, bytes([at])) for at in range(20))
    assert find_stop(separate_commands([ValueStream("A", "sent", 0x52, 1, None, samples)]), frozenset()) is None


def test_where_an_app_is_never_silent_the_stop_is_what_it_says_on_and_on() -> None:
    chance, use = Random(1), AppUse(is_never_silent=True)
    commands = separate_commands([app_stream(lambda velocity: bytes([2, round(100 * abs(velocity)) + 3]), chance, use)])
    stop = find_stop(commands, frozenset())
    assert stop is not None
    assert stop.digits == "0203"
    assert stop.confidence < 0.8


def test_what_is_said_on_and_on_as_often_as_something_else_is_no_stop() -> None:
    held = [value for _ in range(4) for value in (5, 9) for _ in range(20)]
    samples = tuple(Sample(at, at * 0.1, bytes([2, value])) for at, value in enumerate(held))
    assert find_stop(separate_commands([ValueStream("A", "sent", 0x52, 1, None, samples)]), frozenset()) is None
