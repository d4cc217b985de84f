from __future__ import annotations

import asyncio
import os
import resource
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from tests.guardian.buses import PAN, STOP, TILT

from belvedere.guardian.memory import NO_BLUEZ, WATCHING, Memory
from belvedere.guardian.process import (
    DEAD_PINGS,
    PING_EVERY_S,
    RETRY_LONGEST_S,
    GuardianProcess,
    GuardianState,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

DEAD_MAN_S = 0.5
KILLED = -9


class FakeChild:
    """A guardian that answers as long as it is told to."""

    def __init__(self, memory: int, line: int, *, is_mute: bool = False) -> None:
        self.memory = Memory(os.dup(memory))
        self.line = os.dup(line)
        self.status: int | None = None
        self.is_mute = is_mute
        self.answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        self.memory.state = WATCHING
        while True:
            if not self.is_mute:
                self.memory.pong = self.memory.ping
            await asyncio.sleep(0.01)

    def end(self, status: int = 1) -> None:
        self.status = status

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.status = KILLED

    async def close(self) -> None:
        self.answering.cancel()
        with suppress(asyncio.CancelledError):
            await self.answering
        self.memory.close()
        os.close(self.line)


class Nursery:
    """Starts fake children; `error` instead, where there is one."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.started: list[tuple[bytes, float]] = []
        self.error: OSError | None = None
        self.is_slow = False
        self.tries = 0

    def start(self, memory: int, line: int, stop: bytes, dead_man_s: float) -> FakeChild:
        self.tries += 1
        if self.error is not None:
            raise self.error
        self.started.append((stop, dead_man_s))
        self.children.append(FakeChild(memory, line, is_mute=self.is_slow))
        return self.children[-1]


def is_watching(guardian: GuardianProcess) -> bool:
    assert guardian.state in (GuardianState.WATCHING, GuardianState.MISSING)
    return guardian.state is GuardianState.WATCHING


@asynccontextmanager
async def guarded(nursery: Nursery) -> AsyncIterator[GuardianProcess]:
    clock = asyncio.get_running_loop().time
    guardian = GuardianProcess(STOP, dead_man_s=DEAD_MAN_S, clock=clock, start=nursery.start)
    running = asyncio.create_task(guardian.run())
    try:
        await asyncio.sleep(2 * PING_EVERY_S)
        yield guardian
    finally:
        for child in nursery.children:
            child.end(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        for child in nursery.children:
            await child.close()
        guardian.close()


@contextmanager
def no_file_left() -> Iterator[None]:
    """This process may open no more files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    newest = os.open(os.devnull, os.O_RDONLY)
    os.close(newest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (newest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_guardian_is_started_with_its_only_frame_and_watches_once_it_says_so() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        assert nursery.started == [(STOP, DEAD_MAN_S)]
        assert is_watching(guardian)


async def test_one_without_a_way_to_bluez_is_as_good_as_missing() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        nursery.children[0].memory.state = NO_BLUEZ
        assert not is_watching(guardian)


async def test_one_that_ends_is_replaced_and_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        for _ in range(3):
            nursery.children[-1].end()
            await asyncio.sleep(1.5 * PING_EVERY_S)
        await asyncio.sleep(5)
        assert is_watching(guardian)
        assert len(nursery.children) >= 3
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings[0].startswith("the guardian is missing: it ended with status 1")


async def test_one_that_does_not_answer_is_killed_and_replaced() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        nursery.children[0].is_mute = True
        await asyncio.sleep(1.5 * PING_EVERY_S)
        assert not is_watching(guardian)
        assert nursery.children[0].poll() is None
        await asyncio.sleep((DEAD_PINGS + 2) * PING_EVERY_S)
        assert nursery.children[0].poll() == KILLED
        assert is_watching(guardian)


async def test_one_that_takes_long_to_start_is_waited_for() -> None:
    nursery = Nursery()
    nursery.is_slow = True
    async with guarded(nursery) as guardian:
        await asyncio.sleep((DEAD_PINGS + 4) * PING_EVERY_S)
        assert not is_watching(guardian)
        nursery.children[0].is_mute = False
        await asyncio.sleep(2 * PING_EVERY_S)
        assert is_watching(guardian)
        assert len(nursery.children) == 1


async def test_one_that_cannot_be_started_is_tried_ever_more_seldom() -> None:
    nursery = Nursery()
    nursery.error = PermissionError("no")
    async with guarded(nursery) as guardian:
        assert not is_watching(guardian)
        await asyncio.sleep(600)
        assert nursery.tries < 600 / RETRY_LONGEST_S + 12
        nursery.error = None
        await asyncio.sleep(RETRY_LONGEST_S + 2 * PING_EVERY_S)
        assert is_watching(guardian)


async def test_one_that_no_file_was_left_for_is_tried_again() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        with no_file_left():
            nursery.children[0].end()
            await asyncio.sleep(1.5 * PING_EVERY_S)
            assert not is_watching(guardian)
        await asyncio.sleep(RETRY_LONGEST_S)
        assert is_watching(guardian)


async def test_what_it_must_know_is_in_memory_before_the_call_returns() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        memory = nursery.children[0].memory
        guardian.set_unit(1, TILT)
        guardian.set_unit(0, PAN)
        assert memory.units() == (PAN, TILT)
        await asyncio.sleep(1)
        guardian.mark_turning(1)
        assert memory.is_turning(1)
        assert memory.beat_s == asyncio.get_running_loop().time()
        guardian.beat((True, False))
        assert [memory.is_turning(at) for at in (0, 1)] == [True, False]


async def test_a_first_move_wakes_it() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        child = nursery.children[0]
        os.set_blocking(child.line, False)
        with suppress(BlockingIOError):
            os.read(child.line, 4096)
        guardian.beat((False, False))
        with pytest.raises(BlockingIOError):
            os.read(child.line, 4096)
        guardian.mark_turning(0)
        assert os.read(child.line, 4096)


async def test_a_guardian_that_reads_nothing_holds_nobody_up() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        for _ in range(5000):  # ten times more than the line holds
            guardian.beat((False, False))
            guardian.mark_turning(0)
        assert nursery.children[0].memory.is_turning(0)


async def test_each_stop_of_its_is_told_once_and_when_it_was() -> None:
    nursery = Nursery()
    async with guarded(nursery) as guardian:
        nursery.children[0].memory.add_stop(1, 42.5)
        assert list(guardian.new_stops()) == [(1, 42.5)]
        assert list(guardian.new_stops()) == []


async def test_one_that_still_has_a_unit_to_stop_is_left_to_it(caplog: pytest.LogCaptureFixture) -> None:
    nursery = Nursery()
    clock = asyncio.get_running_loop().time
    guardian = GuardianProcess(STOP, dead_man_s=DEAD_MAN_S, clock=clock, start=nursery.start)
    running = asyncio.create_task(guardian.run())
    await asyncio.sleep(1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    (child,) = nursery.children
    assert child.poll() is None
    assert "keeps running until" in caplog.text
    await child.close()
    guardian.close()
