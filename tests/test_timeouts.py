from __future__ import annotations

import asyncio

import pytest

from belvedere.timeouts import timeout


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
