"""Random lives of two supervised units on one radio: 25 by hypothesis, 75 by a plain generator, 40 steps each."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.link.link_harness import INTERVAL_S, TROUBLES, LinkWorld, WatchedUnit, run_random_life
from tests.support.link.simulated_unit import SimulatedRadio, SimulatedUnit
from tests.support.link.unit_rig import UnitRig, supervised

from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HYPOTHESIS_SCHEDULES = 25
PLAIN_SCHEDULES = 75
STEPS = 40


@settings(max_examples=HYPOTHESIS_SCHEDULES, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_interleaving_of_troubles_leaves_a_unit_turning_or_delays_the_other(random: Random) -> None:
    run_random_life(random, STEPS)


def test_many_more_lives_keep_every_rule() -> None:
    for seed in range(PLAIN_SCHEDULES):
        try:
            run_random_life(Random(seed), STEPS)
        except AssertionError as error:  # pragma: no cover - says how to see it again
            pytest.fail(f"seed {seed}, {STEPS} steps: {error}")


def test_random_lives_really_break_and_mend_links() -> None:
    worlds = [run_random_life(Random(seed), STEPS) for seed in range(5)]
    units = [unit for world in worlds for unit in world.units.values()]
    assert sum(unit.connections > 1 for unit in units) >= 3
    assert sum(len(unit.frames) for unit in units) > 20 * len(units)


def test_every_trouble_can_happen_to_a_unit_at_any_time() -> None:
    assert len(TROUBLES) == 9


@asynccontextmanager
async def a_world_in_which_pan_moves() -> AsyncIterator[LinkWorld]:
    radio = SimulatedRadio(interval_s=INTERVAL_S)
    units = {axis: WatchedUnit(radio) for axis in AXES}
    async with supervised(units[Axis.PAN]) as pan, supervised(units[Axis.TILT], axis=Axis.TILT) as tilt:
        world = LinkWorld(units, {Axis.PAN: pan, Axis.TILT: tilt})
        await pan.ready()
        await tilt.ready()
        world.move(Axis.PAN)
        await world.wait(0.1)
        assert world.units[Axis.PAN].frames[-1].frame != UnitRig.stop
        yield world


async def test_the_world_notices_an_old_move() -> None:
    async with a_world_in_which_pan_moves() as world:
        with pytest.raises(AssertionError, match="an old move was written"):
            await world.units[Axis.PAN].write(UnitRig.move(0.9), response=False)


async def test_the_world_notices_a_connection_that_begins_with_a_move() -> None:
    async with a_world_in_which_pan_moves() as world:
        world.units[Axis.PAN].began_with[1] = UnitRig.move()
        with pytest.raises(AssertionError, match="pan: a connection began with a move"):
            world.check()


async def test_the_world_notices_a_stop_that_does_not_come() -> None:
    async with a_world_in_which_pan_moves() as world:
        world.units[Axis.PAN].is_silent = True
        world.stop(Axis.PAN)
        with pytest.raises(AssertionError, match="pan: a stop came late"):
            await world.wait(3 * INTERVAL_S)


async def test_the_world_promises_nothing_for_a_unit_in_trouble() -> None:
    async with a_world_in_which_pan_moves() as world:
        world.trouble(Axis.PAN, lambda unit: setattr(unit, "is_silent", True))
        world.stop(Axis.PAN)
        await world.wait(3 * INTERVAL_S)
        await world.heal()


async def test_the_world_notices_a_unit_that_is_lost_without_trouble() -> None:
    async with a_world_in_which_pan_moves() as world:
        world.units[Axis.PAN].drop()
        await world.rigs[Axis.PAN].until(LinkPhase.WAITING)
        await world.rigs[Axis.PAN].ready()
        with pytest.raises(AssertionError, match="pan was lost without any trouble"):
            world.check()


async def test_the_world_notices_a_unit_that_does_not_recover() -> None:
    async with a_world_in_which_pan_moves() as world:
        world.trouble(Axis.TILT, SimulatedUnit.vanish)
        world.units[Axis.TILT].come_back = lambda: None  # type: ignore[method-assign]  # it is gone for good
        with pytest.raises(AssertionError, match="tilt did not recover"):
            await world.heal()
