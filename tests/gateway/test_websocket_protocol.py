"""What a peer does outside of messages is bounded, ends in time, and is never logged as an error."""

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from tests.support.memory_transport import MemoryTransport
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState

from belvedere.gateway.connection_limits import AUTHENTICATED_PER_PERSON, ConnectionLimits, TrustedProxies
from belvedere.gateway.http_protocol import HttpProtocol
from belvedere.gateway.read_turns import EVERY, ReadTurns
from belvedere.gateway.transport import FLUSH_TIMEOUT_S
from belvedere.gateway.websocket_protocol import (
    AFTER_CLOSE_BYTES,
    BYTES_BURST,
    CLOSE_TIMEOUT_S,
    EXTENSION,
    HANDSHAKE_TIMEOUT_S,
    MAX_FRAGMENTS,
    SLICE_BYTES,
    STUCK_WRITE_BYTES,
    WebSocketProtocol,
)

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
TEXT, CONTINUATION, CLOSE, PING = 0x1, 0x0, 0x8, 0x9


class App:
    """Accepts after `waits_s`, and hears until the end, or closes at once."""

    def __init__(self, *, waits_s: float = 0.0, closes: bool = False, reads: bool = True) -> None:
        self.waits_s, self.closes, self.reads = waits_s, closes, reads
        self.received: list[object] = []
        self.code: int | None = None
        self.scope: dict[str, Any] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        self.scope = scope
        await receive()
        await asyncio.sleep(self.waits_s)
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if self.closes:
            await send({"type": "websocket.close", "code": 4401, "reason": "no"})
            return
        if not self.reads:
            await asyncio.Event().wait()
        while (message := await receive())["type"] != "websocket.disconnect":
            self.received.append(message.get("text"))
        self.code = message["code"]


async def waits(_scope: object, receive: Any, _send: object) -> None:  # noqa: ANN401 - ASGI
    while (await receive())["type"] != "http.disconnect":
        pass


def connect(
    app: object,
    session_of: Callable[[Any], str | None] = lambda _: None,
    limits: ConnectionLimits | None = None,
    turns: ReadTurns | None = None,
) -> MemoryTransport:
    config = uvicorn.Config(
        cast("Any", app),
        log_config=None,
        ws=WebSocketProtocol,
        ws_max_size=4096,
        proxy_headers=False,
        interface="asgi3",
    )
    config.load()
    transport = MemoryTransport()
    transport.connect(
        HttpProtocol(config, ServerState(), {}, limits or ConnectionLimits(session_of), turns or ReadTurns())
    )
    return transport


async def opened(
    app: object, read_turns: ReadTurns | None = None, session_of: Callable[[Any], str | None] = lambda _: None
) -> MemoryTransport:
    transport = connect(app, session_of, turns=read_turns)
    transport.feed(UPGRADE)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 101 ")
    transport.sent = b""
    return transport


async def turns() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("proxy", "scheme", "client"), [(True, "wss", "203.0.113.5"), (False, "ws", "192.0.2.1")])
async def test_only_a_trusted_proxy_decides_the_scheme_and_the_client(*, proxy: bool, scheme: str, client: str) -> None:
    app = App()
    proxies = TrustedProxies(["192.0.2.1"] if proxy else ["192.0.2.9"])
    transport = connect(app, limits=ConnectionLimits(proxies=proxies))
    transport.feed(UPGRADE.replace(b"Host: x", b"Host: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.5"))
    await turns()
    assert (app.scope["scheme"], app.scope["client"][0]) == (scheme, client)
    transport.feed(frame(CLOSE, b"\x03\xe8"))
    await turns()


def frame(opcode: int, payload: bytes = b"", *, is_last: bool = True) -> bytes:
    """As a client sends it, with a mask of zeros."""
    first = bytes([opcode | (0x80 if is_last else 0)])
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return first + length + bytes(4) + payload


def close_code(sent: bytes) -> int:
    assert sent[0] == 0x80 | CLOSE
    return int.from_bytes(sent[2:4], "big")


async def test_messages_arrive_and_the_close_is_answered() -> None:
    app = App()
    transport = await opened(app)
    transport.feed(frame(TEXT, b"one") + frame(TEXT, b"t", is_last=False) + frame(CONTINUATION, b"wo"))
    transport.feed(frame(CLOSE, b"\x03\xe8"))
    await turns()
    assert app.received == ["one", "two"]
    assert app.code == 1000
    assert transport.is_over


async def test_frames_that_arrive_during_the_handshake_are_read_after_it(caplog: pytest.LogCaptureFixture) -> None:
    app = App(waits_s=1.0)
    transport = connect(app)
    transport.feed(UPGRADE + frame(TEXT, b"one"))
    transport.feed(frame(TEXT, b"two") + frame(CLOSE, b"\x03\xe8"))
    await asyncio.sleep(2)
    assert app.received == ["one", "two"]
    assert transport.is_over
    assert caplog.records == []


async def test_a_handshake_that_the_application_does_not_answer_times_out() -> None:
    transport = connect(App(waits_s=HANDSHAKE_TIMEOUT_S + 5))
    transport.feed(UPGRADE)
    await asyncio.sleep(HANDSHAKE_TIMEOUT_S - 0.1)
    assert not transport.is_over
    await asyncio.sleep(0.2)
    assert transport.is_aborted
    await asyncio.sleep(5)


async def test_a_peer_that_disconnects_during_the_handshake_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    transport = connect(App(waits_s=1.0))
    transport.feed(UPGRADE)
    transport.hang_up()
    await asyncio.sleep(2)
    assert caplog.records == []


async def test_an_upgrade_that_is_refused_with_a_response_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"no", "more_body": False})

    transport = connect(refuse)
    transport.feed(UPGRADE + frame(TEXT, b"too early"))
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 403 ")
    assert transport.sent.endswith(b"\r\n\r\nno")
    assert transport.is_over
    assert caplog.records == []


async def test_a_peer_that_does_not_answer_our_close_is_not_waited_for() -> None:
    transport = connect(App(closes=True))
    transport.feed(UPGRADE)
    await asyncio.sleep(CLOSE_TIMEOUT_S - 0.1)
    assert not transport.is_over
    await asyncio.sleep(0.2)
    assert transport.is_over


async def test_a_peer_that_reads_nothing_cannot_delay_the_close() -> None:
    transport = connect(App(closes=True))
    transport.takes_nothing = True
    transport.feed(UPGRADE)
    await asyncio.sleep(CLOSE_TIMEOUT_S + FLUSH_TIMEOUT_S + 0.1)
    assert transport.is_aborted


async def test_what_arrives_after_our_close_is_bounded() -> None:
    transport = connect(App(closes=True))
    transport.feed(UPGRADE)
    await turns()
    transport.feed(frame(TEXT, b"x" * 100))
    assert not transport.is_over
    transport.feed(frame(PING) * (AFTER_CLOSE_BYTES // 6 + 1))
    assert transport.is_aborted


async def test_tiny_frames_are_read_in_slices() -> None:
    transport = await opened(App())
    transport.feed(frame(PING) * (4 * SLICE_BYTES // 6))
    pongs = len(transport.sent) // 2
    assert 0 < pongs <= SLICE_BYTES // 6
    await turns()
    assert len(transport.sent) // 2 == 4 * SLICE_BYTES // 6
    transport.hang_up()


async def test_a_flood_ends_the_connection() -> None:
    transport = await opened(App())
    transport.feed(frame(PING) * (int(BYTES_BURST) // 6 + 1))
    assert transport.is_aborted


async def test_a_peer_that_floods_pings_and_reads_no_pong_is_disconnected() -> None:
    transport = await opened(App())
    transport.takes_nothing = True
    transport.write(b"x" * (STUCK_WRITE_BYTES + 1))
    transport.feed(frame(PING))
    assert transport.is_aborted


async def test_endless_empty_fragments_end_the_connection() -> None:
    app = App()
    transport = await opened(app)
    transport.feed(frame(TEXT, b"", is_last=False) + frame(CONTINUATION, b"", is_last=False) * MAX_FRAGMENTS)
    await turns()
    assert close_code(transport.sent) == 1009
    assert app.code == 1009
    assert transport.is_over


async def test_text_that_is_not_utf8_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = App()
    transport = await opened(app)
    caplog.clear()
    transport.feed(frame(TEXT, b"\xff") * 50)
    await turns()
    assert close_code(transport.sent) == 1007
    assert app.received == []
    ours = [each for each in caplog.records if each.name.startswith("belvedere")]
    assert [each.getMessage() for each in ours] == ["closed a WebSocket: not UTF-8"]
    assert not [each for each in caplog.records if each.exc_info or each.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("data", "code"), [(b"\x83\x80\0\0\0\0", 1002), (b"\x81\x01x", 1002), (b"\x82\xff" + bytes(6) + b"\x7f\xff", 1009)]
)
async def test_an_invalid_frame_ends_the_connection(data: bytes, code: int, caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    transport = await opened(app)
    transport.feed(data)
    await turns()
    assert close_code(transport.sent) == code
    assert transport.is_over
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_peer_that_answers_no_ping_is_closed_without_an_error() -> None:
    app = App()
    transport = await opened(app)
    await asyncio.sleep(60)
    assert transport.is_over
    assert close_code(transport.sent[-len(b"\x88\x00\x03\xe9no answer to a ping") :]) == 1001


async def test_a_shutdown_closes_connections_that_are_not_closing_already() -> None:
    transport = await opened(App())
    protocol: Any = transport.get_protocol()
    protocol.shutdown()
    protocol.shutdown()
    await turns()
    assert close_code(transport.sent) == 1012
    assert transport.is_over


async def test_a_session_with_too_many_connections_loses_requests_before_sockets() -> None:
    limits = ConnectionLimits(lambda _: "ana")
    socket = connect(App(), limits=limits)
    socket.feed(UPGRADE)
    requests = []
    for _ in range(AUTHENTICATED_PER_PERSON - 1):
        requests.append(connect(waits, limits=limits))
        requests[-1].feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
    assert not any(each.is_over for each in requests)
    another = connect(App(), limits=limits)
    another.feed(UPGRADE)
    await turns()
    assert not socket.is_over
    assert not another.is_over
    assert sum(b"503 Service Unavailable" in each.sent for each in requests) == 1
    for each in (socket, another, *requests):
        each.hang_up()
    await turns()


async def test_a_socket_can_be_evicted() -> None:
    transport = await opened(App())
    cast("WebSocketProtocol", transport.get_protocol()).evict()
    assert transport.is_aborted


class VideoApp:
    """Accepts, and keeps the protocol that it finds in the scope."""

    def __init__(self) -> None:
        self.protocol: WebSocketProtocol | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        self.protocol = scope["extensions"][EXTENSION]
        while (await receive())["type"] != "websocket.disconnect":
            pass


async def opened_for_video() -> tuple[MemoryTransport, WebSocketProtocol]:
    app = VideoApp()
    transport = await opened(app)
    assert app.protocol is not None
    return transport, app.protocol


async def test_messages_are_sent_without_waiting() -> None:
    transport, protocol = await opened_for_video()
    protocol.send_now(b"\x01\x02")
    protocol.send_now("ab")
    assert transport.sent == b"\x82\x02\x01\x02" + b"\x81\x02ab"
    await protocol.wait_writable()
    transport.abort()
    await turns()


async def test_a_peer_may_send_while_a_large_picture_is_on_its_way_but_not_while_pongs_pile_up_behind_it() -> None:
    transport, protocol = await opened_for_video()
    transport.takes_nothing = True
    protocol.send_now(bytes(2 * STUCK_WRITE_BYTES))
    transport.feed(frame(PING))
    await turns()
    assert not transport.is_aborted
    transport.write(bytes(STUCK_WRITE_BYTES + 1))
    transport.feed(frame(PING))
    await turns()
    assert transport.is_aborted


async def test_a_message_for_a_closed_connection_is_an_error_of_the_clients() -> None:
    transport, protocol = await opened_for_video()
    transport.abort()
    with pytest.raises(ClientDisconnected):
        protocol.send_now(b"late")


async def test_what_is_buffered_is_waited_for_and_can_be_discarded() -> None:
    transport, protocol = await opened_for_video()
    transport.takes_nothing = True
    protocol.send_now(bytes(100_000))
    waiting = asyncio.create_task(protocol.wait_writable())
    await turns()
    assert not waiting.done()
    protocol.discard_unsent()
    await turns()
    assert transport.is_aborted
    await waiting


async def test_a_connection_with_nothing_unsent_survives_a_discard() -> None:
    transport, protocol = await opened_for_video()
    protocol.send_now(b"sent")
    protocol.discard_unsent()
    await turns()
    assert not transport.is_closing()
    transport.abort()
    await turns()


async def test_an_urgent_socket_is_read_while_others_wait_for_their_turn() -> None:
    apps = App(), App(), App()
    turns_of_all = ReadTurns()
    driver, *others = [await opened(app, turns_of_all) for app in apps]
    protocol = driver.get_protocol()
    assert isinstance(protocol, WebSocketProtocol)
    protocol.set_urgent(is_urgent=True)
    for other in others:
        other.feed(frame(TEXT, b"other"))
    driver.feed(frame(TEXT, b"stop"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert apps[0].received == ["stop"]
    await turns()
    assert [app.received for app in apps[1:]] == [["other"], ["other"]]
    for transport in (driver, *others):
        transport.hang_up()
    await turns()


async def test_a_persons_socket_is_read_before_those_of_strangers() -> None:
    app, turns_of_all = App(), ReadTurns()
    visitor = await opened(app, turns_of_all, lambda _: "ana")
    others = [await opened(App(), turns_of_all) for _ in range(20)]
    for other in others:
        other.feed(frame(TEXT, b"other"))
    visitor.feed(frame(TEXT, b"stop"))
    for _ in range(3 * EVERY):
        await asyncio.sleep(0)
    assert app.received == ["stop"]
    for transport in (visitor, *others):
        transport.hang_up()
    await turns()
