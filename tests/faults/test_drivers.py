"""Two drivers at once, and clients that send what no page sends: only the driver moves the head."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack, Visitor

    Open = Callable[..., AbstractAsyncContextManager[Stack]]

AT_ONCE_S = 0.06  # two link intervals
BIG = 10**400


async def test_a_second_driver_moves_nothing_and_is_refused_with_the_reason(stack: Open) -> None:
    async with stack() as server, server.visitor() as first, server.visitor() as second:
        await server.ready()
        await first.lease()
        await first.press(pan=0.5)
        await server.turning()
        second.send("lease.acquire")
        assert (await second.error())["code"] == "someone_else_drives"
        second.epoch = first.epoch
        await second.press(pan=-1.0)
        assert (await second.error())["code"] == "someone_else_drives"
        await asyncio.sleep(1)
        assert min(server.velocities(Axis.PAN)) >= 0
        assert server.velocities(Axis.PAN)[-1] > 0


async def hand_over(driver: Visitor, asker: Visitor) -> None:
    """The asker asks, and the driver says yes while its stick is held."""
    asker.send("lease.ask")
    while not (asking := (await driver.peer.receive("lease.offers"))["asking"]):
        pass
    driver.send("lease.answer", asker=asking[0]["asker"], granted=True)
    while (lease := await asker.peer.receive("lease"))["holder"] != "you":
        pass
    asker.epoch = lease["epoch"]


async def test_two_pages_with_opposite_setpoints_never_both_move_the_head(stack: Open) -> None:
    async with stack() as server, server.visitor() as first, server.visitor() as second:
        await server.ready()
        await first.lease()
        await first.press(pan=1.0)
        await server.turning()
        await hand_over(first, second)
        taken_at = server.now
        await second.press(pan=-1.0)
        await asyncio.sleep(1)
        after = server.velocities(Axis.PAN, taken_at + AT_ONCE_S)
        assert after
        assert max(after) <= 0
        assert (await first.error())["code"] in {"someone_else_drives", "old_epoch"}


async def test_taking_the_lease_stops_first_and_the_former_drivers_setpoints_move_nothing(stack: Open) -> None:
    async with stack() as server, server.visitor() as first, server.visitor() as second:
        await server.ready()
        await first.lease()
        await first.press()
        await server.turning()
        await hand_over(first, second)
        taken_at = server.now
        assert await server.stopped() - taken_at <= AT_ONCE_S
        await asyncio.sleep(2)  # the former driver goes on sending
        assert not any(server.velocities(Axis.PAN, taken_at + AT_ONCE_S))


async def test_a_driver_who_reconnects_with_an_old_epoch_moves_nothing(stack: Open) -> None:
    async with stack() as server, server.visitor() as first, server.visitor() as second:
        await server.ready()
        await first.lease()
        old = first.epoch
        await hand_over(first, second)
        await hand_over(second, first)
        first.epoch, new = old, first.epoch
        assert new > old
        await first.press()
        assert (await first.error())["code"] == "old_epoch"
        await asyncio.sleep(1)
        assert not any(server.velocities(Axis.PAN))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop",
        "null",
        "[]",
        "\x00",
        "\ud800",
        '{"type": "drive"}',
        '{"type": "fly"}',
        "[" * 1000,
        '{"a":' * 150 + "1" + "}" * 150,
        '{"type": "drive", "pan": ' + "9" * 1000 + "}",
        "x" * 100_000,
    ],
    ids=lambda text: repr(text[:24]),
)
async def test_garbage_huge_and_deep_messages_are_refused_and_move_nothing(stack: Open, text: str) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        visitor.peer.send_text(text)
        assert (await visitor.error())["code"] in {"bad_message", "too_large"}
        await asyncio.sleep(0.5)
        assert not any(server.velocities(Axis.PAN))


@pytest.mark.parametrize(
    "wrong",
    [
        {"pan": float("nan")},
        {"pan": float("inf")},
        {"pan": 1.0001},
        {"tilt": -2},
        {"pan": BIG},
        {"pan": "1"},
        {"pan": True},
        {"pan": None},
        {"pan": [1]},
        {"epoch": -1},
        {"epoch": 1.5},
        {"hold": 2**60},
        {"seq": None},
        {"clock": float("nan")},
        {"clock": -1},
        {"clock": 1e300},
        {"extra": 1},
    ],
    ids=lambda wrong: json.dumps(wrong)[:24],
)
async def test_an_invalid_setpoint_is_refused_and_moves_nothing(stack: Open, wrong: dict[str, object]) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        visitor.hold = 1
        visitor.peer.send_json(visitor.drive(1.0, wrong=wrong))
        assert (await visitor.error())["code"] == "bad_message"
        await asyncio.sleep(0.5)
        assert not any(server.velocities(Axis.PAN))


async def test_a_driver_that_begins_to_send_garbage_is_stopped(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press()
        await server.turning()
        for _ in range(20):
            visitor.peer.send_bytes(b"\xff\x00")
        nonsense_at = server.now
        await visitor.peer.over()
        assert visitor.peer.close_code == 4400
        assert await server.stopped() - nonsense_at <= AT_ONCE_S


async def test_a_setpoint_with_an_older_sequence_number_moves_nothing(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        visitor.send("ping")
        await visitor.receive_server_time()
        visitor.hold = 1
        early, late = visitor.drive(-1.0), visitor.drive(1.0)
        visitor.peer.send_json(late)
        await server.turning()
        visitor.peer.send_json(early)
        assert (await visitor.error())["code"] == "old_sequence"
        await asyncio.sleep(0.3)
        assert min(server.velocities(Axis.PAN)) >= 0
