"""Everything that goes wrong between a page and the house, as the units feel it, to the millisecond."""

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
WHENEVER = [0.2 + 0.0137 * number for number in range(8)]  # moments of every phase of radio, page and probes


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_letting_go_reaches_the_unit_within_two_intervals(stack: Open, held_s: float) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        await visitor.cancel()
        let_go_at = config.now
        assert await config.stopped() - let_go_at <= AT_ONCE_S


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_a_socket_that_closes_stops_the_unit_within_two_intervals(stack: Open, held_s: float) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        visitor.peer.leave(1006)
        closed_at = config.now
        assert await config.stopped() - closed_at <= AT_ONCE_S


@pytest.mark.parametrize("held_s", WHENEVER)
@pytest.mark.parametrize("reason", EndReason)
async def test_the_end_of_the_visit_stops_the_unit_within_two_intervals_and_for_good(
    stack: Open, held_s: float, reason: EndReason
) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await asyncio.sleep(held_s)
        config.end_visits(reason)
        ended_at = config.now
        assert await config.stopped() - ended_at <= AT_ONCE_S
        await asyncio.sleep(2.0)  # the hand is still down
        assert not any(config.velocities(Axis.PAN, ended_at + AT_ONCE_S))
        assert config.belvedere.engine.status.lease.session is None


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_the_end_of_a_programs_visit_stops_the_unit_within_two_intervals_and_for_good(
    stack: Open, held_s: float
) -> None:
    async with stack() as config, config.program() as program:
        await config.ready()
        refused = 0

        async def press_again_and_again() -> None:
            nonlocal refused
            while True:
                answer = await program.post("/api/v1/head/velocity", json={"pan": 1})
                refused += answer.status_code == httpx.codes.UNAUTHORIZED
                await asyncio.sleep(0.05)

        pressing = asyncio.create_task(press_again_and_again())
        await config.turning()
        await asyncio.sleep(held_s)
        config.end_visits(EndReason.REVOKED)
        ended_at = config.now
        assert await config.stopped() - ended_at <= AT_ONCE_S
        await asyncio.sleep(2.0)
        pressing.cancel()
        await asyncio.wait({pressing})
        assert refused >= 30
        assert not any(config.velocities(Axis.PAN, ended_at + AT_ONCE_S))


@pytest.mark.parametrize("held_s", WHENEVER)
async def test_a_page_that_dies_without_a_word_is_followed_by_a_stop_in_dead_man_time_an_interval_and_a_tick(
    stack: Open, held_s: float
) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press(pan=1.0, tilt=0.5)
        await asyncio.sleep(held_s)
        await visitor.fall_silent()
        died_at = config.now
        stops = [await config.stopped(axis) for axis in Axis]
        assert max(stops) - died_at <= IN_TIME_S
        assert (await visitor.notice())["code"] == "hold_expired"


async def test_a_half_open_socket_is_stopped_by_the_dead_man_and_hung_up_on(stack: Open) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await config.turning()
        visitor.peer.stop_reading()  # no FIN, no RST: the cable was pulled
        await visitor.fall_silent()
        silent_at = config.now
        assert await config.stopped() - silent_at <= IN_TIME_S
        await visitor.peer.over()
        assert not any(config.velocities(Axis.PAN, silent_at + IN_TIME_S))


async def test_a_page_that_reads_nothing_is_still_stopped_when_it_lets_go(stack: Open) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await config.turning()
        visitor.peer.stop_reading()
        await asyncio.sleep(0.5)
        await visitor.cancel()
        let_go_at = config.now
        assert await config.stopped() - let_go_at <= AT_ONCE_S


async def test_a_late_burst_of_an_old_hold_moves_nothing(stack: Open) -> None:
    async with stack() as config, config.visitor() as visitor:
        await config.ready()
        await visitor.lease()
        await visitor.press()
        await config.turning()
        await visitor.fall_silent()
        held_up = [visitor.drive(1.0) for _ in range(20)]  # said now, delivered by the network when it is too late
        stopped_at = await config.stopped()
        await asyncio.sleep(1)
        for message in held_up:
            visitor.peer.say(message)
        assert (await visitor.error())["code"] in {"too_slow", "too_late", "hold_ended"}
        await asyncio.sleep(1)
        assert not any(config.velocities(Axis.PAN, stopped_at))


async def test_a_flood_ends_the_flooder_and_delays_nobody_elses_stop(stack: Open) -> None:
    async with stack() as config, config.visitor() as driver, config.visitor() as flooder:
        await config.ready()
        await driver.lease()
        await driver.press()
        await config.turning()
        for _ in range(20_000):
            flooder.say("ping")
        await driver.cancel()
        let_go_at = config.now
        assert await config.stopped() - let_go_at <= AT_ONCE_S
        await flooder.peer.over()
        assert flooder.peer.close_code == 4429


async def test_a_flood_from_the_driver_ends_in_a_stop(stack: Open) -> None:
    async with stack() as config, config.visitor() as driver:
        await config.ready()
        await driver.lease()
        await driver.press()
        await config.turning()
        await driver.fall_silent()
        flooded_at = config.now
        for _ in range(20_000):
            driver.peer.say(driver.drive(1.0))
        assert await config.stopped() - flooded_at <= AT_ONCE_S
        await driver.peer.over()
        assert driver.peer.close_code == 4429


async def test_a_stop_is_heard_in_the_middle_of_a_flood(stack: Open) -> None:
    async with stack() as config, config.visitor() as driver, config.visitor() as other:
        await config.ready()
        await driver.lease()
        await driver.press()
        await config.turning()
        for _ in range(300):
            other.say("ping")
        other.say("stop")
        said_at = config.now
        assert await config.stopped() - said_at <= AT_ONCE_S
        assert (await driver.notice())["code"] == "stopped"


@pytest.mark.parametrize("for_ms", [100, 500])
async def test_a_programs_loop_never_moves_the_unit_again_after_somebodys_stop_until_it_pauses(
    stack: Open, for_ms: float
) -> None:
    wanted = {"pan": 1.0, "for_ms": for_ms}
    async with stack() as config, config.program() as program, config.visitor() as other:
        await config.ready()
        assert (await program.post("/api/v1/head/velocity", json=wanted)).status_code == 200
        await config.turning()
        other.say("stop")
        said_at = config.now
        assert await config.stopped() - said_at <= AT_ONCE_S
        stopped_at = config.now
        while config.now < stopped_at + 40:
            answer = await program.post("/api/v1/head/velocity", json=wanted)
            assert (answer.status_code, answer.json()["code"]) == (409, "hold_ended")
            await asyncio.sleep(0.3)
        assert not any(config.velocities(Axis.PAN, stopped_at))
        await asyncio.sleep(DEAD_MAN_S)
        assert (await program.post("/api/v1/head/velocity", json=wanted)).status_code == 200
        await config.turning()
