"""Faults between the server and its units: a stop is always written first, and no hold survives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import WriteMode
from belvedere.link.supervisor import LinkPhase

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack

    from belvedere.sim.head import Faults
    from belvedere.sim.unit import ReceivedFrame

    Open = Callable[..., AbstractAsyncContextManager[Stack]]

AT_ONCE_S = 0.06  # two link intervals
BACK_TIMEOUT_S = 20.0  # BlueZ's slow disconnection, the backoff, a scan and a connection, retried a few times


def drop(faults: Faults) -> None:
    faults.drop(Axis.PAN)


def vanish(faults: Faults) -> None:
    faults.vanish(Axis.PAN)


def hang(faults: Faults) -> None:
    faults.hang(Axis.PAN)


def adapter_off(faults: Faults) -> None:
    faults.switch_adapter(on=False)


def refuse(faults: Faults) -> None:
    faults.refuse(Axis.PAN, on=True)


def undo(faults: Faults) -> None:
    faults.come_back(Axis.PAN)
    faults.resume(Axis.PAN)
    faults.switch_adapter(on=True)
    faults.refuse(Axis.PAN, on=False)


async def test_a_unit_that_is_off_at_the_start_is_found_when_switched_on_and_gets_a_stop_first(
    stack: Open,
) -> None:
    async with stack(before=lambda head: head.faults.vanish(Axis.PAN)) as server, server.visitor() as visitor:
        await server.ready(Axis.TILT)
        await visitor.lease()
        await visitor.press(pan=1.0, tilt=1.0)
        await server.turning(Axis.TILT)
        await visitor.release()
        await asyncio.sleep(20)
        assert not server.frames(Axis.PAN)
        assert server.phase(Axis.PAN) is not LinkPhase.READY

        server.head.faults.come_back(Axis.PAN)
        async with asyncio.timeout(BACK_TIMEOUT_S):
            await server.ready()
        assert server.is_stop(server.frames(Axis.PAN)[0])
        assert not any(server.velocities(Axis.PAN))
        await visitor.lease()
        await visitor.press()
        await server.turning()


def came_since(server: Stack, since_s: float) -> list[ReceivedFrame]:
    """The frames that reached the pan unit since then; a unit that hung executes earlier ones later."""
    return [frame for frame in server.frames(Axis.PAN) if frame.came_s > since_s]


@pytest.mark.parametrize("fault", [drop, vanish, hang, adapter_off], ids=lambda fault: fault.__name__)
async def test_a_link_lost_mid_move_is_reconnected_and_its_first_write_is_a_stop(
    stack: Open, fault: Callable[[Faults], None]
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(0.3)
        fault(server.head.faults)
        lost_at = server.now + 0.001
        assert (await visitor.notice())["code"] == "link_lost"
        if fault is hang:  # until the hang is detected, the radio of such a unit still accepts writes
            lost_at = server.now
        assert server.head.pan.speed_at(server.now) > 0  # a unit never stops by itself
        await asyncio.sleep(1)
        undo(server.head.faults)
        async with asyncio.timeout(BACK_TIMEOUT_S):
            await server.ready()
        assert came_since(server, lost_at)

        await asyncio.sleep(1)  # the press is still held, and sent twenty times a second
        assert all(server.is_stop(frame) for frame in came_since(server, lost_at))
        assert server.head.pan.speed_at(server.now) == 0
        await visitor.press()
        await server.turning()


async def test_a_unit_that_refuses_commands_mid_move_gets_stops_until_it_executes_one(stack: Open) -> None:
    async with stack(write=WriteMode.WITH_RESPONSE) as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        server.head.faults.refuse(Axis.PAN, on=True)
        refused_at = server.now
        await asyncio.sleep(1)
        await visitor.release()
        await asyncio.sleep(5)
        server.head.faults.refuse(Axis.PAN, on=False)
        async with asyncio.timeout(BACK_TIMEOUT_S):
            await server.ready()
        await server.until(lambda: server.frames(Axis.PAN, refused_at))
        assert server.is_stop(server.frames(Axis.PAN, refused_at)[0])
        assert not any(server.velocities(Axis.PAN, refused_at))


@pytest.mark.parametrize("fault", ["vanish", "hang", "slow"])
async def test_a_bad_tilt_unit_never_delays_stopping_pan(stack: Open, fault: str) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press(pan=1.0, tilt=1.0)
        await server.turning()
        await server.turning(Axis.TILT)
        faults = server.head.faults
        match fault:
            case "vanish":
                faults.vanish(Axis.TILT)
            case "hang":
                faults.hang(Axis.TILT)
            case _:
                faults.delay(Axis.TILT, 3.0)
        for _ in range(6):  # while tilt is lost, disconnected, and scanned for
            await asyncio.sleep(0.4)
            assert server.velocities(Axis.PAN)[-1] != 0
            await visitor.release()
            released_at = server.now
            assert await server.stopped() - released_at <= AT_ONCE_S
            await visitor.press(pan=1.0, tilt=1.0)
            await server.turning()


async def test_a_poor_link_is_slow_and_safe(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        server.head.faults.lose(Axis.PAN, 0.5)
        await visitor.lease()
        for _ in range(10):
            await visitor.press()
            await asyncio.sleep(0.7)
            await visitor.release()
            await asyncio.sleep(1.3)
            assert server.head.pan.speed_at(server.now) == 0 or server.phase(Axis.PAN) is not LinkPhase.READY
        await server.ready()
        await asyncio.sleep(2)
        assert server.head.pan.speed_at(server.now) == 0


@pytest.mark.parametrize("late_s", [0.3, 1.0])
async def test_a_link_that_becomes_slow_mid_move_is_reopened_and_a_stop_follows_the_queued_writes(
    stack: Open, late_s: float
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(1)
        server.head.faults.delay(Axis.PAN, late_s)
        assert (await visitor.notice())["code"] == "link_lost"
        given_up_at = server.now
        assert await server.stopped() - given_up_at <= late_s + AT_ONCE_S
        await asyncio.sleep(1)
        assert server.head.pan.speed_at(server.now) == 0
