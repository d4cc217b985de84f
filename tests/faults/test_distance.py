"""Network delay: a short one changes nothing, a longer one limits the speed, and with too long a one nothing moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack

    Open = Callable[..., AbstractAsyncContextManager[Stack]]

NO_LONGER_S = 0.1


@pytest.mark.parametrize("delay_s", [2.0, 0.6])
async def test_with_too_long_a_delay_nothing_moves_and_the_visitor_gets_the_reason(stack: Open, delay_s: float) -> None:
    async with stack() as server, server.visitor(delay_s) as visitor:
        await server.ready()
        await visitor.lease()
        for _ in range(3):
            await visitor.press()
            error = await visitor.error()
            assert error["code"] == "too_slow"
            assert 2 * delay_s * 1000 <= error["delay"] <= 2 * delay_s * 1000 + 500
            await asyncio.sleep(1)
            await visitor.release()
            await asyncio.sleep(2 * delay_s)
        assert not any(server.velocities(Axis.PAN))


@pytest.mark.parametrize(("delay_s", "slowest", "fastest"), [(0.02, 1, 1), (0.2, 1, 1), (0.35, 0.4, 0.75)])
async def test_with_an_acceptable_delay_the_head_moves_the_slower_the_longer_the_delay(
    stack: Open, delay_s: float, slowest: float, fastest: float
) -> None:
    async with stack() as server, server.visitor(delay_s) as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(2)
        settled_at = server.now
        await asyncio.sleep(3)
        velocities = server.velocities(Axis.PAN, settled_at)
        assert slowest <= min(velocities)
        assert max(velocities) <= fastest
        await visitor.release()
        released_at = server.now
        assert await server.stopped() - released_at <= delay_s + NO_LONGER_S


async def test_a_delay_that_becomes_too_long_during_a_hold_stops_the_head(stack: Open) -> None:
    async with stack() as server, server.visitor(0.05) as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(1)
        visitor.delay_s = 2.0  # suddenly, and for good
        worse_at = server.now
        stopped_at = await server.stopped()
        assert stopped_at - worse_at <= 0.05 + 0.5 + NO_LONGER_S
        await asyncio.sleep(10)
        assert not any(server.velocities(Axis.PAN, stopped_at))


async def test_a_replayed_setpoint_moves_the_head_for_no_longer_than_a_second(
    stack: Open,
) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await visitor.stop_sending()
        heard = visitor.drive(1.0)["heard"]
        silent_at = server.now
        for _ in range(60):
            visitor.peer.send_json(visitor.drive(1.0, wrong={"heard": heard}))
            await asyncio.sleep(0.05)
        assert await server.stopped() - silent_at <= 1.0 + NO_LONGER_S
