"""Checks do not know of each other: one that hangs or fails is a line of its own, and costs the others nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from belvedere.lab.doctor.check import Check, Finding, State, examine, in_thread, threaded, worst

GOOD = Finding("good", State.OK, "is there")


async def good() -> list[Finding]:
    return [GOOD]


async def hang() -> list[Finding]:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def fail() -> list[Finding]:
    raise ZeroDivisionError("by nothing")


async def test_findings_come_in_the_order_of_the_checks_and_are_told_as_they_are_made() -> None:
    async def slow() -> list[Finding]:
        await asyncio.sleep(1)
        return [Finding("slow", State.OK, "")]

    told: list[str] = []
    found = await examine([Check("slow", slow), Check("good", good)], lambda finding: told.append(finding.name))
    assert [finding.name for finding in found] == ["slow", "good"]
    assert told == ["good", "slow"]


async def test_a_check_that_hangs_is_told_as_such_in_its_own_time() -> None:
    began = asyncio.get_running_loop().time()
    found = await examine([Check("a", hang, 3.0), Check("b", good), Check("c", hang, 2.0)])
    assert found == [
        Finding("a", State.UNKNOWN, "no answer within 3 s"),
        GOOD,
        Finding("c", State.UNKNOWN, "no answer within 2 s"),
    ]
    assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.01)


async def test_a_check_that_ignores_being_cancelled_is_left_behind() -> None:
    release = asyncio.Event()

    async def stubborn() -> list[Finding]:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return []

    found = await examine([Check("stubborn", stubborn, 1.0), Check("good", good)])
    assert [finding.state for finding in found] == [State.UNKNOWN, State.OK]
    release.set()


async def test_a_check_that_fails_is_a_finding() -> None:
    found = await examine([Check("sums", fail), Check("good", good)])
    assert found[0].state is State.UNKNOWN
    assert "by nothing" in found[0].says
    assert found[1] == GOOD


@pytest.mark.realtime
async def test_what_works_in_a_thread_is_handed_back_and_what_fails_is_raised() -> None:
    assert await in_thread(lambda: threading.current_thread() is not threading.main_thread())
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)
    assert await threaded(lambda: [GOOD])() == [GOOD]


@pytest.mark.realtime
async def test_a_thread_that_hangs_in_the_kernel_keeps_nobody() -> None:
    release = threading.Event()

    def stuck() -> list[Finding]:
        release.wait(30)
        return []

    found = await examine([Check("stuck", threaded(stuck), 0.2), Check("good", good)])
    assert [finding.state for finding in found] == [State.UNKNOWN, State.OK]
    release.set()
    for thread in threading.enumerate():
        if thread.name == "check":
            thread.join(5)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([], State.OK),
        ([State.OK, State.UNKNOWN], State.UNKNOWN),
        ([State.UNKNOWN, State.WARNING], State.WARNING),
        ([State.WARNING, State.BAD, State.OK], State.BAD),
    ],
)
def test_the_worst_of_all_is_how_it_stands(states: list[State], whole: State) -> None:
    assert worst([Finding("x", state, "") for state in states]) is whole
