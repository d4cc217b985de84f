"""A held stick: commands at a screen's rate until it is released, and waiting for what they cause."""

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
    """Command this velocity repeatedly, whatever happens; the caller must send the stop at the end."""

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
    """Open a link without a supervisor, with retries as a supervisor would: one attempt may be too slow."""
    stretch = Stretch()
    while True:
        try:
            return await link.open(on_lost, lambda: None)
        except LinkError:
            if stretch.has_given(TIMEOUT_S):
                raise
        await asyncio.sleep(AGAIN_S)


async def set_turning(rig: UnitRig, unit: VirtualUnit, velocity: float = 0.5) -> None:
    """Wait until the unit is ready, and make it turn."""
    await ready(rig)
    watch = Watch(unit)
    rig.put(velocity)
    await until(lambda: rig.move(velocity) in watch.frames, "the unit turns")


async def lost(rig: UnitRig) -> None:
    """Wait until the link is known to be gone."""
    await until(lambda: not rig.is_ready, "the loss is detected")


async def stopped_first(rig: UnitRig, watch: Watch) -> None:
    """Wait until the unit is ready again; the first frame that it received must be a stop."""
    await ready(rig)
    assert watch.frames[0] == STOP
