"""Checks are independent: one that hangs or fails gives a result, and does not affect the others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from belvedere.lab.doctor.check import (
    Check,
    CheckResult,
    CheckState,
    in_worker_thread,
    run_checks,
    run_in_thread,
    worst_state,
)

GOOD = CheckResult("good", CheckState.OK, "is there")


async def good() -> list[CheckResult]:
    return [GOOD]


async def hang() -> list[CheckResult]:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def fail() -> list[CheckResult]:
    raise ZeroDivisionError("by nothing")


async def test_results_come_in_the_order_of_the_checks_and_are_reported_as_they_are_made() -> None:
    async def slow() -> list[CheckResult]:
        await asyncio.sleep(1)
        return [CheckResult("slow", CheckState.OK, "")]

    reported: list[str] = []
    found = await run_checks([Check("slow", slow), Check("good", good)], lambda result: reported.append(result.name))
    assert [result.name for result in found] == ["slow", "good"]
    assert reported == ["good", "slow"]


async def test_a_check_that_hangs_is_reported_as_such_in_its_own_time() -> None:
    began = asyncio.get_running_loop().time()
    found = await run_checks([Check("a", hang, 3.0), Check("b", good), Check("c", hang, 2.0)])
    assert found == [
        CheckResult("a", CheckState.UNKNOWN, "no answer within 3 s"),
        GOOD,
        CheckResult("c", CheckState.UNKNOWN, "no answer within 2 s"),
    ]
    assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.01)


async def test_a_check_that_ignores_being_cancelled_is_left_behind() -> None:
    release = asyncio.Event()

    async def stubborn() -> list[CheckResult]:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return []

    found = await run_checks([Check("stubborn", stubborn, 1.0), Check("good", good)])
    assert [result.state for result in found] == [CheckState.UNKNOWN, CheckState.OK]
    release.set()


async def test_a_check_that_fails_is_a_result() -> None:
    found = await run_checks([Check("sums", fail), Check("good", good)])
    assert found[0].state is CheckState.UNKNOWN
    assert "by nothing" in found[0].message
    assert found[1] == GOOD


@pytest.mark.realtime
async def test_what_works_in_a_thread_is_handed_back_and_what_fails_is_raised() -> None:
    assert await run_in_thread(lambda: threading.current_thread() is not threading.main_thread())
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 // 0)
    assert await in_worker_thread(lambda: [GOOD])() == [GOOD]


@pytest.mark.realtime
async def test_a_thread_that_hangs_in_the_kernel_keeps_nobody() -> None:
    release = threading.Event()

    def stuck() -> list[CheckResult]:
        release.wait(30)
        return []

    found = await run_checks([Check("stuck", in_worker_thread(stuck), 0.2), Check("good", good)])
    assert [result.state for result in found] == [CheckState.UNKNOWN, CheckState.OK]
    release.set()
    for thread in threading.enumerate():
        if thread.name == "check":
            thread.join(5)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([], CheckState.OK),
        ([CheckState.OK, CheckState.UNKNOWN], CheckState.UNKNOWN),
        ([CheckState.UNKNOWN, CheckState.WARNING], CheckState.WARNING),
        ([CheckState.WARNING, CheckState.ERROR, CheckState.OK], CheckState.ERROR),
    ],
)
def test_the_worst_of_all_is_how_it_stands(states: list[CheckState], whole: CheckState) -> None:
    assert worst_state([CheckResult("x", state, "") for state in states]) is whole
