"""The last stop of a connection, and the search, before exit, for an unreachable unit that may be turning."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.link.owner import MOVE, ONLY_WITH_RESPONSE, ONLY_WITHOUT_RESPONSE, REFUSED, STOP, Owner
from tests.support.link.unit_rig import supervised

from belvedere.errors import LinkReason
from belvedere.head.profile import WriteMode
from belvedere.link.connection import Connection
from belvedere.link.final_stop import find_and_stop
from belvedere.link.options import FASTEST_INTERVAL_S, LinkOptions
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.phases import LinkPhase
from belvedere.testing.scripted_link import DETAILS, HANG, HANG_FOR_GOOD, ScriptedLink, Step

if TYPE_CHECKING:
    from belvedere.link.port import LinkDetails

SETTLING_S = LinkOptions().first_interval_s  # between the first stop and the one that is acknowledged
ABSENT = Step(reason=LinkReason.NOT_FOUND)


async def try_final_stop(link: ScriptedLink, for_s: float) -> tuple[bool, float]:
    """Return whether the unit has a stop, and how long that took in seconds."""
    loop = asyncio.get_running_loop()

    def new_connection() -> Connection:
        return Connection(
            link,
            WriteMode.AUTO,
            STOP,
            calls=PendingCalls(),
            clock=loop.time,
            options=LinkOptions(),
            on_written=lambda _pending_write, _now: None,
        )

    began = loop.time()
    is_stopped = await find_and_stop(new_connection, link.close, for_s=for_s, rest_s=0.2, clock=loop.time)
    return is_stopped, loop.time() - began


async def test_a_unit_in_reach_is_stopped_and_its_link_closed() -> None:
    link = ScriptedLink()
    is_stopped, took_s = await try_final_stop(link, 8.0)
    assert is_stopped
    assert took_s == pytest.approx(SETTLING_S)
    assert link.frames == [STOP.frame] * 2
    assert link.calls[-1] == "close"


async def test_a_unit_that_comes_back_in_time_is_stopped() -> None:
    link = ScriptedLink()
    link.script("open", ABSENT, ABSENT)
    is_stopped, took_s = await try_final_stop(link, 8.0)
    assert is_stopped
    assert took_s == pytest.approx(0.4 + SETTLING_S)
    assert link.frames == [STOP.frame] * 2


@pytest.mark.parametrize("call", ["open", "write"])
async def test_a_call_that_hangs_ends_with_the_search(call: str) -> None:
    link = ScriptedLink()
    link.usual[call] = HANG
    is_stopped, took_s = await try_final_stop(link, 8.0)
    assert not is_stopped
    assert 8.0 <= took_s <= 8.5
    assert link.calls[-1] == "close"


async def test_no_time_means_no_search() -> None:
    link = ScriptedLink()
    assert await try_final_stop(link, 0.0) == (False, 0.0)
    assert not link.calls


async def test_at_shutdown_an_unreachable_unit_that_may_be_turning_is_searched_for_and_stopped() -> None:
    link = ScriptedLink(msgspec.structs.replace(DETAILS, can_write_without_response=False))
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", HANG_FOR_GOOD)
        rig.put(0.5)
        await asyncio.sleep(0.01)
        await rig.cancel()
        link.release()
    assert link.frames[-1] == rig.stop
    assert not rig.supervisor.may_be_turning


@pytest.mark.parametrize("is_back", [True, False])
async def test_a_failed_final_search_is_logged_and_a_successful_one_is_not(
    caplog: pytest.LogCaptureFixture, *, is_back: bool
) -> None:
    link = ScriptedLink()
    async with supervised(link, options=LinkOptions(final_search_s=5.0)) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        link.usual["open"] = ABSENT
        link.lose()
        await rig.until(LinkPhase.WAITING)
        if is_back:
            asyncio.get_running_loop().call_later(3, link.usual.clear)
        await rig.cancel()
        assert rig.supervisor.may_be_turning is not is_back
    assert [record.levelname for record in caplog.records if record.levelname == "CRITICAL"] == ["CRITICAL"][is_back:]
    assert link.calls.count("open") >= 10


@pytest.mark.parametrize(
    ("details", "steps", "responses", "is_told", "took_s"),
    [
        (DETAILS, [], [False, True], True, 0.0),
        (ONLY_WITH_RESPONSE, [], [True], True, 0.0),
        (ONLY_WITHOUT_RESPONSE, [], [False], True, 2 * FASTEST_INTERVAL_S),  # so that closing does not cut it off
        (DETAILS, [REFUSED], [False], False, 0.0),
        (DETAILS, [Step(), REFUSED], [False, True], False, 0.0),
        (ONLY_WITH_RESPONSE, [Step(reason=LinkReason.LOST)], [True], False, 0.0),
        (ONLY_WITH_RESPONSE, [HANG], [True], False, 0.2),
        (DETAILS, [Step(0.15), Step(0.19), HANG], [False, True], True, 0.34),
    ],
)
async def test_the_final_stop_uses_the_writes_that_the_unit_supports_and_returns_whether_it_succeeded(
    details: LinkDetails, steps: list[Step], responses: list[bool], *, is_told: bool, took_s: float
) -> None:
    link, loop = ScriptedLink(details), asyncio.get_running_loop()
    connection = await Owner(link).settled()
    link.writes.clear()
    link.script("write", *steps)
    began = loop.time()
    assert await connection.send_final_stop() is is_told
    assert loop.time() - began == pytest.approx(took_s)
    assert [(write.frame, write.response) for write in link.writes] == [(STOP.frame, one) for one in responses]


async def test_the_final_stop_behind_a_write_that_hangs_is_abandoned_in_time() -> None:
    link, loop = ScriptedLink(ONLY_WITH_RESPONSE), asyncio.get_running_loop()
    connection = await Owner(link).settled()
    link.script("write", HANG)
    connection.put(MOVE)
    driving = asyncio.create_task(connection.drive())
    await asyncio.sleep(0.01)
    driving.cancel()
    began = loop.time()
    assert not await connection.send_final_stop()
    assert loop.time() - began == pytest.approx(LinkOptions().last_stop_s)
    connection.cancel()


async def test_a_final_stop_fails_if_the_link_is_lost_meanwhile() -> None:
    link = ScriptedLink(ONLY_WITH_RESPONSE)
    connection = await Owner(link).settled()
    link.script("write", Step(0.1))
    asyncio.get_running_loop().call_later(0.05, link.lose)
    assert not await connection.send_final_stop()


async def test_a_final_stop_without_a_connection_fails() -> None:
    link = ScriptedLink()
    assert not await Owner(link).connection.send_final_stop()
    connection = await Owner(link).settled()
    link.lose()
    assert not await connection.send_final_stop()
