"""The computer's clock jumps while somebody holds: the head stops, and a fresh press moves it again."""

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

IN_TIME_S = 0.05 + 0.06  # until the page's next message, and two link intervals


@pytest.mark.parametrize("jumped_s", [-3600.0, -1.0, -0.2])
async def test_a_clock_that_goes_backwards_mid_hold_stops_the_head(stack: Open, jumped_s: float) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(0.3)
        server.clock.jumped_s = jumped_s
        jumped_at = server.now
        stopped_at = await server.stopped()
        assert stopped_at - jumped_at <= IN_TIME_S
        assert (await visitor.notice())["code"] == "clock_jumped"
        await asyncio.sleep(1)  # the hand is still down
        assert not any(server.velocities(Axis.PAN, stopped_at))


@pytest.mark.parametrize("jumped_s", [1.0, 3600.0])
async def test_a_clock_that_leaps_ahead_mid_hold_ends_the_hold_and_the_head_stops(stack: Open, jumped_s: float) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(0.3)
        server.clock.jumped_s = jumped_s
        leapt_at = server.now
        stopped_at = await server.stopped()
        assert stopped_at - leapt_at <= IN_TIME_S
        await asyncio.sleep(1)
        assert not any(server.velocities(Axis.PAN, stopped_at))


@pytest.mark.parametrize("jumped_s", [-3600.0, -1.0])
async def test_after_a_clock_went_backwards_a_fresh_press_drives_as_ever(stack: Open, jumped_s: float) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        server.clock.jumped_s = jumped_s
        await server.stopped()
        await visitor.press()
        await server.turning()
        await asyncio.sleep(1)
        await visitor.stop_sending()
        silent_at = server.now
        assert await server.stopped() - silent_at <= 0.5 + 0.03 + 0.025
