from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.ivs.blocking_call import blocking_call

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_it_returns_what_the_call_returns_or_raises_what_it_raises() -> None:
    def now(run: Callable[[], None]) -> None:
        run()

    assert await blocking_call(lambda: 7, start=now) == 7
    with pytest.raises(ZeroDivisionError):
        await blocking_call(lambda: 1 / 0, start=now)


@pytest.mark.realtime
async def test_the_loop_turns_while_a_thread_waits() -> None:
    is_to_end = threading.Event()
    waiting = asyncio.ensure_future(blocking_call(is_to_end.wait))
    await asyncio.sleep(0)
    is_to_end.set()
    assert await waiting


async def test_what_comes_after_a_cancellation_is_given_back() -> None:
    threads: list[Callable[[], None]] = []
    given_back: list[int] = []
    waiting = asyncio.ensure_future(blocking_call(lambda: 7, given_back.append, start=threads.append))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    threads.pop()()
    await asyncio.sleep(0)
    threads.pop()()
    assert given_back == [7]


async def test_giving_back_may_fail_and_an_error_that_comes_late_is_dropped() -> None:
    threads: list[Callable[[], None]] = []

    def fail(_value: float) -> None:
        raise OSError("no network")

    for call in (lambda: 7.0, lambda: 1 / 0):
        waiting = asyncio.ensure_future(blocking_call(call, fail, start=threads.append))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        threads.pop()()
        await asyncio.sleep(0)
    threads.pop()()
    assert not threads
