"""Only stops reach the unit, unless a trial is open."""

from __future__ import annotations

import asyncio

from belvedere.lab.probe.gate import Gate
from belvedere.link.port import LinkDetails
from belvedere.testing.clock import FakeClock

STOP, OTHER, TRY = b"stop", b"other", b"try"


class Unit:
    """A link that keeps what is written, and takes its time to close."""

    def __init__(self, close_s: float = 2.0) -> None:
        self.written: list[bytes] = []
        self.opened_at: list[float] = []
        self.closed = 0
        self._close_s = close_s

    async def open(self, _on_lost: object, _on_found: object) -> LinkDetails:
        self.opened_at.append(asyncio.get_running_loop().time())
        return LinkDetails(
            name="", address="x", can_write_without_response=True, can_write_with_response=True, can_keep_alive=True
        )

    async def write(self, frame: bytes, *, response: bool) -> None:
        del response
        self.written.append(frame)

    async def keep_alive(self) -> bool:
        return True

    async def close(self) -> None:
        await asyncio.sleep(self._close_s)
        self.closed += 1


def ignore(_is_up: bool = True) -> None:  # noqa: FBT001, FBT002 - the gate's interface
    pass


async def test_whatever_the_supervisor_says_is_a_stop_while_no_try_is_open() -> None:
    unit = Unit()
    gate = Gate(unit, STOP, FakeClock(), ignore)
    await gate.write(OTHER, response=True)
    await gate.write(STOP, response=False)
    assert unit.written == [STOP, STOP]


async def test_motion_means_the_frame_of_the_try_and_only_until_its_end() -> None:
    unit, clock = Unit(), FakeClock()
    gate = Gate(unit, STOP, clock, ignore)
    gate.allow(TRY, clock.now + 1)
    await gate.write(OTHER, response=False)
    await gate.write(STOP, response=False)
    clock.advance(1)
    assert gate.is_shut
    await gate.write(OTHER, response=False)
    assert unit.written == [TRY, STOP, STOP]


async def test_a_try_that_was_shut_does_not_go_out_late() -> None:
    unit, clock = Unit(), FakeClock()
    gate = Gate(unit, STOP, clock, ignore)
    gate.allow(TRY, clock.now + 1)
    gate.shut()
    await gate.write(OTHER, response=False)
    assert unit.written == [STOP]


async def test_a_dropped_link_stays_down_for_as_long_as_it_should() -> None:
    unit, loop = Unit(), asyncio.get_running_loop()
    seen: list[tuple[float, bool]] = []
    began = loop.time()
    gate = Gate(unit, STOP, loop.time, lambda is_up: seen.append((loop.time() - began, is_up)))
    lost: list[float] = []
    await gate.open(lambda: lost.append(loop.time() - began), ignore)
    gate.drop(3.0)
    await asyncio.sleep(0.1)
    await gate.open(ignore, ignore)
    assert seen == [(0.0, True), (2.0, False), (5.0, True)]
    assert lost == [2.0]
    assert unit.closed == 1


async def test_a_stop_opens_a_link_that_is_down_on_purpose() -> None:
    unit, loop = Unit(), asyncio.get_running_loop()
    gate = Gate(unit, STOP, loop.time, ignore)
    began = loop.time()
    gate.drop(100.0)
    opening = asyncio.create_task(gate.open(ignore, ignore))
    await asyncio.sleep(3)
    gate.shut()
    await opening
    assert unit.opened_at == [began + 3]
    await gate.end()


async def test_the_end_waits_for_what_was_begun() -> None:
    unit, loop = Unit(close_s=7.0), asyncio.get_running_loop()
    gate = Gate(unit, STOP, loop.time, ignore)
    gate.drop(100.0)
    await asyncio.sleep(0.1)
    await gate.end()
    assert unit.closed == 1


async def test_questions_and_goodbyes_go_through() -> None:
    unit = Unit()
    gate = Gate(unit, STOP, FakeClock(), ignore)
    assert await gate.keep_alive()
    await gate.close()
    assert unit.closed == 1
