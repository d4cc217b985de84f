from __future__ import annotations

import asyncio
import gc
import time

import pytest
from tests.support.loop_watchdog import LoopWatchdog, Stall, Waited, Watched, waited_between

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

HELD_S = 0.2


def hold_the_loop() -> None:
    time.sleep(HELD_S)


async def turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0.01)


async def test_a_callback_that_holds_the_loop_is_named() -> None:
    with LoopWatchdog() as watchdog:
        await turns()
        watchdog.take()
        asyncio.get_running_loop().call_soon(hold_the_loop)
        await turns()
        watched = watchdog.take()
    longest = max(watched.stalls, key=lambda stall: stall.lasted_s)
    assert longest.lasted_s > HELD_S / 2
    assert "hold_the_loop" in longest.stack
    assert max(watched.lags_s) == longest.lasted_s
    assert max(watched.held_s) == longest.held_s


def lengthen_full_collection(phase: str, info: dict[str, int]) -> None:
    """How long a collection takes depends on the machine: make it long, on any."""
    if phase == "start" and info["generation"] == 2:
        time.sleep(HELD_S)


async def test_a_long_garbage_collection_is_named() -> None:
    with LoopWatchdog() as watchdog:
        gc.callbacks.append(lengthen_full_collection)  # after the watchdog's own, which takes the time of the start
        try:
            await turns()
            watchdog.take()
            gc.collect()
            await turns()
            watched = watchdog.take()
        finally:
            gc.callbacks.remove(lengthen_full_collection)
    assert any("a garbage collection of generation 2" in stall.stack for stall in watched.stalls)


async def test_what_was_taken_is_not_seen_again() -> None:
    with LoopWatchdog() as watchdog:
        hold_the_loop()
        await turns()
        assert watchdog.take().stalls
        assert not [stall for stall in watchdog.take().stalls if "hold_the_loop" in stall.stack]


async def test_another_thread_sees_a_stall_before_it_is_over() -> None:
    with LoopWatchdog() as watchdog:
        await turns()
        looking = asyncio.create_task(asyncio.to_thread(_look_until_stalled, watchdog))
        await turns()
        time.sleep(HELD_S)  # noqa: ASYNC251 - the loop is to be held
        watched = await looking
    assert "test_another_thread_sees_a_stall_before_it_is_over" in watched.stalls[-1].stack
    assert watched.lags_s[-1] < HELD_S


async def test_nothing_is_watched_after_the_end() -> None:
    with LoopWatchdog() as watchdog:
        await turns()
    watchdog.take()
    hold_the_loop()
    await turns()
    assert watchdog.take() == Watched([], [], [], [])


def test_time_without_a_processor_is_not_the_loops_own_doing() -> None:
    stall = Stall(began_s=1.0, lasted_s=0.3, starved_s=0.2, stack="")
    assert stall.held_s == pytest.approx(0.1)
    assert "300 ms, 200 ms of it without a processor" in str(stall)


@pytest.mark.parametrize(
    ("since_s", "until_s", "waited_s"),
    [(1.0, 2.0, 0.4), (1.25, 1.75, 0.2), (0.0, 1.5, 0.2), (2.5, 9.0, 0.05), (5.0, 9.0, 0.0)],
)
def test_the_time_without_a_processor_is_interpolated(since_s: float, until_s: float, waited_s: float) -> None:
    waits = [Waited(1.0, 7.0), Waited(2.0, 7.4), Waited(3.0, 7.5)]
    assert waited_between(waits, since_s, until_s) == pytest.approx(waited_s)


def test_without_a_record_nobody_waited() -> None:
    assert waited_between([], 1.0, 2.0) == 0


def _look_until_stalled(watchdog: LoopWatchdog) -> Watched:
    deadline_at = time.monotonic() + 10
    while True:
        watched = watchdog.take()
        if any("sees_a_stall" in stall.stack for stall in watched.stalls):
            return watched
        assert time.monotonic() < deadline_at, "no stall was seen"
