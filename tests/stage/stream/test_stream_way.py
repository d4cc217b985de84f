"""Sockets from their opening on; what is sent is tested in `test_peer.py`."""

from __future__ import annotations

import asyncio

import pytest
from tests.stage.fakes import StageRig
from tests.stage.stream.fakes import FakeFrameSocket

from belvedere.errors import StageError, StageReason
from belvedere.stage.stream.peer import StreamEnd
from belvedere.stage.stream.stream_way import START_TIMEOUT_S, Stream

START = b"\x01a-view"


def permitted() -> None:
    pass


def way(rig: StageRig) -> Stream:
    return Stream(rig.stage, clock=asyncio.get_running_loop().time)


async def test_the_camera_is_off_and_nobody_is_counted_until_the_start() -> None:
    rig, socket = StageRig(), FakeFrameSocket()
    serving = asyncio.create_task(way(rig).serve(socket, "ann", permitted))
    await asyncio.sleep(START_TIMEOUT_S - 1)
    assert not rig.producers or not rig.is_on()
    assert rig.stage.viewers == 0
    socket.say(START)
    await asyncio.sleep(0.1)
    assert rig.is_on()
    assert rig.counts == [1]
    socket.leave()
    assert await serving is StreamEnd.LEFT
    assert not rig.is_on()
    assert rig.counts == [1, 0]
    await rig.stage.close()


async def test_a_socket_that_does_not_start_ends() -> None:
    rig = StageRig()
    began_s = asyncio.get_running_loop().time()
    assert await way(rig).serve(FakeFrameSocket(), "ann", permitted) is StreamEnd.SILENT
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(START_TIMEOUT_S)
    await rig.stage.close()


@pytest.mark.parametrize("message", [None, b"", b"\x03", b"\x02" + bytes(8)])
async def test_nothing_but_a_start_may_come_first(message: bytes | None) -> None:
    rig, socket = StageRig(), FakeFrameSocket()
    socket.say(message)
    assert await way(rig).serve(socket, "ann", permitted) is StreamEnd.BAD_MESSAGE
    await rig.stage.close()


async def test_a_peer_that_leaves_before_the_start_leaves_nothing() -> None:
    rig, socket = StageRig(), FakeFrameSocket()
    socket.leave()
    assert await way(rig).serve(socket, "ann", permitted) is StreamEnd.LEFT
    await rig.stage.close()


async def test_permission_is_checked_at_the_start() -> None:
    def refuse() -> None:
        raise PermissionError

    rig, socket = StageRig(), FakeFrameSocket()
    socket.say(START)
    with pytest.raises(PermissionError):
        await way(rig).serve(socket, "ann", refuse)
    assert rig.stage.viewers == 0
    await rig.stage.close()


async def test_one_too_many_is_refused() -> None:
    rig, socket = StageRig(max_viewers=1), FakeFrameSocket()
    await rig.watch("bob")
    socket.say(START)
    with pytest.raises(StageError) as caught:
        await way(rig).serve(socket, "ann", permitted)
    assert caught.value.reason is StageReason.TOO_MANY_VIEWERS
    await rig.stage.close()
