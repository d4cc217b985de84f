from __future__ import annotations

import asyncio

import msgspec
import pytest

from belvedere.app.build import Belvedere, build, picture_source
from belvedere.app.notify import Notifier
from belvedere.app.settings import DEMO, HeadSettings, Reach, Settings, furnish
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase
from belvedere.sim.source import RoomSource
from belvedere.stage.options import IceServer
from belvedere.stage.pattern import PatternSource


def built(settings: Settings) -> Belvedere:
    return build(furnish(settings), asyncio.get_running_loop().time, Notifier({}))


async def test_the_demo_is_the_real_stack_over_a_virtual_head_and_comes_into_reach() -> None:
    belvedere = built(DEMO)
    assert belvedere.virtual_head is not None
    async with belvedere.virtual_head:
        tasks = [asyncio.create_task(unit.run()) for unit in belvedere.units.values()]
        tasks.append(asyncio.create_task(belvedere.engine.run()))
        await asyncio.sleep(5)
        assert {belvedere.units[axis].status.state for axis in AXES} == {LinkPhase.READY}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert {belvedere.units[axis].status.state for axis in AXES} == {LinkPhase.CLOSED}


async def test_a_house_without_reach_has_a_picture_and_no_head() -> None:
    belvedere = built(Settings(head=HeadSettings(reach=Reach.NONE)))
    assert belvedere.virtual_head is None
    task = asyncio.create_task(belvedere.units[Axis.PAN].run())
    await asyncio.sleep(1)
    assert belvedere.units[Axis.PAN].status.state is LinkPhase.DISABLED
    task.cancel()
    await asyncio.wait([task])


async def test_pages_are_told_of_the_same_ice_servers_that_the_stage_asks() -> None:
    servers = (IceServer(url="stun:stun.example.org"),)
    stage = msgspec.structs.replace(DEMO.stage, ice_servers=servers)
    belvedere = built(Settings(head=HeadSettings(reach=Reach.NONE), stage=stage))
    assert belvedere.parts.ice_servers == servers


@pytest.mark.parametrize(("source", "kind"), [("sim", RoomSource), ("test", PatternSource)])
def test_the_stage_shows_what_the_settings_name(source: str, kind: type) -> None:
    stage = msgspec.structs.replace(DEMO.stage, source=source)
    house = furnish(msgspec.structs.replace(DEMO, stage=stage))
    assert isinstance(picture_source(house, None)(), kind)
