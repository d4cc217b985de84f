"""Connections held open by clients without a session: those with one keep the page, the video and the stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import ConnectionLimits, TrustedProxies
from belvedere.gateway.server import listen, serve

pytestmark = pytest.mark.realtime

STRANGERS = 135  # at a time; more than uvicorn's own limit
FILES = 1024  # leaves fewer connections to strangers than there are strangers
TIMEOUT_S = 10.0
UPGRADE = (
    "GET /api/v1/control HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Protocol: belvedere.v1\r\n"
)
WHOLE = "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"
POST = "POST /api/v1/head/stop HTTP/1.1\r\nHost: {host}\r\n"
HOLDS = {
    "nothing": "",
    "half a request": WHOLE[:30],
    "half a second request": WHOLE + WHOLE[:30],
    "an upgrade with a body": UPGRADE + "Content-Length: 5\r\n\r\n",
    "an upgrade with 140 headers": UPGRADE + "A: b\r\n" * 140 + "\r\n",
    "an upgrade with a header of 9 kB": UPGRADE + "A: " + "b" * 9000 + "\r\n\r\n",
    "a socket": UPGRADE + "\r\n",
    "a body": POST + "Content-Length: 60000\r\n\r\nx",
    "a body without end": POST + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
}


class Served:
    """An engine rig that is served on a port, with a session."""

    def __init__(self, port: int, cookie: str) -> None:
        self.host = f"127.0.0.1:{port}"
        self._port, self._cookie = port, f"belvedere-{port}={cookie}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def status(self, method: str, path: str, media_type: str = "", body: str = "") -> int:
        """The response's status to a request with a session, on a new connection."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nCookie: {self._cookie}\r\nConnection: close\r\n"
        kind = f"Content-Type: {media_type}\r\n" if media_type else ""
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await self.connect()
            writer.write(f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.read()
            writer.close()
        return int(answer.split(b" ", 2)[1])


@asynccontextmanager
async def served(page: Path) -> AsyncIterator[Served]:
    (page / "index.html").write_text("<p>")
    async with open_rig() as rig:
        (socket,) = listen("127.0.0.1", 0)
        app, started = create_app(rig.dependencies(page)), asyncio.Event()
        limits = ConnectionLimits(app.person_of, TrustedProxies(["127.0.0.1"]), max_files=FILES)
        serving = asyncio.create_task(serve(app, [socket], started.set, limits))
        await started.wait()
        try:
            yield Served(socket.getsockname()[1], rig.open_session().cookie)
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS.keys())
async def test_clients_with_a_session_keep_page_video_and_stop(hold: str, tmp_path: Path) -> None:
    async with served(tmp_path) as rig, AsyncExitStack() as stack:
        for _ in range(STRANGERS):
            _, writer = await rig.connect()
            stack.callback(writer.close)
            writer.write(hold.format(host=rig.host).encode())
        await asyncio.sleep(0)
        assert await rig.status("GET", "/") == 200
        assert await rig.status("POST", "/api/v1/stage/whep", "application/sdp", "v=0") == 201
        assert await rig.status("POST", "/api/v1/head/stop") == 200


async def test_a_body_sent_after_a_refusal_is_not_read_and_the_response_still_arrives(tmp_path: Path) -> None:
    async with served(tmp_path) as rig:
        reader, writer = await rig.connect()
        writer.write((POST + "Transfer-Encoding: chunked\r\n\r\n").format(host=rig.host).encode())
        sent = 0
        with suppress(ConnectionError):
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
                    sent += 0x8000
                    await writer.drain()
                    await asyncio.sleep(0)
        answer = b""
        with suppress(ConnectionError):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 401 ") or not answer  # the reset may arrive first
        assert sent < 8 * 1024 * 1024  # what both kernels buffer
        writer.close()
