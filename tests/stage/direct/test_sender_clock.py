"""A picture's time of capture is on our clock, never in the future, and steady although packets are not."""

from __future__ import annotations

import random

import pytest

from belvedere.stage.direct.sender_clock import MAX_AGE_S, NTP_EPOCH_S, WINDOW_S, SenderClock

UTC_S = 1_700_000_000.0  # what seconds since 1970 are at second 0 of our clock


def ntp(our_s: float) -> int:
    return int((our_s + UTC_S + NTP_EPOCH_S) * 2**32)


def test_a_sender_report_tells_when_a_picture_was_captured() -> None:
    clock = SenderClock()
    assert clock.captured_s(90_000, 10.0) == 10.0
    clock.receive_report(ntp(9.9), 90_000, UTC_S)
    assert clock.captured_s(90_000, 10.0) == pytest.approx(9.9, abs=1e-6)
    assert clock.captured_s(93_000, 10.05) == pytest.approx(9.9 + 3000 / 90_000, abs=1e-6)


@pytest.mark.parametrize("claimed_s", [10.01, 10 - MAX_AGE_S - 0.01, -1e6, 1e6])
def test_a_sender_whose_clock_is_wrong_is_not_believed(claimed_s: float) -> None:
    clock = SenderClock()
    clock.captured_s(90_000, 10.0)
    clock.receive_report(ntp(claimed_s), 90_000, UTC_S)
    assert clock.captured_s(90_000, 10.0) == 10.0


def test_without_reports_the_quickest_packet_tells_how_late_the_others_are() -> None:
    clock, chance = SenderClock(), random.Random(1)
    for number in range(300):
        sent_s = 100 + number / 30
        delay_s = 0.0 if number % 30 == 0 else chance.uniform(0, 0.2)
        captured_s = clock.captured_s((number * 3000 - 2**31) % 2**32, sent_s + delay_s)
        assert captured_s == pytest.approx(sent_s, abs=0.2 if number == 0 else 1e-6)


def test_a_slower_path_is_noticed_after_a_while() -> None:
    clock = SenderClock()
    clock.captured_s(0, 100.0)
    later = [clock.captured_s(ticks * 90_000, 100.5 + ticks) - 100 - ticks for ticks in range(1, 3 + 2 * int(WINDOW_S))]
    assert later[0] == 0
    assert later[-1] == pytest.approx(0.5)


@pytest.mark.parametrize("jump", [-900_000, 900_000, 2**31 - 1])
def test_timestamps_that_jump_count_from_their_arrival(jump: int) -> None:
    clock = SenderClock()
    clock.captured_s(1_000_000, 50.0)
    for later_s in (50.1, 50.2):
        captured_s = clock.captured_s((1_000_000 + jump + int((later_s - 50) * 90_000)) % 2**32, later_s)
        assert later_s - MAX_AGE_S <= captured_s <= later_s
