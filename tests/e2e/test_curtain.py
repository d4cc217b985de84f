"""The curtain of a real server: what six viewers see last, and what a kill and a failing disk leave of it.

The drawn room's time bar says when each picture was captured, by the clock that this process has too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import CodecContext, Packet
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from belvedere.app.curtain import Curtain, CurtainReport
from belvedere.app.local_client import RefusedError
from belvedere.gateway.messages import CloseCode
from belvedere.sim.time_bar import read_time_bar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from aiortc import MediaStreamTrack
    from av import VideoFrame

pytestmark = pytest.mark.realtime

FPS = 20
FRAME_MS = 1000 / FPS
VIEWERS = 3  # by each way
PICTURES = 5  # that each has seen before the curtain closes
TIMEOUT_S = 20.0
AFTER_S = 1.0  # whatever was on its way has arrived by then
HEADER = 12  # bytes before the access unit, of which the last eight are the capture time
SETTINGS = f"""
[server]
port = 0
[head]
kind = "none"
[camera]
kind = "room"
time_bar = true
[stage]
width = 640
height = 352
fps = {FPS}
"""


def token_of(number: int) -> str:
    """The token of one player."""
    return f"the-token-of-player-{number}"


class Server:
    """`belvedere serve` in a process of its own, with players that may look."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "belvedere.sqlite3"
        self._folder = folder
        players = [self._player(number) for number in range(2 * VIEWERS)]
        (folder / "belvedere.toml").write_text(SETTINGS + "".join(players), encoding="utf-8")

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "belvedere.cli", "serve", "--config", str(self._folder / "belvedere.toml")]
        with (
            (self._folder / "log").open("wb") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,
        ):
            try:
                assert process.stdout is not None
                found = re.search(r"http://[0-9.:]+", process.stdout.readline().decode())
                assert found is not None, (self._folder / "log").read_text(encoding="utf-8")
                self.address = found[0]
                yield process
            finally:
                process.kill()

    def _player(self, number: int) -> str:
        (self._folder / f"token{number}").write_text(token_of(number) + "\n", encoding="utf-8")
        return f'[[access.players]]\nname = "tv{number}"\ntoken_file = "token{number}"\n'

    async def offer(self, number: int, sdp: str = "v=0") -> httpx.Response:
        headers = {"authorization": f"Bearer {token_of(number)}", "content-type": "application/sdp"}
        async with httpx.AsyncClient(base_url=self.address, trust_env=False) as client:
            return await client.post("/api/v1/stage/whep", content=sdp, headers=headers)

    async def asked(self, what: Callable[[Curtain], CurtainReport]) -> CurtainReport:
        """What a command that closes or opens the curtain is told."""
        return await asyncio.to_thread(what, Curtain(self.store))


class Seen:
    """The capture times of the pictures that one viewer has seen, in milliseconds; None for one without content."""

    def __init__(self) -> None:
        self.captured_ms: list[int | None] = []
        self.has_some = asyncio.Event()

    def add(self, picture: VideoFrame) -> None:
        self.captured_ms.append(read_time_bar(picture.to_ndarray(format="gray").tobytes(), picture.width))
        if len(self.captured_ms) == PICTURES:
            self.has_some.set()


async def watch_by_webrtc(server: Server, number: int, seen: Seen) -> None:
    """Watch until the server ends it, or for ever: then it is cancelled."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
    connection.on("track", tracks.put_nowait)
    try:
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await server.offer(number, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        track = await tracks.get()
        with contextlib.suppress(MediaStreamError):
            while True:
                picture: Any = await track.recv()
                seen.add(picture)
    finally:
        await connection.close()


async def watch_by_stream(server: Server, number: int, seen: Seen) -> int:
    """Watch until the server closes the socket; returns the code."""
    decoder: Any = CodecContext.create("h264", "r")
    async with connect(
        server.address.replace("http", "ws") + "/api/v1/stage/stream",
        subprotocols=["belvedere.video.v1"],  # type: ignore[list-item]  # a NewType of str
        additional_headers={"authorization": f"Bearer {token_of(number)}"},
        compression=None,
        proxy=None,
    ) as socket:
        await socket.send(b"\x01view%d" % number)
        try:
            while True:
                message = await socket.recv()
                if isinstance(message, bytes):
                    await socket.send(b"\x02" + message[HEADER - 8 : HEADER])
                    for picture in decoder.decode(Packet(message[HEADER:])):
                        seen.add(picture)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 0


@contextlib.asynccontextmanager
async def watching(server: Server) -> AsyncIterator[tuple[list[Seen], list[asyncio.Task[Any]]]]:
    """Three viewers by each way, who have a picture."""
    seen = [Seen() for _ in range(2 * VIEWERS)]
    by_webrtc = [asyncio.create_task(watch_by_webrtc(server, each, seen[each])) for each in range(VIEWERS)]
    by_stream = [asyncio.create_task(watch_by_stream(server, each, seen[each])) for each in range(VIEWERS, 2 * VIEWERS)]
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.gather(*(each.has_some.wait() for each in seen))
        yield seen, by_stream
    finally:
        for task in (*by_webrtc, *by_stream):
            task.cancel()
        await asyncio.wait({*by_webrtc, *by_stream})


async def test_nobody_sees_more_than_one_frame_after_the_tap_by_any_way(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server.running():
        async with watching(server) as (seen, by_stream):
            tapped_ms = time.monotonic() * 1000
            report = await server.asked(Curtain.close)
            assert (report.closed, report.saved) == (True, True)
            await asyncio.sleep(AFTER_S)
            for each in seen:
                assert None not in each.captured_ms
                last_ms = max(ms for ms in each.captured_ms if ms is not None)
                assert last_ms <= tapped_ms + FRAME_MS, f"{last_ms - tapped_ms:.0f} ms after the tap"
            before = [len(each.captured_ms) for each in seen]
            assert {task.result() for task in by_stream} == {CloseCode.WITHHELD}
            refused = await server.offer(0)
            assert (refused.status_code, refused.json()["code"]) == (403, "curtain_closed")
            await asyncio.sleep(AFTER_S)
            assert [len(each.captured_ms) for each in seen] == before


async def test_a_curtain_that_was_acknowledged_is_closed_after_a_kill_and_opens_once_that_is_saved(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path)
    with server.running() as process:
        assert (await server.asked(Curtain.close)).saved
        process.kill()
        process.wait()
    assert (await server.asked(Curtain.status)).closed
    with server.running():
        assert (await server.offer(0)).json()["code"] == "curtain_closed"
        assert (await server.asked(Curtain.status)).closed
        assert not (await server.asked(Curtain.open)).closed
        assert (await server.offer(0)).json()["code"] == "bad_offer"


async def test_a_disk_that_takes_nothing_closes_the_curtain_says_so_and_opens_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server.running() as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        report = await server.asked(Curtain.close)
        assert (report.closed, report.saved) == (True, False)
        assert (await server.offer(0)).json()["code"] == "curtain_closed"
        with pytest.raises(RefusedError, match="could not be saved"):
            await server.asked(Curtain.open)
        assert (await server.offer(0)).json()["code"] == "curtain_closed"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert (await server.asked(Curtain.close)).saved
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
    assert (await server.asked(Curtain.status)).closed
