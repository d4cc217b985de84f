"""What belongs to a visit ends with it."""

import asyncio
from collections.abc import Callable

import pytest

from belvedere.access.door import DoorOptions
from belvedere.errors import StageError, StageReason
from belvedere.gateway.housekeeping import EVERY_S, keep_house
from belvedere.gateway.parts import Parts
from belvedere.gateway.scripts import Scripts, Wanted
from belvedere.testing.house import PaperStage, open_house

MakeParts = Callable[..., Parts]


async def test_the_picture_ends_with_the_visit(make_parts: MakeParts) -> None:
    async with open_house(door=DoorOptions(session_s=8)) as house:
        ana = house.let_in().session
        scripts = Scripts(house.engine, house.engine, idle_s=6, dead_man_s=0.5)
        keeping = asyncio.create_task(keep_house(make_parts(house), scripts))
        await house.stage.answer("v=0", ana.id)
        await asyncio.sleep(7)
        ben = house.let_in().session
        await house.stage.answer("v=0", ben.id)
        await asyncio.sleep(1 + EVERY_S)
        assert [owner for owner, _ in house.stage.offers.values()] == [ben.id]
        keeping.cancel()


async def test_scripts_that_left_are_let_go(make_parts: MakeParts) -> None:
    async with open_house() as house:
        scripts = Scripts(house.engine, house.engine, idle_s=6, dead_man_s=0.5)
        keeping = asyncio.create_task(keep_house(make_parts(house), scripts))
        scripts.receive_velocity(house.clock(), house.let_in().session, Wanted(1, 0, 0.5))
        await asyncio.sleep(6 + EVERY_S)
        assert not house.engine._control._drivers
        keeping.cancel()


@pytest.mark.parametrize("failure", [StageError(StageReason.NO_PICTURE), None])
async def test_a_visit_that_cannot_be_cleared_up_is_logged_and_left(
    make_parts: MakeParts, failure: StageError | None, caplog: pytest.LogCaptureFixture
) -> None:
    class StuckStage(PaperStage):
        async def end_all_of(self, owner: str) -> None:
            if failure is not None:
                raise failure
            await asyncio.sleep(3600)
            raise AssertionError(owner)

    async with open_house(door=DoorOptions(session_s=1)) as house:
        house.stage = StuckStage()
        house.let_in()
        keeping = asyncio.create_task(
            keep_house(make_parts(house), Scripts(house.engine, house.engine, idle_s=6, dead_man_s=0.5))
        )
        await asyncio.sleep(4 * EVERY_S)
        assert "could not be cleared up" in caplog.text
        assert not keeping.done()
        keeping.cancel()
