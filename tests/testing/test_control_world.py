"""Random lives of the core: 1,500 by hypothesis, 4,000 by a plain generator; `make soak` runs 1,000,000."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from belvedere.control.lease import LeaseVerb
from belvedere.head.axes import AXES, Axis
from belvedere.testing.control_world import ControlWorld, run_random_schedule

HYPOTHESIS_SCHEDULES = 1500
PLAIN_SCHEDULES = 4000
STEPS = 40


@settings(max_examples=HYPOTHESIS_SCHEDULES, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_interleaving_moves_the_head_without_somebody_meaning_it(random: Random) -> None:
    run_random_schedule(random, STEPS)


def test_thousands_of_longer_lives_keep_every_rule() -> None:
    for seed in range(PLAIN_SCHEDULES):
        try:
            run_random_schedule(Random(seed), STEPS)
        except AssertionError as error:  # pragma: no cover - says how to see it again
            pytest.fail(f"seed {seed}, {STEPS} steps: {error}")


def a_world_in_which_ann_drives() -> ControlWorld:
    world = ControlWorld()
    world.come_or_go("ann")
    for axis in AXES:
        world.link(axis)
    world.lease("ann", LeaseVerb.ACQUIRE)
    world.press("ann", 1.0, 0.0)
    return world


def test_the_world_really_moves_so_that_its_rules_are_not_empty() -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    assert world.told[Axis.PAN] == 1.0
    assert world.pan_deg > 1


@pytest.mark.parametrize("broken", ["released", "cut", "too old", "the wrong way", "faster", "beyond the limit"])
def test_the_world_notices_each_broken_rule(broken: str) -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    ann = world.visitors["ann"]
    if broken == "released":
        ann.pressed = None
    elif broken == "cut":
        ann.is_cut[Axis.PAN] = True
    elif broken == "too old":
        ann.sent_at -= 1
    elif broken == "the wrong way":
        world.told[Axis.PAN] = -1.0
    elif broken == "faster":
        world.told[Axis.PAN] = 1.5
    else:
        world.pan_deg = 50
    with pytest.raises(AssertionError, match=r"pan"):
        world.check()
