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
    """A guardian that answers pings unless `is_mute`."""

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


class FakeStarter:
    """Starts fake children, or raises `error` if it is set."""

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
async def guarded(starter: FakeStarter) -> AsyncIterator[GuardianProcess]:
    clock = asyncio.get_running_loop().time
    guardian = GuardianProcess(STOP, dead_man_s=DEAD_MAN_S, clock=clock, start=starter.start)
    running = asyncio.create_task(guardian.run())
    try:
        await asyncio.sleep(2 * PING_EVERY_S)
        yield guardian
    finally:
        for child in starter.children:
            child.end(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        for child in starter.children:
            await child.close()
        guardian.close()


@contextmanager
def no_file_left() -> Iterator[None]:
    """Prevent this process from opening more files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    newest = os.open(os.devnull, os.O_RDONLY)
    os.close(newest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (newest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_guardian_is_started_with_the_stop_frame_and_is_watching_once_it_reports_so() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        assert starter.started == [(STOP, DEAD_MAN_S)]
        assert is_watching(guardian)


async def test_one_without_bluez_counts_as_missing() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        starter.children[0].memory.state = NO_BLUEZ
        assert not is_watching(guardian)


async def test_one_that_ends_is_replaced_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        for _ in range(3):
            starter.children[-1].end()
            await asyncio.sleep(1.5 * PING_EVERY_S)
        await asyncio.sleep(5)
        assert is_watching(guardian)
        assert len(starter.children) >= 3
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings[0].startswith("the guardian is missing: it ended with status 1")


async def test_one_that_does_not_answer_is_killed_and_replaced() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        starter.children[0].is_mute = True
        await asyncio.sleep(1.5 * PING_EVERY_S)
        assert not is_watching(guardian)
        assert starter.children[0].poll() is None
        await asyncio.sleep((DEAD_PINGS + 2) * PING_EVERY_S)
        assert starter.children[0].poll() == KILLED
        assert is_watching(guardian)


async def test_one_that_starts_slowly_is_not_killed() -> None:
    starter = FakeStarter()
    starter.is_slow = True
    async with guarded(starter) as guardian:
        await asyncio.sleep((DEAD_PINGS + 4) * PING_EVERY_S)
        assert not is_watching(guardian)
        starter.children[0].is_mute = False
        await asyncio.sleep(2 * PING_EVERY_S)
        assert is_watching(guardian)
        assert len(starter.children) == 1


async def test_one_that_cannot_be_started_is_tried_with_growing_waits() -> None:
    starter = FakeStarter()
    starter.error = PermissionError("no")
    async with guarded(starter) as guardian:
        assert not is_watching(guardian)
        await asyncio.sleep(600)
        assert starter.tries < 600 / RETRY_LONGEST_S + 12
        starter.error = None
        await asyncio.sleep(RETRY_LONGEST_S + 2 * PING_EVERY_S)
        assert is_watching(guardian)


async def test_one_that_failed_for_lack_of_descriptors_is_tried_again() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        with no_file_left():
            starter.children[0].end()
            await asyncio.sleep(1.5 * PING_EVERY_S)
            assert not is_watching(guardian)
        await asyncio.sleep(RETRY_LONGEST_S)
        assert is_watching(guardian)


async def test_values_are_in_shared_memory_before_the_call_returns() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        memory = starter.children[0].memory
        guardian.set_unit(1, TILT)
        guardian.set_unit(0, PAN)
        assert memory.units() == (PAN, TILT)
        await asyncio.sleep(1)
        guardian.mark_turning(1)
        assert memory.is_turning(1)
        assert memory.beat_s == asyncio.get_running_loop().time()
        guardian.beat((True, False))
        assert [memory.is_turning(at) for at in (0, 1)] == [True, False]


async def test_marking_a_unit_as_turning_wakes_it() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        child = starter.children[0]
        os.set_blocking(child.line, False)
        with suppress(BlockingIOError):
            os.read(child.line, 4096)
        guardian.beat((False, False))
        with pytest.raises(BlockingIOError):
            os.read(child.line, 4096)
        guardian.mark_turning(0)
        assert os.read(child.line, 4096)


async def test_a_guardian_that_reads_nothing_never_blocks_the_server() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        for _ in range(5000):  # ten times more than the socket holds
            guardian.beat((False, False))
            guardian.mark_turning(0)
        assert starter.children[0].memory.is_turning(0)


async def test_each_stop_is_reported_once_with_its_time() -> None:
    starter = FakeStarter()
    async with guarded(starter) as guardian:
        starter.children[0].memory.add_stop(1, 42.5)
        assert list(guardian.new_stops()) == [(1, 42.5)]
        assert list(guardian.new_stops()) == []


async def test_one_that_still_has_a_unit_to_stop_is_not_killed(caplog: pytest.LogCaptureFixture) -> None:
    starter = FakeStarter()
    clock = asyncio.get_running_loop().time
    guardian = GuardianProcess(STOP, dead_man_s=DEAD_MAN_S, clock=clock, start=starter.start)
    running = asyncio.create_task(guardian.run())
    await asyncio.sleep(1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    (child,) = starter.children
    assert child.poll() is None
    assert "keeps running until" in caplog.text
    await child.close()
    guardian.close()
