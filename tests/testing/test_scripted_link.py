"""The scripted link follows its script."""

from __future__ import annotations

import asyncio

import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.testing.scripted_link import DETAILS, HANG, HANG_FOR_GOOD, ScriptedLink, Step


def ignore() -> None:
    pass


async def test_without_a_script_every_call_succeeds_at_once() -> None:
    link = ScriptedLink()
    assert await link.open(ignore, ignore) == DETAILS
    await link.write(b"x", response=True)
    assert await link.keep_alive()
    await link.close()
    assert link.calls == ["open", "write", "keep_alive", "close"]
    assert [(one.frame, one.response, one.connection) for one in link.writes] == [(b"x", True, 1)]


async def test_a_script_is_followed_step_by_step_and_then_what_is_usual() -> None:
    link = ScriptedLink()
    link.usual["write"] = Step(reason=LinkReason.LOST)
    link.script("write", Step(after_s=2), Step(reason=LinkReason.REFUSED))
    began = asyncio.get_running_loop().time()
    await link.write(b"x", response=False)
    assert asyncio.get_running_loop().time() - began == 2
    for reason in (LinkReason.REFUSED, LinkReason.LOST, LinkReason.LOST):
        with pytest.raises(LinkError) as caught:
            await link.write(b"x", response=False)
        assert caught.value.reason is reason


async def test_a_call_may_hang_until_it_is_cancelled() -> None:
    link = ScriptedLink()
    link.script("keep_alive", HANG)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(100):
            await link.keep_alive()


async def test_a_stubborn_call_hangs_until_it_is_released() -> None:
    link = ScriptedLink()
    link.script("close", HANG_FOR_GOOD)
    closing = asyncio.create_task(link.close())
    for _ in range(3):
        await asyncio.sleep(1)
        closing.cancel()
    assert not closing.done()
    link.release()
    await closing


async def test_the_newest_connection_is_the_one_that_is_lost() -> None:
    lost: list[int] = []
    link = ScriptedLink()
    await link.open(lambda: lost.append(1), ignore)
    await link.open(lambda: lost.append(2), ignore)
    link.lose()
    assert lost == [2]
    assert link.connections == 2
