from __future__ import annotations

import asyncio
import io
import itertools
import logging
import struct
from typing import TYPE_CHECKING

import pytest
from tests.support.captures.phone import BEGINS_S, EPOCH_US, FRAME_EVERY_S, STOPS, Move, Phone, use_app

from belvedere.head.axes import Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.sim.head import HeadOptions, VirtualHead

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYOUT = shipped_profile("zeapon-pons-pt").frame
MOVES = (Move(Axis.PAN, 0.5, 0.2), Move(Axis.TILT, -1.0, 0.1), Move(Axis.PAN, -0.25, 0.1))


@pytest.fixture
def head() -> VirtualHead:
    return VirtualHead(shipped_profile("zeapon-pons-pt"), HeadOptions(interval_s=0.030))


@pytest.fixture(autouse=True)
def _bumble_does_not_complain(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    records = [record for record in caplog.get_records("call") if record.name.startswith("bumble")]
    assert not [record.getMessage() for record in records if record.levelno >= logging.WARNING]


def records(log: io.BytesIO) -> Iterator[tuple[float, bytes]]:
    """Seconds since the log began, and the packet."""
    data, at = log.getvalue(), 16
    assert data[:16] == struct.pack(">8sII", b"btsnoop\0", 1, 1002)
    while at < len(data):
        original, length, _flags, _drops, time_us = struct.unpack_from(">IIIIQ", data, at)
        assert original == length
        yield (time_us - EPOCH_US) / 1e6 - BEGINS_S, data[at + 24 : at + 24 + length]
        at += 24 + length


def commands(log: io.BytesIO) -> list[tuple[float, bytes]]:
    return [(time_s, packet[12:]) for time_s, packet in records(log) if packet[0] == 2 and packet[9] == 0x52]


async def test_the_units_receive_what_the_log_holds(head: VirtualHead) -> None:
    async with head:
        log = io.BytesIO()
        await use_app(head, log, LAYOUT, moves=MOVES)
        sent = [frame for _time_s, frame in commands(log)]
        pan = [pack(LAYOUT, 0.5)] * 4 + [stop_frame(LAYOUT)] * STOPS
        tilt = [pack(LAYOUT, -1.0)] * 2 + [stop_frame(LAYOUT)] * STOPS
        again = [pack(LAYOUT, -0.25)] * 2 + [stop_frame(LAYOUT)] * STOPS
        assert sent == pan + tilt + again
        assert [one.frame for one in head.pan.frames] == pan + again
        assert [one.frame for one in head.tilt.frames] == tilt


async def test_the_log_has_the_pace_of_the_app(head: VirtualHead) -> None:
    async with head:
        log = io.BytesIO()
        await use_app(head, log, LAYOUT, moves=MOVES[:1])
        times = [time_s for time_s, _frame in commands(log)]
        assert [late - early for early, late in itertools.pairwise(times)] == pytest.approx(
            [FRAME_EVERY_S] * (len(times) - 1), abs=1e-5
        )


@pytest.mark.parametrize("is_known", [False, True])
async def test_a_phone_that_knows_the_units_asks_them_nothing(head: VirtualHead, is_known: bool) -> None:  # noqa: FBT001 - parametrized
    async with head:
        log = io.BytesIO()
        await use_app(head, log, LAYOUT, moves=MOVES, is_known=is_known)
        asked = {packet[9] for _time_s, packet in records(log) if packet[0] == 2 and packet[7] == 4}
        assert ({0x10, 0x08} <= asked) is not is_known


async def test_the_link_may_be_encrypted(head: VirtualHead) -> None:
    async with head:
        log = io.BytesIO()
        await use_app(head, log, LAYOUT, moves=MOVES[:1], is_known=True, is_paired=True)
        encrypted = [packet for _time_s, packet in records(log) if packet[:2] == b"\x04\x08"]
        assert [packet[3] for packet in encrypted] == [0, 0, 0]


async def test_the_units_are_free_when_the_app_is_left(head: VirtualHead) -> None:
    async with head:
        await use_app(head, io.BytesIO(), LAYOUT, moves=MOVES[:1])
        await asyncio.sleep(1)
        assert not head.pan.is_connected
        assert not head.tilt.is_connected


async def test_a_unit_that_vanished_is_not_waited_for_without_end(head: VirtualHead) -> None:
    async with head:
        phone = Phone(head.medium, io.BytesIO())
        await phone.start()
        await phone.scan()
        head.faults.vanish(Axis.PAN)
        with pytest.raises(TimeoutError):
            await phone.connect(head.pan)
        await phone.close()
