"""Whatever viewers and strangers send, a release stops the head within 100 ms, and the loop is not blocked."""

from __future__ import annotations

import pytest
from tests.attacks.bounds import Attacked, broken, describe
from tests.attacks.catalogue import ATTACKS, NOTHING, PUBLISHER_ATTACKS, VOICE_ATTACKS

PLI_S = 3.0
# Every viewer that connects, the attacker too, starts with an IDR; its first request and a deferred one are served.
COMING_IDRS = 4

pytestmark = [pytest.mark.realtime, pytest.mark.alone]


@pytest.mark.parametrize("attack", sorted(set(ATTACKS) - {NOTHING}))
def test_a_released_finger_stops_the_head_at_once_under(attack: str, attacked: Attacked) -> None:
    measured = attacked.measure(attack)
    assert measured.did, "the attack did nothing"
    assert len(measured.stops_ms) > 1, describe(measured)
    assert not broken(measured)


@pytest.mark.parametrize("attack", sorted(PUBLISHER_ATTACKS))
def test_a_released_finger_stops_the_head_at_once_under_a_publishers(attack: str) -> None:
    with Attacked(is_published=True) as attacked:  # a new one for each, because its publisher is replaced
        measured = attacked.measure(attack)
    assert measured.did, "the attack did nothing"
    assert len(measured.stops_ms) > 1, describe(measured)
    assert not broken(measured)


@pytest.mark.parametrize("attack", sorted(VOICE_ATTACKS))
def test_a_released_finger_stops_the_head_at_once_under_a_voice_that_is_heard(attack: str) -> None:
    with Attacked(has_voice=True) as attacked:
        measured = attacked.measure(attack)
    assert measured.did["packets"] > 100, "the attack did nothing"
    assert len(measured.stops_ms) > 1, describe(measured)
    assert not broken(measured)


def test_one_viewer_who_asks_for_key_frames_does_not_blur_what_the_others_see(attacked: Attacked) -> None:
    measured = attacked.measure("pli_storm", PLI_S)
    assert measured.did["plis"] > 5 * PLI_S
    assert max(viewer.get("idrs", 0) for viewer in measured.viewers) <= PLI_S + COMING_IDRS


def test_a_log_that_is_not_read_blocks_nothing() -> None:
    with Attacked(has_stuck_log=True) as attacked:
        measured = attacked.measure("odd_upgrades")
    assert not broken(measured)
