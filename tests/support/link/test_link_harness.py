"""Random schedules for two supervised units on one radio, by hypothesis and by a plain generator."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.link.link_harness import FAULTS, INTERVAL_S, CheckedUnit, LinkHarness, run_random_schedule
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
def test_no_interleaving_of_faults_leaves_a_unit_turning_or_delays_the_other(random: Random) -> None:
    run_random_schedule(random, STEPS)


def test_many_more_schedules_keep_every_invariant() -> None:
    for seed in range(PLAIN_SCHEDULES):
        try:
            run_random_schedule(Random(seed), STEPS)
        except AssertionError as error:  # pragma: no cover - says how to see it again
            pytest.fail(f"seed {seed}, {STEPS} steps: {error}")


def test_random_schedules_lose_links_and_connect_again() -> None:
    harnesses = [run_random_schedule(Random(seed), STEPS) for seed in range(5)]
    units = [unit for harness in harnesses for unit in harness.units.values()]
    assert sum(unit.connections > 1 for unit in units) >= 3
    assert sum(len(unit.frames) for unit in units) > 20 * len(units)


def test_every_fault_is_listed() -> None:
    assert len(FAULTS) == 9


@asynccontextmanager
async def harness_with_pan_moving() -> AsyncIterator[LinkHarness]:
    radio = SimulatedRadio(interval_s=INTERVAL_S)
    units = {axis: CheckedUnit(radio) for axis in AXES}
    async with supervised(units[Axis.PAN]) as pan, supervised(units[Axis.TILT], axis=Axis.TILT) as tilt:
        harness = LinkHarness(units, {Axis.PAN: pan, Axis.TILT: tilt})
        await pan.ready()
        await tilt.ready()
        harness.move(Axis.PAN)
        await harness.wait(0.1)
        assert harness.units[Axis.PAN].frames[-1].frame != UnitRig.stop
        yield harness


async def test_the_harness_detects_an_old_move() -> None:
    async with harness_with_pan_moving() as harness:
        with pytest.raises(AssertionError, match="an old move was written"):
            await harness.units[Axis.PAN].write(UnitRig.move(0.9), response=False)


async def test_the_harness_detects_a_connection_that_begins_with_a_move() -> None:
    async with harness_with_pan_moving() as harness:
        harness.units[Axis.PAN].began_with[1] = UnitRig.move()
        with pytest.raises(AssertionError, match="pan: a connection began with a move"):
            harness.check()


async def test_the_harness_detects_a_stop_that_does_not_come() -> None:
    async with harness_with_pan_moving() as harness:
        harness.units[Axis.PAN].is_silent = True
        harness.stop(Axis.PAN)
        with pytest.raises(AssertionError, match="pan: a stop came late"):
            await harness.wait(3 * INTERVAL_S)


async def test_the_harness_guarantees_nothing_for_a_faulty_unit() -> None:
    async with harness_with_pan_moving() as harness:
        harness.inject(Axis.PAN, lambda unit: setattr(unit, "is_silent", True))
        harness.stop(Axis.PAN)
        await harness.wait(3 * INTERVAL_S)
        await harness.recover()


async def test_the_harness_detects_a_unit_that_is_lost_without_a_fault() -> None:
    async with harness_with_pan_moving() as harness:
        harness.units[Axis.PAN].drop()
        await harness.rigs[Axis.PAN].until(LinkPhase.WAITING)
        await harness.rigs[Axis.PAN].ready()
        with pytest.raises(AssertionError, match="pan was lost without a fault"):
            harness.check()


async def test_the_harness_detects_a_unit_that_does_not_recover() -> None:
    async with harness_with_pan_moving() as harness:
        harness.inject(Axis.TILT, SimulatedUnit.vanish)
        harness.units[Axis.TILT].come_back = lambda: None  # type: ignore[method-assign]  # it is gone for good
        with pytest.raises(AssertionError, match="tilt did not recover"):
            await harness.recover()
