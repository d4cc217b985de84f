"""Somebody who holds a stick: commands at the rate of a screen, until let go of."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.bluez.deadlines import TIMEOUT_S, Stretch, until
from tests.bluez.world import STOP, Watch

from belvedere.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.link.unit_rig import UnitRig

    from belvedere.link.port import LinkDetails, UnitLink
    from belvedere.sim.unit import VirtualUnit

STICK_HZ = 60.0
NEVER_S = 1e9
AGAIN_S = 1.0


@asynccontextmanager
async def held(rig: UnitRig, velocity: float = 0.5) -> AsyncIterator[None]:
    """Command this velocity again and again, whatever happens; the stop at the end is the caller's to give."""

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


async def ready(rig: UnitRig) -> None:
    """Wait until the unit takes commands."""
    await until(lambda: rig.is_ready, "the unit is ready")


async def opened(link: UnitLink, on_lost: Callable[[], None] = lambda: None) -> LinkDetails:
    """Open a link that nobody keeps open, again and again as a supervisor would: one attempt may be too slow."""
    stretch = Stretch()
    while True:
        try:
            return await link.open(on_lost, lambda: None)
        except LinkError:
            if stretch.has_given(TIMEOUT_S):
                raise
        await asyncio.sleep(AGAIN_S)


async def set_turning(rig: UnitRig, unit: VirtualUnit, velocity: float = 0.5) -> None:
    """Reach the unit, and let it turn."""
    await ready(rig)
    told = Watch(unit)
    rig.put(velocity)
    await until(lambda: rig.move(velocity) in told.frames, "the unit turns")


async def lost(rig: UnitRig) -> None:
    """Wait until the link is known to be gone."""
    await until(lambda: not rig.is_ready, "the loss is noticed")


async def stopped_first(rig: UnitRig, told: Watch) -> None:
    """Wait until the unit is driven again; a stop must have been the first that it heard."""
    await ready(rig)
    assert told.frames[0] == STOP
