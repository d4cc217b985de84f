"""The computer's clock jumps during a hold: the head stops, and a new press moves it again."""

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
        await asyncio.sleep(1)  # the press is still held
        assert not any(server.velocities(Axis.PAN, stopped_at))


@pytest.mark.parametrize("jumped_s", [1.0, 3600.0])
async def test_a_clock_that_jumps_ahead_mid_hold_ends_the_hold_and_stops_the_head(stack: Open, jumped_s: float) -> None:
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
        await asyncio.sleep(1)
        assert not any(server.velocities(Axis.PAN, stopped_at))


@pytest.mark.parametrize("jumped_s", [-3600.0, -1.0])
async def test_after_a_clock_went_backwards_a_new_press_drives_as_before(stack: Open, jumped_s: float) -> None:
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
