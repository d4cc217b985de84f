"""Calls that may never return."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import pytest
from tests.link.backends import hang

from belvedere.errors import LinkError, LinkReason
from belvedere.link.pending_calls import PendingCalls, bluetooth_outcome, outcome, result


async def answer_after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "answer"


async def fail() -> None:
    raise LinkError(LinkReason.REFUSED)


async def be_cancelled_from_below() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def reason_of(call: asyncio.Task[None]) -> LinkReason:
    with pytest.raises(LinkError) as caught:
        await outcome(call, 1.0)
    return caught.value.reason


async def test_a_call_in_time_returns_its_result() -> None:
    assert await outcome(PendingCalls().begin(answer_after(0.9)), 1.0) == "answer"


async def test_a_call_that_fails_raises_its_own_error() -> None:
    assert await reason_of(PendingCalls().begin(fail())) is LinkReason.REFUSED


async def test_a_call_cancelled_by_a_library_is_a_lost_link_and_not_our_cancellation() -> None:
    assert await reason_of(PendingCalls().begin(be_cancelled_from_below())) is LinkReason.LOST


async def test_a_call_that_is_too_late_is_cancelled() -> None:
    call = PendingCalls().begin(answer_after(5))
    with pytest.raises(LinkError) as caught:
        await outcome(call, 1.0)
    await asyncio.sleep(0)
    assert caught.value.reason is LinkReason.UNANSWERED
    assert call.cancelled()


async def test_a_call_that_ignores_cancellation_is_abandoned_after_the_timeout() -> None:
    loop, until = asyncio.get_running_loop(), asyncio.Event()
    call = PendingCalls().begin(hang(until))
    began = loop.time()
    assert await reason_of(call) is LinkReason.UNANSWERED
    assert loop.time() - began == pytest.approx(1.0)
    assert not call.done()
    until.set()
    await call


async def test_a_call_is_cancelled_together_with_the_task_that_waits_for_it() -> None:
    call = PendingCalls().begin(answer_after(5))
    waiting = asyncio.create_task(outcome(call, 10))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait({waiting, call})
    assert (waiting.cancelled(), call.cancelled()) == (True, True)


async def test_on_ended_is_called_however_a_call_ends() -> None:
    ends: list[str] = []
    calls = PendingCalls()
    good = calls.begin(answer_after(1), lambda: ends.append("good"))
    bad = calls.begin(fail(), lambda: ends.append("bad"))
    await asyncio.wait({good, bad})
    await asyncio.sleep(0)
    assert ends == ["bad", "good"]
    assert result(good) == "answer"


async def test_the_error_of_an_abandoned_call_is_not_reported_by_asyncio() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    PendingCalls().begin(fail())
    await asyncio.sleep(1)
    assert complaints == []


async def test_a_call_is_kept_until_it_ends_and_no_longer() -> None:
    calls, given_up = PendingCalls(), list[str]()

    async def hang_alone() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except BaseException as end:
            given_up.append(type(end).__name__)
            raise

    hanging = weakref.ref(calls.begin(hang_alone()))
    ending = weakref.ref(calls.begin(answer_after(1)))
    await asyncio.sleep(2)
    gc.collect()
    assert (given_up, ending()) == ([], None)
    task = hanging()
    assert task is not None
    task.cancel()
    await asyncio.wait({task})


async def test_only_abandoned_calls_that_failed_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "belvedere.link.pending_calls")
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    calls = PendingCalls()
    for call in (answer_after(0), fail(), be_cancelled_from_below()):
        calls.begin(call)
    await asyncio.sleep(1)
    assert ["refused" in record.getMessage() for record in caplog.records] == [True]
    assert complaints == []


async def test_a_call_is_abandoned_exactly_at_its_timeout_even_a_negative_one() -> None:
    loop = asyncio.get_running_loop()
    for timeout_s in (0.2, -1.0):
        began = loop.time()
        with pytest.raises(LinkError):
            await outcome(PendingCalls().begin(answer_after(5)), timeout_s)
        assert loop.time() - began == pytest.approx(max(0.0, timeout_s), abs=0.001)
    await asyncio.sleep(0)


async def test_being_late_has_the_reason_that_the_caller_names_and_other_failures_their_own() -> None:
    for call, reason in ((answer_after(5), LinkReason.ADAPTER_OFF), (fail(), LinkReason.REFUSED)):
        with pytest.raises(LinkError) as caught:
            await bluetooth_outcome(PendingCalls().begin(call), 1.0, LinkReason.ADAPTER_OFF)
        assert caught.value.reason is reason
