"""Faults between a page and the server, and when exactly the units stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from belvedere.access.sessions import EndReason
from belvedere.control.options import TICK_S
from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack

    Open = Callable[..., AbstractAsyncContextManager[Stack]]

DEAD_MAN_S = 0.5
INTERVAL_S = 0.03
IN_TIME_S = DEAD_MAN_S + INTERVAL_S + TICK_S
AT_ONCE_S = 2 * INTERVAL_S
WHENEVER = [0.2 + 0.0137 * number for number in range(8)]  # in every phase of radio, page and keep-alive


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_a_release_reaches_the_unit_within_two_intervals(stack: Open, held_s: float) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        await visitor.release()
        released_at = server.now
        assert await server.stopped() - released_at <= AT_ONCE_S


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_a_socket_that_closes_stops_the_unit_within_two_intervals(stack: Open, held_s: float) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        visitor.peer.leave(1006)
        closed_at = server.now
        assert await server.stopped() - closed_at <= AT_ONCE_S


@pytest.mark.parametrize("held_s", WHENEVER)
@pytest.mark.parametrize("reason", EndReason)
async def test_the_end_of_the_session_stops_the_unit_within_two_intervals_and_for_good(
    stack: Open, held_s: float, reason: EndReason
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        server.end_sessions(reason)
        ended_at = server.now
        assert await server.stopped() - ended_at <= AT_ONCE_S
        await asyncio.sleep(2.0)  # the press is still held
        assert not any(server.velocities(Axis.PAN, ended_at + AT_ONCE_S))
        assert server.belvedere.engine.status.lease.session is None


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_the_end_of_a_programs_session_stops_the_unit_within_two_intervals_and_for_good(
    stack: Open, held_s: float
) -> None:
    async with stack() as server, server.program() as program:
        await server.ready()
        refused = 0

        async def press_again_and_again() -> None:
            nonlocal refused
            while True:
                answer = await program.post("/api/v1/head/velocity", json={"pan": 1})
                refused += answer.status_code == httpx.codes.UNAUTHORIZED
                await asyncio.sleep(0.05)

        pressing = asyncio.create_task(press_again_and_again())
        await server.turning()
        await asyncio.sleep(held_s)
        server.end_sessions(EndReason.REVOKED)
        ended_at = server.now
        assert await server.stopped() - ended_at <= AT_ONCE_S
        await asyncio.sleep(2.0)
        pressing.cancel()
        await asyncio.wait({pressing})
        assert refused >= 30
        assert not any(server.velocities(Axis.PAN, ended_at + AT_ONCE_S))


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_a_page_that_falls_silent_is_followed_by_a_stop_in_dead_man_time_an_interval_and_a_tick(
    stack: Open, held_s: float
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press(pan=1.0, tilt=0.5)
        await asyncio.sleep(held_s)
        await visitor.stop_sending()
        silent_at = server.now
        stops = [await server.stopped(axis) for axis in Axis]
        assert max(stops) - silent_at <= IN_TIME_S
        assert (await visitor.notice())["code"] == "hold_expired"


async def test_a_half_open_socket_stops_the_head_after_the_dead_man_time_and_is_closed(
    stack: Open,
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        visitor.peer.stop_reading()  # no FIN, no RST: the cable was pulled
        await visitor.stop_sending()
        silent_at = server.now
        assert await server.stopped() - silent_at <= IN_TIME_S
        await visitor.peer.over()
        assert not any(server.velocities(Axis.PAN, silent_at + IN_TIME_S))


async def test_a_page_that_reads_nothing_can_still_stop_the_head_by_its_release(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        visitor.peer.stop_reading()
        await asyncio.sleep(0.5)
        await visitor.release()
        released_at = server.now
        assert await server.stopped() - released_at <= AT_ONCE_S


async def test_a_late_burst_of_an_old_hold_moves_nothing(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await visitor.stop_sending()
        held_up = [visitor.drive(1.0) for _ in range(20)]  # sent now, delivered by the network too late
        stopped_at = await server.stopped()
        await asyncio.sleep(1)
        for message in held_up:
            visitor.peer.send_json(message)
        assert (await visitor.error())["code"] in {"too_slow", "too_late", "hold_ended"}
        await asyncio.sleep(1)
        assert not any(server.velocities(Axis.PAN, stopped_at))


async def test_a_flood_ends_its_senders_connection_and_delays_no_other_stop(stack: Open) -> None:
    async with stack() as server, server.visitor() as driver, server.visitor() as flooder:
        await server.ready()
        await driver.lease()
        await driver.press()
        await server.turning()
        for _ in range(20_000):
            flooder.send("ping")
        await driver.release()
        released_at = server.now
        assert await server.stopped() - released_at <= AT_ONCE_S
        await flooder.peer.over()
        assert flooder.peer.close_code == 4429


async def test_a_flood_from_the_driver_ends_in_a_stop(stack: Open) -> None:
    async with stack() as server, server.visitor() as driver:
        await server.ready()
        await driver.lease()
        await driver.press()
        await server.turning()
        await driver.stop_sending()
        flooded_at = server.now
        for _ in range(20_000):
            driver.peer.send_json(driver.drive(1.0))
        assert await server.stopped() - flooded_at <= AT_ONCE_S
        await driver.peer.over()
        assert driver.peer.close_code == 4429


async def test_a_stop_takes_effect_in_the_middle_of_a_flood(stack: Open) -> None:
    async with stack() as server, server.visitor() as driver, server.visitor() as other:
        await server.ready()
        await driver.lease()
        await driver.press()
        await server.turning()
        for _ in range(300):
            other.send("ping")
        other.send("stop")
        said_at = server.now
        assert await server.stopped() - said_at <= AT_ONCE_S
        assert (await driver.notice())["code"] == "stopped"


@pytest.mark.parametrize("for_ms", [100, 500])
async def test_a_programs_loop_does_not_move_the_unit_again_after_a_stop_until_it_pauses(
    stack: Open, for_ms: float
) -> None:
    wanted = {"pan": 1.0, "for_ms": for_ms}
    async with stack() as server, server.program() as program, server.visitor() as other:
        await server.ready()
        assert (await program.post("/api/v1/head/velocity", json=wanted)).status_code == 200
        await server.turning()
        other.send("stop")
        said_at = server.now
        assert await server.stopped() - said_at <= AT_ONCE_S
        stopped_at = server.now
        while server.now < stopped_at + 40:
            answer = await program.post("/api/v1/head/velocity", json=wanted)
            assert (answer.status_code, answer.json()["code"]) == (409, "hold_ended")
            await asyncio.sleep(0.3)
        assert not any(server.velocities(Axis.PAN, stopped_at))
        await asyncio.sleep(DEAD_MAN_S)
        assert (await program.post("/api/v1/head/velocity", json=wanted)).status_code == 200
        await server.turning()
