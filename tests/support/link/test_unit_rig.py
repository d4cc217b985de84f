"""A supervisor that runs under a test's hands."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.link.unit_rig import UnitRig, supervised

from belvedere.link.supervisor import LinkPhase
from belvedere.testing.scripted_link import HANG, ScriptedLink, Step


async def test_it_records_events_and_durations() -> None:
    link = ScriptedLink()
    link.script("open", Step(after_s=3.0))
    async with supervised(link) as rig:
        assert 3.0 <= await rig.ready() < 3.1
        rig.put(0.5, "stamp")
        await asyncio.sleep(0.1)
        assert rig.is_ready
        assert rig.reasons == [None] * 4
        assert rig.written[-1][2] == "stamp"
        assert link.frames == [UnitRig.stop, UnitRig.stop, UnitRig.move(0.5)]
    assert rig.phases[-2:] == [LinkPhase.READY, LinkPhase.CLOSED]


async def test_waiting_has_a_timeout() -> None:
    link = ScriptedLink()
    link.usual["open"] = HANG
    async with supervised(link) as rig:
        with pytest.raises(TimeoutError):
            await rig.ready(timeout_s=1)


async def fail_inside(link: ScriptedLink) -> None:
    async with supervised(link) as rig:
        await rig.ready()
        rig.on_status = raise_value_error
        link.lose()
        await asyncio.sleep(1)


def raise_value_error(_status: object) -> None:
    raise ValueError("a mistake")


async def test_a_supervisor_that_fails_fails_the_test() -> None:
    with pytest.raises(ValueError, match="a mistake"):
        await fail_inside(ScriptedLink())
