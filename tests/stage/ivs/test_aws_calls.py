"""Calls that block are made in threads, so many at a time, and nobody waits for one that never returns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import IvsError, IvsReason
from belvedere.stage.ivs.aws_calls import CALL_TIMEOUT_S, MAX_CALLS, AwsCalls

if TYPE_CHECKING:
    from collections.abc import Callable


class Threads:
    """Threads that the test runs, on the loop."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def start(self, run: Callable[[], None]) -> None:
        self.waiting.append(run)

    async def run_all(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()
            await asyncio.sleep(0.01)


def at_once(run: Callable[[], None]) -> None:
    run()


async def test_what_a_call_returns_or_raises_is_returned_or_raised() -> None:
    calls = AwsCalls(at_once)
    assert await calls.call(lambda: 7, "counting") == 7
    with pytest.raises(ZeroDivisionError):
        await calls.call(lambda: 1 // 0, "dividing")


async def test_a_call_that_never_returns_is_given_up() -> None:
    calls = AwsCalls(Threads().start)
    began = asyncio.get_running_loop().time()
    with pytest.raises(IvsError, match="asking: AWS did not answer") as caught:
        await calls.call(lambda: None, "asking")
    assert caught.value.reason is IvsReason.UNREACHABLE
    assert asyncio.get_running_loop().time() - began == pytest.approx(CALL_TIMEOUT_S)


async def test_calls_that_hang_are_so_many_and_the_next_waits_for_a_place_in_vain() -> None:
    threads = Threads()
    calls = AwsCalls(threads.start)
    results = await asyncio.gather(*(calls.call(lambda: None, "asking") for _ in range(100)), return_exceptions=True)
    assert all(isinstance(each, IvsError) for each in results)
    assert len(threads.waiting) == MAX_CALLS


async def test_a_call_that_returns_late_disturbs_nobody_and_frees_its_place() -> None:
    threads = Threads()
    calls = AwsCalls(threads.start)
    await asyncio.gather(*(calls.call(lambda: 1 // 0, "asking") for _ in range(MAX_CALLS)), return_exceptions=True)
    await threads.run_all()
    call = asyncio.create_task(calls.call(lambda: 7, "asking"))
    await asyncio.sleep(0.01)
    await threads.run_all()
    assert await call == 7


async def test_more_calls_than_places_are_made_one_after_the_other() -> None:
    threads = Threads()
    calls = AwsCalls(threads.start)
    gathering = asyncio.gather(*(calls.call(lambda: 7, "asking") for _ in range(3 * MAX_CALLS)))
    await asyncio.sleep(0.01)
    assert len(threads.waiting) == MAX_CALLS
    await threads.run_all()
    assert await gathering == [7] * 3 * MAX_CALLS


async def test_whoever_is_cancelled_does_not_wait() -> None:
    threads = Threads()
    calls = AwsCalls(threads.start)
    call = asyncio.create_task(calls.call(lambda: 7, "asking"))
    await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    await threads.run_all()


async def test_where_no_thread_can_be_started_the_place_is_free_again() -> None:
    def fail(_run: Callable[[], None]) -> None:
        raise RuntimeError("no more threads")

    calls = AwsCalls(fail)
    for _ in range(3 * MAX_CALLS):
        with pytest.raises(RuntimeError):
            await calls.call(lambda: 7, "asking")


@pytest.mark.realtime
async def test_a_real_thread_leaves_the_loop_free() -> None:
    loop = asyncio.get_running_loop()

    def call() -> int:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(60)  # the loop serves others meanwhile
        return 7

    assert await AwsCalls().call(call, "asking", 60) == 7
