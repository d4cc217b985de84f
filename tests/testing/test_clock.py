import asyncio
import time

import pytest

from belvedere.testing.clock import FakeClock, StalledError, run_in_virtual_time


def test_a_fake_clock_moves_only_by_advance() -> None:
    clock = FakeClock(10)
    assert (clock(), clock.advance(2.5), clock(), clock.advance(-5)) == (10, 12.5, 12.5, 7.5)


def test_an_hour_of_sleep_costs_no_time_and_is_seen_by_the_loop() -> None:
    async def sleep() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(3600)
        return loop.time() - before

    started = time.monotonic()
    assert run_in_virtual_time(sleep()) == pytest.approx(3600, abs=0.001)
    assert time.monotonic() - started < 60


def test_timers_fire_in_the_order_of_their_times() -> None:
    async def fire() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(5)
        return fired

    assert run_in_virtual_time(fire()) == [1, 2, 3]


def test_a_deadlock_is_an_error_instead_of_a_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StalledError):
        run_in_virtual_time(wait())
