from random import Random

from tests.lab.app_use import Use, used

from belvedere.lab.inference.families import commands_of
from belvedere.lab.inference.stops import masked, stop_of
from belvedere.lab.streams import Sample, ValueStream


def test_what_bursts_end_with_is_the_stop() -> None:
    family = commands_of([used(lambda velocity: bytes([2, round(100 * abs(velocity)) + 3]), Random(1))])
    stop = stop_of(family, frozenset())
    assert stop is not None
    assert stop.digits == "0203"
    assert stop.confidence > 0.9


def test_a_counter_in_the_stop_is_hidden() -> None:
    assert masked(b"\x02\x37\x00", {2, 3}) == "02??00"


def test_bursts_that_end_each_with_something_else_show_no_stop() -> None:
    samples = tuple(Sample(at, at * 1.0, bytes([at])) for at in range(20))
    assert stop_of(commands_of([ValueStream("A", "sent", 0x52, 1, None, samples)]), frozenset()) is None


def test_where_an_app_is_never_silent_the_stop_is_what_it_says_on_and_on() -> None:
    chance, use = Random(1), Use(is_never_silent=True)
    family = commands_of([used(lambda velocity: bytes([2, round(100 * abs(velocity)) + 3]), chance, use)])
    stop = stop_of(family, frozenset())
    assert stop is not None
    assert stop.digits == "0203"
    assert stop.confidence < 0.8


def test_what_is_said_on_and_on_as_often_as_something_else_is_no_stop() -> None:
    held = [value for _ in range(4) for value in (5, 9) for _ in range(20)]
    samples = tuple(Sample(at, at * 0.1, bytes([2, value])) for at, value in enumerate(held))
    assert stop_of(commands_of([ValueStream("A", "sent", 0x52, 1, None, samples)]), frozenset()) is None
