from __future__ import annotations

import random

import pytest

from belvedere.stage.direct.retransmission import BURST_S, PAYLOAD_BYTES, SHARE, RetransmissionBudget

BITRATE_KBPS, FPS, HISTORY = 3000, 30, 512
STREAM_PER_S = BITRATE_KBPS * 1000 / 8 / PAYLOAD_BYTES + FPS
ROUND_TRIP_S = 0.04


def budget() -> RetransmissionBudget:
    return RetransmissionBudget(bitrate_kbps=BITRATE_KBPS, fps=FPS, packets=HISTORY)


def test_a_packet_named_twice_in_a_nack_is_retransmitted_once() -> None:
    assert budget().select(0.0, [7, 8, 7, 7, 8], ROUND_TRIP_S) == [7, 8]


def test_a_packet_is_retransmitted_again_only_after_a_round_trip() -> None:
    some = budget()
    assert some.select(10.0, [7], ROUND_TRIP_S) == [7]
    assert some.select(10.039, [7, 8], ROUND_TRIP_S) == [8]
    assert some.select(10.041, [7], ROUND_TRIP_S) == [7]


@pytest.mark.parametrize(("claimed_s", "wait_s"), [(-5.0, 0.01), (0.0, 0.01), (60.0, 0.5)])
def test_a_viewers_round_trip_is_clamped(claimed_s: float, wait_s: float) -> None:
    some = budget()
    assert some.select(10.0, [7], claimed_s) == [7]
    assert some.select(10.0 + wait_s * 0.99, [7], claimed_s) == []
    assert some.select(10.0 + wait_s * 1.01, [7], claimed_s) == [7]


def test_a_flood_gets_a_share_of_the_stream_and_not_more() -> None:
    some, sent, seconds = budget(), 0, 10
    for step in range(seconds * 200):
        sent += len(some.select(step / 200, range(step, step + HISTORY), ROUND_TRIP_S))
    assert sent <= STREAM_PER_S * (BURST_S + SHARE * seconds) + 1
    assert sent >= STREAM_PER_S * SHARE * (seconds - 1)


def test_the_budget_stores_no_more_packets_than_the_sender() -> None:
    some = budget()
    for step in range(10_000):
        some.select(step / 10, [step * 7 % 65_536], ROUND_TRIP_S)
    assert len(some._sent) <= HISTORY


@pytest.mark.parametrize("loss", [0.02, 0.05, 0.1])
def test_a_lossy_path_is_repaired_though_copies_are_lost_as_well(loss: float) -> None:
    """The viewer reports what is missing every 20 ms until it has come, as browsers do."""
    some, chance = budget(), random.Random(1)
    missing: set[int] = set()
    number, longest, missing_since = 0, 0.0, {}
    for step in range(60 * 50):
        now_s = step / 50
        for _ in range(round(STREAM_PER_S / 50)):
            number += 1
            if chance.random() < loss:
                missing.add(number)
                missing_since[number] = now_s
        for again in some.select(now_s, sorted(missing), ROUND_TRIP_S):
            if chance.random() >= loss:
                missing.discard(again)
                longest = max(longest, now_s - missing_since[again])
    assert longest < HISTORY / STREAM_PER_S
    assert all(missing_since[late] > 59.5 for late in missing)


def test_after_a_short_interruption_everything_lost_is_retransmitted_at_once() -> None:
    lost = range(1, int(STREAM_PER_S * 0.2))
    assert budget().select(100.0, lost, ROUND_TRIP_S) == list(lost)
