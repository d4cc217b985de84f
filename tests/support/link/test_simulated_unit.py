"""The simulated unit keeps the contract of all links, and shows what radio does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.link.simulated_unit import Call, SimulatedRadio, SimulatedUnit

from belvedere.errors import LinkError, LinkReason
from belvedere.testing.link_contract import FRAMES, ClosedLinkContract, LinkContract, LinkRig, opened, reason_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.link.port import UnitLink

INTERVAL_S = 0.040


class SimulatedRig:
    def __init__(self) -> None:
        self.unit = SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S))

    @property
    def link(self) -> UnitLink:
        return self.unit

    def received(self) -> list[bytes]:
        return obeyed(self.unit)

    def drop(self) -> None:
        self.unit.drop()

    def refuse(self, *, on: bool) -> None:
        self.unit.is_refusing = on

    def vanish(self) -> None:
        self.unit.vanish()

    def come_back(self) -> None:
        self.unit.come_back()


class TestSimulatedUnit(LinkContract):
    @asynccontextmanager
    async def rig(self) -> AsyncIterator[LinkRig]:
        yield SimulatedRig()


class TestSimulatedUnitBeforeOpening(ClosedLinkContract):
    def closed_link(self) -> SimulatedUnit:
        return SimulatedUnit(SimulatedRadio())


def now() -> float:
    return asyncio.get_running_loop().time()


def obeyed(unit: SimulatedUnit) -> list[bytes]:
    return [one.frame for one in unit.frames if one.is_obeyed]


async def open_unit(**radio: float) -> SimulatedUnit:
    unit = SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S, **radio))  # type: ignore[arg-type]  # all are numbers
    await opened(unit)
    return unit


async def test_commands_are_taken_at_once_and_delivered_one_an_event() -> None:
    unit = await open_unit()
    began = now()
    for frame in FRAMES[:60]:
        await unit.write(frame, response=False)
    assert now() == began
    await asyncio.sleep(61 * INTERVAL_S)
    assert obeyed(unit) == FRAMES[:60]
    times = [one.at_s for one in unit.frames]
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([INTERVAL_S] * 59)


async def test_a_good_controller_delivers_several_an_event() -> None:
    unit = await open_unit(packets_per_event=4)
    for frame in FRAMES[:60]:
        await unit.write(frame, response=False)
    await asyncio.sleep(16 * INTERVAL_S)
    assert obeyed(unit) == FRAMES[:60]


async def test_an_answer_takes_one_to_two_intervals() -> None:
    unit = await open_unit()
    for phase in range(10):
        await asyncio.sleep(0.0137 * phase)
        began = now()
        await unit.write(FRAMES[0], response=True)
        assert INTERVAL_S <= now() - began <= 2 * INTERVAL_S + 1e-6


async def test_a_silent_unit_answers_nothing_while_the_link_stays() -> None:
    unit = await open_unit()
    unit.is_silent = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await unit.write(FRAMES[0], response=True)
    assert unit.is_connected
    assert obeyed(unit) == []


async def test_a_zombie_link_fails_calls_at_once_without_on_lost() -> None:
    unit = SimulatedUnit(SimulatedRadio())
    lost: list[int] = []
    await unit.open(lambda: lost.append(1), lambda: None)
    unit.is_zombie = True
    assert await reason_of(unit.write(FRAMES[0], response=False)) is LinkReason.LOST
    assert not lost


async def test_a_short_silence_delays_and_loses_nothing() -> None:
    unit = await open_unit()
    unit.vanish()
    await unit.write(FRAMES[0], response=False)
    await asyncio.sleep(0.3)
    assert obeyed(unit) == []
    unit.come_back()
    await asyncio.sleep(INTERVAL_S)
    assert obeyed(unit) == FRAMES[:1]
    await asyncio.sleep(1)
    assert unit.is_connected


async def test_a_new_interval_shows_in_the_next_deliveries() -> None:
    unit = await open_unit()
    unit.retime(0.1)
    for frame in FRAMES[:3]:
        await unit.write(frame, response=False)
    await asyncio.sleep(0.4)
    times = [one.at_s for one in unit.frames]
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.1, 0.1])


async def test_one_radio_connects_one_unit_at_a_time() -> None:
    radio = SimulatedRadio(connect_s=0.3)
    pan, tilt = SimulatedUnit(radio), SimulatedUnit(radio)
    began = now()
    await asyncio.gather(opened(pan), opened(tilt))
    assert now() - began == pytest.approx(0.6)


async def test_a_unit_may_be_seen_and_not_be_connectable() -> None:
    unit = SimulatedUnit(SimulatedRadio())
    unit.connects_to_fail = 1
    assert await reason_of(opened(unit)) is LinkReason.CONNECT_FAILED
    await opened(unit)


async def test_while_a_link_closes_the_unit_cannot_be_found() -> None:
    unit = SimulatedUnit(SimulatedRadio(close_s=2.0, search_s=1.5))
    await opened(unit)
    closing = asyncio.create_task(unit.close())
    await asyncio.sleep(0)
    assert await reason_of(opened(unit)) is LinkReason.NOT_FOUND
    await closing
    await opened(unit)


async def test_a_unit_that_cannot_answer_keep_alives_returns_false_at_once() -> None:
    unit = SimulatedUnit(SimulatedRadio(), can_keep_alive=False)
    assert not (await opened(unit)).can_keep_alive
    assert not await unit.keep_alive()


@pytest.mark.parametrize("call", list(Call))
async def test_any_call_may_hang_until_it_is_cancelled(call: Call) -> None:
    unit = SimulatedUnit(SimulatedRadio(close_s=0))
    if call is not Call.OPEN:
        await opened(unit)
    unit.hang(call)
    begun = asyncio.create_task(begin(unit, call))
    await asyncio.sleep(100)
    assert not begun.done()
    begun.cancel()
    await asyncio.wait({begun})
    assert begun.cancelled()


@pytest.mark.parametrize("call", list(Call))
async def test_any_call_may_hang_although_it_is_cancelled_and_go_on_late(call: Call) -> None:
    unit = SimulatedUnit(SimulatedRadio(close_s=0))
    if call is not Call.OPEN:
        await opened(unit)
    unit.hang(call, even_when_cancelled=True)
    begun = asyncio.create_task(begin(unit, call))
    await asyncio.sleep(0)
    begun.cancel()
    await asyncio.sleep(100)
    assert not begun.done()
    unit.release()
    await begun


async def test_a_write_that_hung_never_reaches_a_later_connection() -> None:
    unit = await open_unit(close_s=0)
    unit.hang(Call.WRITE, even_when_cancelled=True)
    late = asyncio.create_task(unit.write(FRAMES[0], response=False))
    await asyncio.sleep(0)
    await unit.close()
    await opened(unit)
    unit.release()
    with pytest.raises(LinkError):
        await late
    await asyncio.sleep(1)
    assert obeyed(unit) == []


async def begin(unit: SimulatedUnit, call: Call) -> None:
    match call:
        case Call.OPEN:
            await opened(unit)
        case Call.WRITE:
            await unit.write(FRAMES[0], response=False)
        case Call.KEEP_ALIVE:
            await unit.keep_alive()
        case Call.CLOSE:
            await unit.close()
