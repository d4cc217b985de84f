"""A real server on a loopback port, under the failures of networks and the abuse of clients."""

import asyncio
import gc
import json
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from tests.support.engine_rig import EngineRig, open_rig
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from belvedere.engine.status import Acknowledged
from belvedere.errors import OwnerError
from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.server import MAX_FRAME_BYTES, SHUTDOWN_S, listen, serve
from belvedere.gateway.websocket_protocol import WRITE_BUFFER_BYTES, WebSocketProtocol
from belvedere.head.axes import Axis

realtime = pytest.mark.realtime
alone = pytest.mark.alone

MakeParts = Callable[..., Dependencies]
TIMEOUT_S = 10.0


class Running:
    """An engine rig that is served on a port."""

    def __init__(self, rig: EngineRig, port: int, serving: asyncio.Task[None]) -> None:
        self.rig = rig
        self.port = port
        self.serving = serving
        self.cookie = f"belvedere-{port}={rig.open_session().cookie}"

    def socket(self, **options: Any) -> connect:  # noqa: ANN401 - whatever websockets takes
        headers = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}"}
        wanted = {"subprotocols": ["belvedere.v1"], "additional_headers": headers, "proxy": None, "close_timeout": 0.1}
        return connect(f"ws://127.0.0.1:{self.port}/api/v1/control", **{**wanted, **options})

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[ClientConnection]:
        """A client that holds right."""
        async with self.socket() as client:
            await client.send('{"type":"hello","clock":0}')
            await client.send('{"type":"lease.acquire"}')
            await heard(client, lambda message: message["type"] == "lease" and message["holder"] == "you")
            await client.send(self.drive(1))
            await heard(client, lambda message: message["type"] == "ack")
            assert self.rig.units[Axis.PAN].velocity > 0
            yield client

    def drive(self, seq: int) -> str:
        clock = time.monotonic() * 1000
        message = {"type": "drive", "epoch": 1, "hold": 1, "seq": seq, "pan": 1, "tilt": 0, "clock": clock}
        return json.dumps({**message, "heard": self.rig.clock() * 1000})

    async def is_stopped(self) -> None:
        """Wait until the head stands still."""
        async with asyncio.timeout(TIMEOUT_S):
            await self.rig.units[Axis.PAN].stands_still()


@pytest.fixture
def run(make_parts: MakeParts) -> Callable[[], Any]:
    @asynccontextmanager
    async def running() -> AsyncIterator[Running]:
        async with open_rig() as rig:
            sockets = listen("127.0.0.1", 0)
            started = asyncio.Event()
            app = create_app(make_parts(rig))
            limits = ConnectionLimits(app.person_of)
            serving = asyncio.create_task(serve(app, sockets, started.set, limits))
            await started.wait()
            try:
                yield Running(rig, sockets[0].getsockname()[1], serving)
            finally:
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving

    return running


Run = Callable[[], Any]


@realtime
async def test_responses_reveal_no_server_software(run: Run) -> None:
    async with run() as rig, httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.port}") as client:
        response = await client.get("/healthz")
        assert response.status_code == 200
        assert "server" not in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"


@realtime
async def test_a_setpoint_reaches_the_head_and_is_acknowledged(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        await client.send(rig.drive(2))
        ack = await heard(client, lambda message: message["type"] == "ack" and message["seq"] == 2)
        assert ack["axis"] in {"pan", "tilt"}


@realtime
async def test_closing_the_socket_stops_the_head(run: Run) -> None:
    async with run() as rig:
        async with rig.driver() as client:
            await client.close()
        await rig.is_stopped()


@realtime
async def test_a_reset_connection_stops_the_head(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        linger = struct.pack("ii", 1, 0)  # the kernel sends RST instead of FIN
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.transport.abort()
        await rig.is_stopped()


@realtime
@alone
async def test_a_half_open_connection_is_stopped_by_the_dead_man(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        silent_at = time.monotonic()
        client.transport.pause_reading()  # neither reads, nor writes, nor closes
        await rig.is_stopped()
        assert time.monotonic() - silent_at < rig.rig.options.dead_man_s + 0.5


@realtime
async def test_a_socket_without_a_session_gets_a_close_code(run: Run) -> None:
    async with run() as rig, rig.socket(additional_headers={}) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


@realtime
@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"subprotocols": None}, 400),
        ({"subprotocols": ["soap"]}, 400),
    ],
)
async def test_an_upgrade_that_is_not_allowed_is_refused(run: Run, options: dict[str, Any], status: int) -> None:
    async with run() as rig:
        headers = {"Cookie": rig.cookie}
        if host := options.pop("host", None):
            headers["Host"] = host
        with pytest.raises(InvalidStatus) as refused:
            async with rig.socket(additional_headers=headers, **options):
                pass
        assert refused.value.response.status_code == status
        assert b'"code":' in refused.value.response.body


@realtime
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("garbage", "bad_message"),
        ('{"type":"ping","clock":NaN}', "bad_message"),
        ("[" * 1000, "bad_message"),
        ('{"type":"drive","epoch":1,"hold":1,"seq":9,"pan":1e9,"tilt":0,"clock":1,"heard":1}', "bad_message"),
        (b"\x00\xff", "bad_message"),
        ("x" * 2000, "too_large"),
    ],
)
async def test_an_invalid_message_is_answered(run: Run, message: str | bytes, code: str) -> None:
    async with run() as rig, rig.driver() as client:
        await client.send(message)
        error = await heard(client, lambda message: message["type"] == "error")
        assert (error["code"], error["closing"]) == (code, False)


@realtime
async def test_a_huge_frame_ends_the_socket(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        await client.send("x" * (MAX_FRAME_BYTES + 1))
        assert await closed_with(client) == 1009
        await rig.is_stopped()


@realtime
async def test_a_huge_message_in_fragments_ends_it_too(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        with suppress(ConnectionClosed):
            await client.send(["x" * 1000] * 20)
        assert await closed_with(client) == 1009
        await rig.is_stopped()


@realtime
@alone
async def test_a_flood_ends_the_socket_and_does_not_block_others(run: Run) -> None:
    async with run() as rig, rig.driver() as client, rig.socket() as other:
        await other.send('{"type":"hello","clock":0}')
        await heard(other, lambda message: message["type"] == "welcome")
        flooding = asyncio.create_task(flood(client, rig))
        waits = []
        while not flooding.done():
            asked_at = time.monotonic()
            await other.send(json.dumps({"type": "ping", "clock": asked_at * 1000}))
            await heard(other, lambda message: message["type"] == "pong")
            waits.append(time.monotonic() - asked_at)
        await flooding
        assert await closed_with(client) in {4429, 1006}
        await rig.is_stopped()
        assert max(waits) < 0.5


@realtime
async def test_frames_that_never_reach_a_session_are_limited_too(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        empty_ping = b"\x89\x80\x00\x00\x00\x00"
        for _ in range(60):
            if client.transport.is_closing():
                break
            client.transport.write(empty_ping * 2000)
            await asyncio.sleep(0)
        assert await closed_with(client) == 1006
        await rig.is_stopped()


@realtime
async def test_a_peer_that_reads_nothing_costs_a_bounded_memory(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        client.transport.pause_reading()
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        driver = rig.rig.engine.status.lease.session
        for seq in range(20_000):
            rig.rig.bus.publish(f"ack:{driver}:pan", Acknowledged(Axis.PAN, seq, 0.0, 0.0))
            await asyncio.sleep(0)
        sockets = [each for each in gc.get_objects() if type(each) is WebSocketProtocol]
        (stuck,) = [each for each in sockets if not each.disconnected]
        assert not stuck.writable.is_set()
        assert stuck.transport.get_write_buffer_size() < WRITE_BUFFER_BYTES + 1024


@realtime
@alone
async def test_a_shutdown_closes_sockets_in_time(run: Run) -> None:
    async with run() as rig, rig.driver() as client:
        began = time.monotonic()
        rig.serving.cancel()
        with suppress(asyncio.CancelledError):
            await rig.serving
        assert time.monotonic() - began < SHUTDOWN_S
        assert await closed_with(client) == 1012
        await rig.is_stopped()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", rig.port)


@realtime
@alone
async def test_a_handler_that_hangs_does_not_delay_the_shutdown() -> None:
    hangs = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        hangs.set()
        await asyncio.Event().wait()

    sockets = listen("127.0.0.1", 0)
    started = asyncio.Event()
    serving = asyncio.create_task(serve(app, sockets, started.set))
    await started.wait()
    reader, writer = await asyncio.open_connection(*sockets[0].getsockname()[:2])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await hangs.wait()
    began = time.monotonic()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    assert time.monotonic() - began < 2 * SHUTDOWN_S + 0.5
    writer.close()
    await reader.read()


@realtime
async def test_a_port_in_use_is_an_error_of_the_owner() -> None:
    (first,) = listen("127.0.0.1", 0)
    with pytest.raises(OwnerError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])
    first.close()


@realtime
async def test_an_unknown_address_is_one_too() -> None:
    with pytest.raises(OwnerError):
        listen("no.such.host.invalid", 0)


@realtime
async def test_a_name_may_stand_for_several_addresses_on_one_port() -> None:
    sockets = listen("localhost", 0)
    assert len({each.getsockname()[1] for each in sockets}) == 1
    for each in sockets:
        each.close()


@realtime
async def test_no_address_of_a_visitor_is_logged(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with run() as rig, rig.driver(), httpx.AsyncClient() as client:
        login = f"http://127.0.0.1:{rig.port}/api/v1/login/invitation"
        secret = rig.rig.invite()
        assert (await client.post(login, json={"secret": "wrong"})).status_code == 403
        assert (await client.post(login, json={"secret": secret})).status_code == 200
    ours = [each for each in caplog.records if not each.name.startswith(("httpx", "httpcore", "websockets"))]
    assert not [each for each in ours if "127.0.0.1" in each.getMessage() or secret in each.getMessage()]


async def heard(client: ClientConnection, is_wanted: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - a message
    async with asyncio.timeout(TIMEOUT_S):
        while not is_wanted(message := json.loads(await client.recv())):
            pass
        return message


async def closed_with(client: ClientConnection) -> int:
    async with asyncio.timeout(TIMEOUT_S):
        with suppress(ConnectionClosed):
            while True:
                await client.recv()
        return client.close_code or 0


async def flood(client: ClientConnection, rig: Running) -> None:
    with suppress(ConnectionClosed):
        for seq in range(2, 3000):
            await client.send(rig.drive(seq))
