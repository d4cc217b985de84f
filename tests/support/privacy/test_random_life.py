"""Random events meet everything that may happen, and never show anything that the room has not permitted."""

from __future__ import annotations

from random import Random

import pytest
from tests.support.privacy.random_life import live, spans_near
from tests.support.privacy.room_harness import RoomHarness

EXPECTED = {
    "closed",
    "opened",
    "open",
    "knock",
    "waiting",
    "refused",
    "quiet",
    "quiet hours begin",
    "nobody answered",
    "a visit is over",
    "a refusal",
    "a save failed",
    "a power cut",
    "an unreadable store",
    "the microphone is off",
    "the microphone is on",
    "switched on",
    "a guest hears",
}
BLOCKS = [range(first, first + 150) for first in range(0, 600, 150)]
STEPS = 40


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_hundreds_of_lives_keep_every_rule_and_meet_everything(block: range) -> None:
    met: set[str] = set()
    for seed in block:
        try:
            met |= live(Random(seed), STEPS).met
        except AssertionError as error:  # pragma: no cover - says how to see it again
            pytest.fail(f"seed {seed}, {STEPS} steps: {error}")
    assert met == EXPECTED


def test_spans_are_near() -> None:
    harness = RoomHarness(now=86_400.0)
    assert {span.weekday for seed in range(20) for span in spans_near(Random(seed), harness)} <= {0, 1}
