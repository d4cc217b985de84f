from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.stage.voice.playing import Loudspeaker, Played, arrivals, play

from belvedere.stage.voice.jitter_buffer import MAX_WAIT, Conceal, Decode, JitterBuffer, Recover

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = 960
HOURS = 36_000.0  # ten of them
LONG = 2880  # packets of 60 ms: ten hours of them take seconds


def steady(_chance: random.Random) -> float:
    return 0.02


def run(
    duration_s: float,
    packet: int = FRAME,
    *,
    ppm: float = 0.0,
    loss: float = 0.0,
    delay_s: Callable[[random.Random], float] = steady,
) -> Played:
    packets = arrivals(duration_s, packet, ppm=ppm, loss=loss, delay_s=delay_s)
    return play(Loudspeaker(JitterBuffer(), packet), packets, packet)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def rough(chance: random.Random) -> float:
    """A network that is mostly quick, and sometimes 60 ms late."""
    return 0.02 + chance.expovariate(1 / 0.01)


def test_ten_hours_of_drift_jitter_and_loss_do_not_make_the_delay_grow() -> None:
    played = run(HOURS, LONG, ppm=-200, loss=0.02, delay_s=rough)  # the sender is the quicker one
    quarter = len(played.delays_s) // 4
    first, last = played.delays_s[:quarter], played.delays_s[-quarter:]
    assert abs(mean(last) - mean(first)) < 0.005
    assert max(last) < 0.2
    sent = HOURS * 48_000 / LONG
    assert played.decoded > 0.97 * sent
    assert played.silent < 48_000


@pytest.mark.parametrize("ppm", [200, -200])
def test_drift_alone_is_followed_without_a_gap(ppm: float) -> None:
    played = run(1800, ppm=ppm)
    assert played.concealed == 2 * FRAME  # what waits at first
    assert played.recovered == 0
    assert mean(played.delays_s[-1000:]) < 0.05


def test_what_was_lost_is_recovered_from_the_packet_that_follows() -> None:
    played = run(300, loss=0.02)
    lost = 300 * 50 - played.decoded
    assert played.recovered > 0.9 * lost * FRAME
    assert mean(played.delays_s) < 0.07


def test_more_waits_where_the_network_is_rough_and_less_once_it_is_not() -> None:
    sent = 0

    def first_rough(chance: random.Random) -> float:
        nonlocal sent
        sent += 1
        return 0.02 + (chance.random() * 0.06 if sent < 3000 else 0.0)

    played = run(120, delay_s=first_rough)
    assert 0.08 < mean(played.delays_s[2000:2800]) < 0.13
    assert mean(played.delays_s[-500:]) < 0.06


def steps(buffer: JitterBuffer, count: int) -> list[object]:
    return [buffer.next_step() for _ in range(count)]


def test_packets_are_played_in_order_once_each_however_they_come() -> None:
    buffer = JitterBuffer()
    for timestamp in (960, 0, 1920, 960, 0):
        buffer.receive(1_000_000 + timestamp, b"%d" % timestamp, FRAME, 0)
    assert steps(buffer, 4) == [Conceal(1920), Decode(b"960"), Decode(b"1920"), Conceal(960)]  # 0 came too late


def test_a_gap_is_bridged_up_to_the_packet_that_can_recover_its_end() -> None:
    buffer = JitterBuffer()
    buffer.receive(0, b"0", FRAME, 0)
    buffer.receive(4 * FRAME, b"4", FRAME, 0)
    assert steps(buffer, 6) == [
        *(Conceal(1920), Decode(b"0"), Conceal(FRAME), Conceal(FRAME), Recover(b"4", FRAME), Decode(b"4"))
    ]


def test_timestamps_that_wrap_go_on() -> None:
    buffer = JitterBuffer()
    for number in range(-2, 3):
        buffer.receive(number * FRAME % 2**32, b"%d" % number, FRAME, 0)
    assert steps(buffer, 6) == [Conceal(1920), *(Decode(b"%d" % number) for number in range(-2, 3))]


def test_after_a_while_without_packets_nothing_is_played_and_the_next_one_begins_anew() -> None:
    buffer = JitterBuffer()
    buffer.receive(0, b"0", FRAME, 0)
    found = steps(buffer, 12)
    assert found[:2] == [Conceal(1920), Decode(b"0")]
    assert found.count(Conceal(FRAME)) == 6
    assert found[8:] == [None] * 4
    assert buffer.is_idle
    buffer.receive(48_000, b"1", FRAME, 0)
    assert steps(buffer, 2) == [Conceal(1920), Decode(b"1")]


@pytest.mark.parametrize("waiting", [0, FRAME])
def test_all_that_waits_too_long_is_left_out(waiting: int) -> None:
    buffer = JitterBuffer()
    buffer.receive(0, b"0", FRAME, 0)
    late = MAX_WAIT + FRAME * 3
    for timestamp in range(0, late, FRAME):
        buffer.receive(timestamp, b"x", FRAME, waiting)
    buffer.receive(late, b"newest", FRAME, waiting)
    found = steps(buffer, 40)
    assert found.index(Decode(b"newest")) * FRAME <= MAX_WAIT
    assert len(found) - found.count(None) < 40


def test_any_timestamps_from_a_stranger_leave_it_small_and_quick() -> None:
    chance, buffer = random.Random(5), JitterBuffer()
    for _ in range(20_000):
        buffer.receive(chance.choice([0, 5, 960, chance.getrandbits(32)]), b"x" * 1200, chance.choice([120, 5760]), 0)
        if chance.random() < 0.2:
            buffer.next_step()
            buffer.take_played(480)
        assert len(buffer._packets) <= 64


def test_corrections_come_at_most_twice_a_second() -> None:
    buffer = JitterBuffer()
    buffer.receive(0, b"0", FRAME, 9000)
    for number in range(200):
        buffer.receive(number * FRAME, b"x", FRAME, 9000)
        buffer.next_step()
    at = [number for number in range(300) if buffer.take_played(480) < 0]
    assert at
    assert all(later - earlier >= 50 for earlier, later in pairwise(at))
