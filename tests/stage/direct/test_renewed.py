from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.direct.renewed import FIRST_RETRY_S, MAX_RETRY_S, Renewed, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable


class Rig:
    """A value that is renewed when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.threads: list[Callable[[], None]] = []
        self.outcomes: list[int | Exception] = []
        self.renewed = Renewed(
            "the value", self._call, renew_s=10, valid_s=20, clock=lambda: self.now_s, start=self.threads.append
        )

    async def run_thread(self, outcome: int | Exception) -> None:
        """The call that was begun ends like this."""
        self.outcomes.append(outcome)
        self.threads.pop()()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _call(self) -> int:
        outcome = self.outcomes.pop()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_the_first_use_begins_a_call_and_the_value_is_there_when_it_has_ended() -> None:
    rig = Rig()
    assert rig.renewed.newest() is None
    await rig.run_thread(7)
    assert rig.renewed.newest() == 7
    assert not rig.threads


async def test_however_often_it_is_used_there_is_one_call_at_a_time() -> None:
    rig = Rig()
    for _ in range(1000):
        rig.renewed.newest()
    assert len(rig.threads) == 1


async def test_an_old_value_is_used_while_it_is_renewed_and_no_longer_than_it_is_valid() -> None:
    rig = Rig()
    rig.renewed.newest()
    await rig.run_thread(1)
    rig.now_s = 10
    assert rig.renewed.newest() == 1
    assert len(rig.threads) == 1
    rig.now_s = 20
    assert rig.renewed.newest() is None
    await rig.run_thread(2)
    assert rig.renewed.newest() == 2
    rig.now_s = 30  # valid from when the call began, at 10
    assert rig.renewed.newest() is None


async def test_a_failure_is_logged_once_and_repeated_later_each_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig = Rig()
    waits: list[float] = []
    for _ in range(10):
        rig.renewed.newest()
        await rig.run_thread(OSError("no route"))
        failed_at = rig.now_s
        while not rig.threads:
            rig.now_s += FIRST_RETRY_S
            rig.renewed.newest()
        waits.append(rig.now_s - failed_at)
    assert waits[:3] == [FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S]
    assert waits[-1] == MAX_RETRY_S
    await rig.run_thread(1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "the value failed" in caplog.text
    assert "no route" in caplog.text


async def test_who_waits_gets_the_first_value_or_none_after_the_timeout() -> None:
    rig = Rig()
    waiting = [asyncio.create_task(rig.renewed.get(2.0)) for _ in range(3)]
    await asyncio.sleep(1)
    await rig.run_thread(5)
    assert await asyncio.gather(*waiting) == [5, 5, 5]
    began_at = asyncio.get_running_loop().time()
    assert await Rig().renewed.get(2.0) is None
    assert asyncio.get_running_loop().time() - began_at == pytest.approx(2.0)


async def test_nobody_waits_for_the_next_attempt_after_a_failure() -> None:
    rig = Rig()
    rig.renewed.newest()
    await rig.run_thread(OSError())
    began_at = asyncio.get_running_loop().time()
    assert await rig.renewed.get(2.0) is None
    assert asyncio.get_running_loop().time() == began_at


def test_a_call_that_ends_after_the_loop_harms_nobody() -> None:
    rig = Rig()

    async def use() -> None:
        rig.renewed.newest()

    asyncio.run(use())
    rig.outcomes.append(1)
    rig.threads.pop()()


@pytest.mark.realtime
async def test_calls_run_in_a_thread() -> None:
    renewed = Renewed("x", lambda: 3, renew_s=1, clock=lambda: 0.0, start=start_thread)
    assert await renewed.get(5.0) == 3
