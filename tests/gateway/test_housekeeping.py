"""What belongs to a visit ends with it, and nothing is done while nobody is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from tests.support.engine_rig import House, PaperStage, open_house

from belvedere.access.door import Door, DoorOptions
from belvedere.errors import StageError, StageReason
from belvedere.gateway.housekeeping import END_WITHIN_S, Pictures, keep_house
from belvedere.gateway.parts import Parts
from belvedere.gateway.scripts import Scripts, Wanted
from belvedere.head.axes import Axis

MakeParts = Callable[..., Parts]
DAY_S = 24 * 3600.0


class LoggingDoor(Door):
    """A door that notes when it was looked after."""

    def __init__(self, house: House, options: DoorOptions | None = None) -> None:
        super().__init__(house.clock, options)
        self._now = house.clock
        self.looked_at: list[float] = []

    def tick(self) -> None:
        self.looked_at.append(self._now())
        super().tick()


@asynccontextmanager
async def kept(house: House, make_parts: MakeParts) -> AsyncIterator[tuple[Scripts, "asyncio.Task[None]"]]:
    """A house that is kept; its programs, and what keeps it."""
    scripts = Scripts(house.engine, house.engine, idle_s=6, dead_man_s=0.5)
    parts = make_parts(house)
    pictures = Pictures(parts.stage)
    parts.door.subscribe(pictures.receive_session_ended)
    keeping = asyncio.create_task(keep_house(parts, scripts))
    await asyncio.sleep(0)
    try:
        yield scripts, keeping
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await pictures.close()


async def test_the_picture_ends_with_the_visit(make_parts: MakeParts) -> None:
    async with open_house(door=DoorOptions(session_s=8)) as house, kept(house, make_parts):
        ana = house.let_in().session
        await house.stage.answer("v=0", ana.id)
        await asyncio.sleep(7)
        ben = house.let_in().session
        await house.stage.answer("v=0", ben.id)
        await asyncio.sleep(1.01)
        assert [owner for owner, _ in house.stage.offers.values()] == [ben.id]
        await asyncio.sleep(7)
        assert not house.stage.offers


async def test_the_picture_ends_with_a_visit_that_had_to_give_way(make_parts: MakeParts) -> None:
    async with open_house(door=DoorOptions(most_sessions=1)) as house, kept(house, make_parts):
        await house.stage.answer("v=0", house.let_in().session.id)
        house.let_in()
        await asyncio.sleep(0.01)
        assert not house.stage.offers


async def test_scripts_that_left_are_let_go(make_parts: MakeParts) -> None:
    async with open_house() as house, kept(house, make_parts) as (scripts, _):
        ana = house.let_in().session
        scripts.receive_velocity(house.clock(), ana, Wanted(1, 0, 0.5))
        await asyncio.sleep(5)
        scripts.receive_velocity(house.clock(), ana, Wanted(1, 0, 0.5))
        await asyncio.sleep(5.9)
        assert house.engine._control._drivers
        await asyncio.sleep(0.11)
        assert not house.engine._control._drivers


async def test_it_wakes_for_nobody_and_only_at_the_end_of_a_visit(make_parts: MakeParts) -> None:
    async with open_house() as house:
        door = house.door = LoggingDoor(house, DoorOptions(session_s=DAY_S))
        async with kept(house, make_parts):
            await asyncio.sleep(30 * DAY_S)
            assert door.looked_at == []
            came_at = house.clock()
            house.let_in()
            await asyncio.sleep(30 * DAY_S)
            assert door.looked_at == [pytest.approx(came_at + DAY_S)]


@pytest.mark.parametrize("failure", [StageError(StageReason.NO_PICTURE), RuntimeError("unforeseen"), None])
async def test_pictures_that_cannot_be_ended_are_logged_and_left_and_the_others_end_at_once(
    make_parts: MakeParts, failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    class StuckStage(PaperStage):
        stuck = ""

        async def end_all_of(self, owner: str) -> None:
            if owner != self.stuck:
                await super().end_all_of(owner)
                return
            if failure is not None:
                raise failure
            await asyncio.sleep(3600)

    async with open_house(door=DoorOptions(session_s=1)) as house:
        house.stage = stage = StuckStage()
        async with kept(house, make_parts) as (_, keeping):
            stage.stuck = house.let_in().session.id
            await stage.answer("v=0", house.let_in().session.id)
            await asyncio.sleep(1.1)
            assert not stage.offers
            await asyncio.sleep(END_WITHIN_S)
            assert "could not be ended" in caplog.text
            assert not keeping.done()


async def test_an_engine_that_failed_does_not_keep_visits_from_ending(
    make_parts: MakeParts, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house(door=DoorOptions(session_s=20)) as house, kept(house, make_parts) as (scripts, keeping):
        ana, ben = house.let_in().session, house.let_in().session
        scripts.receive_velocity(house.clock(), ana, Wanted(1, 0, 0.5))
        scripts.receive_stop(house.clock(), ben)
        await house.stage.answer("v=0", ana.id)
        house.units[Axis.PAN].failure = RuntimeError("broken")
        await asyncio.sleep(21)
        assert "a program that left could not be cleared up" in caplog.text
        assert scripts.deadline() is None
        assert not house.stage.offers
        assert not keeping.done()
