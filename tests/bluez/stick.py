"""A held stick: commands at 60 Hz until released."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.bluez.daemons import until
from tests.bluez.world import STOP, Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.link.unit_rig import UnitRig

    from belvedere.sim.unit import VirtualUnit

STICK_HZ = 60.0
NEVER_S = 1e9


@asynccontextmanager
async def held(rig: UnitRig, velocity: float = 0.5) -> AsyncIterator[None]:
    """Repeat this command while the context is open; the caller has to put the stop afterwards."""

    async def hold() -> None:
        while True:
            rig.put(velocity)
            await asyncio.sleep(1 / STICK_HZ)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.wait({holding})


async def set_turning(rig: UnitRig, unit: VirtualUnit, velocity: float = 0.5) -> None:
    """Wait until the unit is READY, then make it turn."""
    await rig.ready()
    watch = Watch(unit)
    rig.put(velocity)
    await until(lambda: rig.move(velocity) in watch.frames, "the unit turns")


async def lost(rig: UnitRig) -> None:
    """Wait until the link is known to be gone."""
    await until(lambda: not rig.is_ready, "the loss is noticed")


async def stopped_first(rig: UnitRig, watch: Watch) -> None:
    """Wait until the unit is READY again, and check that the first frame it received was a stop."""
    await rig.ready()
    assert watch.frames[0] == STOP
