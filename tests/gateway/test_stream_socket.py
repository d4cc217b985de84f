"""The picture over a WebSocket, from the upgrade to the close, with a real stage and virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from tests.stage.fakes import OFFER, StageRig
from tests.stage.stream.fakes import acknowledgement, frame_at
from tests.support.asgi import SocketPeer, open_socket
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import NO_RIGHTS
from belvedere.access.sessions import EndReason, IssuedSession
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.stream_socket import MAX_SOCKETS_PER_VISITOR, SOCKETS_BURST
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.stream.stream_way import START_TIMEOUT_S, Stream

HOST = "127.0.0.1:8080"
PATH = "/api/v1/stage/stream"
START = b"\x01a-view"
MakeParts = Callable[..., Dependencies]


class StreamRig:
    """A gateway with a real stage, whose camera the test is."""

    def __init__(self, rig: EngineRig, dependencies: Dependencies, max_viewers: int) -> None:
        self.rig, self.stage_rig = rig, StageRig(max_viewers)
        stage = self.stage_rig.stage
        stream = Stream(stage, clock=rig.clock)
        self.app = create_app(dataclasses.replace(dependencies, stage=stage, stream=stream))

    def connect(
        self, issued: IssuedSession | None = None, subprotocols: tuple[str, ...] = ("belvedere.video.v1",)
    ) -> AbstractAsyncContextManager[SocketPeer]:
        issued = issued or self.rig.open_session()
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": f"belvedere-8080={issued.cookie}"}
        return open_socket(self.app, PATH, headers, subprotocols)

    @asynccontextmanager
    async def watching(self, issued: IssuedSession | None = None) -> AsyncIterator[SocketPeer]:
        """A peer that has its first picture."""
        async with self.connect(issued) as peer:
            peer.send_bytes(START)
            await self.settle()
            self.stage_rig.producer.listener.receive_description(VideoDescription(VideoFormat.RAW, 640, 360, 30))
            await self.capture(is_idr=True)
            yield peer

    async def capture(self, *, is_idr: bool = False) -> None:
        await asyncio.sleep(1 / 30)
        self.stage_rig.producer.listener.receive_frame(frame_at(self.rig.clock(), is_idr=is_idr))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


def header(peer: SocketPeer) -> tuple[int, int, int]:
    """The version, the flags and the zeros of the next frame."""
    message = peer.video.get_nowait()
    assert isinstance(message, bytes)
    version, flags, zeros = struct.unpack_from(">BBH", message)
    return version, flags, zeros


OpenStreams = Callable[..., AbstractAsyncContextManager[StreamRig]]


@pytest.fixture
def open_streams(make_parts: MakeParts) -> OpenStreams:
    @asynccontextmanager
    async def open_them(max_viewers: int = 8) -> AsyncIterator[StreamRig]:
        async with open_rig() as rig:
            here = StreamRig(rig, make_parts(rig), max_viewers)
            yield here
            await here.stage_rig.stage.close()

    return open_them


async def test_a_viewer_gets_the_description_and_frames(open_streams: OpenStreams) -> None:
    async with open_streams() as here, here.watching() as peer:
        assert peer.subprotocol == "belvedere.video.v1"
        assert peer.video.get_nowait() == '{"codec":"avc1.42c01f","width":1280,"height":720,"fps":30}'
        assert header(peer) == (1, 1, 0)
        await here.capture()
        assert header(peer) == (1, 0, 0)


async def test_the_camera_stays_off_until_the_start(open_streams: OpenStreams) -> None:
    async with open_streams() as here, here.connect() as peer:
        await asyncio.sleep(START_TIMEOUT_S - 1)
        assert not here.stage_rig.producer.starts
        assert here.stage_rig.stage.viewers == 0
        peer.send_bytes(START)
        await here.settle()
        assert here.stage_rig.is_on()


@pytest.mark.parametrize("offered", [(), ("belvedere.v1",), ("belvedere.video.v2",)])
async def test_another_subprotocol_is_refused(open_streams: OpenStreams, offered: tuple[str, ...]) -> None:
    async with open_streams() as here, here.connect(subprotocols=offered) as peer:
        await peer.over()
        assert peer.status == 400
        assert b"wrong_subprotocol" in peer.body


async def test_without_the_right_to_look_there_is_no_socket(open_streams: OpenStreams) -> None:
    async with open_streams() as here, here.connect(here.rig.open_session(rights=NO_RIGHTS)) as peer:
        await peer.over()
        assert peer.subprotocol is None
        assert not here.stage_rig.producer.starts


async def test_without_a_session_the_socket_is_closed_with_a_reason(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        headers = {"host": HOST, "origin": f"http://{HOST}"}
        async with open_socket(here.app, PATH, headers, ("belvedere.video.v1",)) as peer:
            await peer.over()
        assert (peer.subprotocol, peer.close_code) == ("belvedere.video.v1", 4401)


async def test_another_sites_page_is_refused(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        cookie = f"belvedere-8080={here.rig.open_session().cookie}"
        headers = {"host": HOST, "origin": "https://evil.example", "cookie": cookie}
        async with open_socket(here.app, PATH, headers, ("belvedere.video.v1",)) as peer:
            await peer.over()
        assert peer.status == 403


@pytest.mark.parametrize("reason", EndReason)
async def test_the_end_of_the_session_ends_the_picture_at_once(open_streams: OpenStreams, reason: EndReason) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.watching(ana) as peer:
            before, began_s = peer.video.qsize(), here.rig.clock()
            here.rig.invitations.end(ana.session.id, reason)
            here.stage_rig.producer.listener.receive_frame(frame_at(here.rig.clock()))
            await peer.over()
            assert here.rig.clock() == began_s
            assert peer.close_code == 4401
            assert peer.video.qsize() == before
            assert not here.stage_rig.is_on()


async def test_the_end_of_the_session_ends_a_socket_that_has_not_started(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.connect(ana) as peer:
            await here.settle()
            here.rig.invitations.end(ana.session.id, EndReason.LEFT)
            await peer.over()
            assert peer.close_code == 4401


async def test_a_session_that_may_not_look_any_more_loses_the_picture_but_lives_on(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.watching(ana) as peer:
            here.rig.invitations.change_rights(ana.session.id, NO_RIGHTS)
            await peer.over()
            assert peer.close_code == 4403
            assert here.rig.invitations.is_live(ana.session)


async def test_a_start_that_comes_after_the_end_of_the_session_shows_nothing(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.connect(ana) as peer:
            peer.send_bytes(START)
            here.rig.invitations.end(ana.session.id, EndReason.LEFT)
            await peer.over()
            assert not here.stage_rig.producer.starts
            assert peer.video.empty()


async def test_a_peer_that_reads_nothing_when_the_session_ends_is_aborted(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.watching(ana) as peer:
            peer.stop_reading()
            here.rig.invitations.end(ana.session.id, EndReason.LEFT)
            await peer.over()
            assert peer.is_aborted


async def test_the_close_says_why_there_is_no_picture(open_streams: OpenStreams) -> None:
    async with open_streams(max_viewers=1) as here, here.watching() as first, here.connect() as second:
        second.send_bytes(START)
        await second.over()
        assert second.close_code == 4503
        here.stage_rig.producer.fail(RuntimeError("unplugged"))
        await first.over()
        assert first.close_code == 4504


@pytest.mark.parametrize(("message", "code"), [(b"\x09", 4400), (acknowledgement(2**50), 4400)])
async def test_invalid_messages_close_the_socket(open_streams: OpenStreams, message: bytes, code: int) -> None:
    async with open_streams() as here, here.watching() as peer:
        peer.send_bytes(message)
        await peer.over()
        assert peer.close_code == code


async def test_a_flood_closes_the_socket(open_streams: OpenStreams) -> None:
    async with open_streams() as here, here.watching() as peer:
        for _ in range(1000):
            peer.send_bytes(b"\x03")
        await peer.over()
        assert peer.close_code == 4429
        assert here.stage_rig.producer.idrs <= 3


async def test_one_socket_too_many_is_closed_and_the_others_stay(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        peers = [here.connect(ana) for _ in range(MAX_SOCKETS_PER_VISITOR + 1)]
        opened = [await peer.__aenter__() for peer in peers]
        await opened[-1].over()
        assert opened[-1].close_code == 4429
        assert all(peer.close_code is None for peer in opened[:-1])
        for peer in peers:
            await peer.__aexit__(None, None, None)
        async with here.connect(ana) as later:
            await here.settle()
            assert later.close_code is None


async def test_a_visitor_who_comes_and_goes_all_the_time_is_refused_and_others_are_not(
    open_streams: OpenStreams,
) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        for _ in range(int(SOCKETS_BURST)):
            async with here.watching(ana) as peer:
                assert peer.close_code is None
        async with here.connect(ana) as refused:
            await refused.over()
            assert refused.close_code == 4429
        async with here.watching() as other:
            assert other.close_code is None
        await asyncio.sleep(2)
        async with here.watching(ana) as later:
            assert later.close_code is None


async def test_a_second_connection_of_the_same_view_counts_once(open_streams: OpenStreams) -> None:
    async with open_streams() as here:
        ana = here.rig.open_session()
        async with here.watching(ana):
            await here.stage_rig.webrtc.answer(OFFER, ana.session.id, "a-view")
            here.stage_rig.peers[-1].listener.receive_connected()
            assert here.stage_rig.stage.viewers == 1
        assert here.stage_rig.stage.viewers == 1
        assert set(here.stage_rig.counts) == {1}
