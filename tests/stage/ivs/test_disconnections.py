"""How often and for how long AWS is asked to put somebody out; `test_participants.py` has what that means."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import IvsError, IvsReason
from belvedere.stage.ivs.disconnections import CLOCK_LEEWAY_S, GRACE_S, MAX_RETRY_S, Disconnections

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREACHABLE = IvsError(IvsReason.UNREACHABLE, "putting out")
ABSENT = IvsError(IvsReason.NOT_FOUND, "putting out")


class Rig:
    """Disconnections whose attempts end as `outcomes` says, the last one again and again; None is a success."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.now = asyncio.get_running_loop().time
        self.outcomes: Iterator[Exception | None] = iter(outcomes)
        self.outcome: Exception | None = None
        self.attempts: list[float] = []
        self.changes = 0
        self.forgotten: list[str] = []
        self.leavers = Disconnections(
            self._disconnect, on_change=self._count, forget=self.forgotten.append, clock=self.now, utc=self.now
        )

    def is_urgent(self) -> bool:
        return self.leavers.is_urgent

    async def _disconnect(self, _participant: str) -> None:
        self.attempts.append(self.now())
        self.outcome = next(self.outcomes, self.outcome)
        if self.outcome is not None:
            raise self.outcome

    def _count(self) -> None:
        self.changes += 1


async def test_a_success_is_the_end_and_is_told_once() -> None:
    rig = Rig(None)
    done = rig.leavers.begin("p", 120, lambda: False)
    assert rig.is_urgent()
    await done.wait()
    assert not rig.is_urgent()
    assert (len(rig.leavers), len(rig.attempts), rig.forgotten) == (0, 1, ["p"])


async def test_the_same_participant_is_put_out_once_however_often_that_is_asked() -> None:
    rig = Rig(None)
    events = [rig.leavers.begin("p", 120, lambda: True) for _ in range(1000)]
    await events[0].wait()
    assert len(rig.attempts) == 1
    assert len(set(map(id, events))) == 1


async def test_failures_are_repeated_later_each_time_and_never_given_up(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(*[UNREACHABLE] * 12, None)
    with caplog.at_level(logging.INFO):
        await rig.leavers.begin("p", 120, lambda: True).wait()
    pauses = [after - before for before, after in zip(rig.attempts, rig.attempts[1:], strict=False)]
    assert pauses[:4] == pytest.approx([1, 2, 4, 8])
    assert max(pauses) == pytest.approx(MAX_RETRY_S)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]  # the first, and the end


async def test_an_error_that_nobody_expects_is_logged_with_its_traceback_and_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(RuntimeError("boto3"), None)
    await rig.leavers.begin("p", 120, lambda: True).wait()
    assert caplog.records[0].exc_info is not None
    assert len(rig.attempts) == 2


async def test_whoever_is_not_there_is_looked_for_until_the_token_has_expired_on_any_clock() -> None:
    rig = Rig(ABSENT)
    began = rig.now()
    await rig.leavers.begin("p", began + 120, lambda: True).wait()
    assert rig.now() - began >= 120 + CLOCK_LEEWAY_S
    assert 30 < len(rig.attempts) < 50


async def test_whoever_is_there_after_all_is_out_then() -> None:
    rig = Rig(ABSENT, ABSENT, None)
    done = rig.leavers.begin("p", rig.now() + 120, lambda: True)
    await done.wait()
    assert len(rig.attempts) == 3


async def test_it_becomes_urgent_when_aws_does_not_answer_for_whoever_may_look() -> None:
    rig = Rig(UNREACHABLE)
    rig.leavers.begin("p", 120, lambda: True)
    assert not rig.is_urgent()
    await asyncio.sleep(GRACE_S - 0.1)
    assert not rig.is_urgent()
    before = rig.changes
    await asyncio.sleep(0.2)
    assert rig.is_urgent()
    assert rig.changes > before  # it is told at that time, and not only with the next attempt
    await rig.leavers.close()


async def test_it_is_urgent_as_soon_as_whoever_has_left_may_not_look_any_more() -> None:
    rig, may_look = Rig(ABSENT), [True]
    rig.leavers.begin("p", rig.now() + 120, lambda: may_look[0])
    await asyncio.sleep(GRACE_S + 1)
    assert not rig.is_urgent()
    may_look[0] = False
    assert rig.is_urgent()
    await rig.leavers.close()


async def test_the_end_of_the_program_ends_all_attempts() -> None:
    rig = Rig(UNREACHABLE)
    for number in range(5):
        rig.leavers.begin(f"p{number}", 120, lambda: True)
    await rig.leavers.close()
    before = len(rig.attempts)
    await asyncio.sleep(100)
    assert len(rig.attempts) == before
