"""Random schedules for the core: 30 by hypothesis, 1,000 by a plain generator; `make soak` runs many more."""

from __future__ import annotations

import functools
import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.control.random_schedule import EXPECTED, missing_events, run_random_schedule

BLOCKS = [range(first, first + 500) for first in range(0, 1000, 500)]
STEPS = 40
USUAL_EXAMPLES, PROFILE_EXAMPLES = 100, settings().max_examples  # hypothesis's, and those of the profile
EXAMPLES = PROFILE_EXAMPLES if PROFILE_EXAMPLES > USUAL_EXAMPLES else 30  # tests/support/conftest.py has `make soak`'s
MAX_EXAMPLES = 1_000  # in one test: on a slow core they take a minute, and after five a test counts as hanging


@pytest.mark.parametrize("part", range(math.ceil(EXAMPLES / MAX_EXAMPLES)))
@settings(deadline=None, max_examples=min(EXAMPLES, MAX_EXAMPLES))
@given(random=st.randoms(use_true_random=False))
def test_no_interleaving_moves_the_head_without_a_press(part: int, random: Random) -> None:
    del part
    run_random_schedule(random, STEPS)


@functools.cache
def met_in(block: range) -> Counter[str]:
    met: Counter[str] = Counter()
    for seed in block:
        try:
            met += run_random_schedule(Random(seed), STEPS).met
        except AssertionError as error:  # pragma: no cover - says how to see it again
            pytest.fail(f"seed {seed}, {STEPS} steps: {error}")
    return met


@pytest.mark.parametrize("block", BLOCKS, ids=str)  # in blocks, so that a busy machine does not take one for a hang
def test_hundreds_of_schedules_keep_every_invariant(block: range) -> None:
    assert met_in(block)


def test_all_schedules_together_cause_every_expected_event() -> None:
    assert missing_events(name for block in BLOCKS for name in met_in(block)) == []


def test_a_schedule_is_reproduced_by_its_seed() -> None:
    assert run_random_schedule(Random(7), STEPS).met == run_random_schedule(Random(7), STEPS).met


def test_missing_events_are_named() -> None:
    assert missing_events(EXPECTED[1:]) == [EXPECTED[0]]
