from __future__ import annotations

import asyncio

import pytest

from belvedere.timeouts import SHORTEST_TIMER_S, timeout, wait_until


async def test_a_block_that_takes_too_long_is_ended() -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with timeout(2):
            await asyncio.sleep(10)
    assert asyncio.get_running_loop().time() == began + 2


async def test_a_block_that_ends_in_time_is_not_affected() -> None:
    async with timeout(2):
        await asyncio.sleep(1)
    await asyncio.sleep(10)


async def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with timeout(2):
            raise ValueError("mine")


async def test_it_holds_in_a_task_that_is_being_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            with pytest.raises(TimeoutError):
                async with timeout(1):
                    await asyncio.sleep(100)
            ended.append("in time")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert ended == ["in time"]
    assert task.cancelled()


async def test_it_holds_after_a_task_group_failed() -> None:
    async def fail() -> None:
        raise ValueError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
    with pytest.raises(TimeoutError):
        async with timeout(1):
            await asyncio.sleep(100)


async def test_a_cancellation_from_outside_propagates() -> None:
    async def work() -> None:
        async with timeout(5):
            await asyncio.sleep(100)

    task = asyncio.create_task(work())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_a_cancellation_at_the_same_moment_is_not_lost() -> None:
    async def work() -> None:
        async with timeout(1):
            await asyncio.sleep(100)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(1, task.cancel)
    await asyncio.wait({task})
    assert task.cancelled()


async def test_the_inner_of_two_ends_the_inner_block_only() -> None:
    async with timeout(5):
        with pytest.raises(TimeoutError):
            async with timeout(1):
                await asyncio.sleep(100)
        await asyncio.sleep(1)


async def test_the_outer_of_two_ends_both() -> None:
    inner: list[type[BaseException]] = []

    async def work() -> None:
        try:
            async with timeout(5):
                await asyncio.sleep(100)
        except BaseException as error:
            inner.append(type(error))
            raise

    with pytest.raises(TimeoutError):
        async with timeout(1):
            await work()
    assert inner == [asyncio.CancelledError]


# wait_until


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def test_a_wait_ends_at_its_deadline_on_the_callers_clock_and_leaves_the_event_set() -> None:
    event, began = asyncio.Event(), loop_time()
    await wait_until(event, began + 102, lambda: loop_time() + 100)
    assert loop_time() == pytest.approx(began + 2)
    assert event.is_set()


async def test_a_wait_ends_with_its_event_long_before_the_deadline() -> None:
    event, began = asyncio.Event(), loop_time()
    asyncio.get_running_loop().call_later(1, event.set)
    await wait_until(event, began + 60, loop_time)
    assert loop_time() == began + 1


async def test_a_wait_without_a_deadline_ends_with_its_event_only() -> None:
    event, began = asyncio.Event(), loop_time()
    asyncio.get_running_loop().call_later(1e6, event.set)
    await wait_until(event, None, loop_time)
    assert loop_time() == began + 1e6


@pytest.mark.parametrize("deadline", [None, 1e9])
async def test_an_event_that_came_between_the_look_and_the_wait_is_not_missed(deadline: float | None) -> None:
    event, began = asyncio.Event(), loop_time()
    event.set()
    await wait_until(event, deadline, loop_time)
    assert loop_time() == began


async def test_a_deadline_that_has_passed_lets_others_run_before_the_wait_ends() -> None:
    event, began = asyncio.Event(), loop_time()
    await wait_until(event, began - 5, loop_time)
    assert loop_time() - began >= SHORTEST_TIMER_S * 0.99


@pytest.mark.parametrize("ends_by", ["event", "deadline", "cancellation"])
async def test_a_wait_that_has_ended_leaves_neither_a_timer_nor_a_task(ends_by: str) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_until(event, loop_time() + (1 if ends_by == "deadline" else 60), loop_time))
    await asyncio.sleep(0.5)
    if ends_by == "event":
        event.set()
    elif ends_by == "cancellation":
        waiting.cancel()
    await asyncio.wait({waiting})
    event.clear()
    await asyncio.sleep(100)
    assert not event.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancellation_that_comes_with_the_event_is_not_lost() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_until(event, loop_time() + 60, loop_time))
    await asyncio.sleep(0.5)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert event.is_set()  # whoever waits next still learns of it
