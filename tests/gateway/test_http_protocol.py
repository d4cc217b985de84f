"""Everything that a connection can start has a deadline and a bound, and a response where HTTP has one."""

import asyncio
import json
import logging
import time
from typing import Any, cast

import pytest
import uvicorn
from tests.support.memory_transport import MemoryTransport
from uvicorn.server import ServerState

from belvedere.gateway.connection_limits import ADDRESS_BURST, ANONYMOUS_PER_ADDRESS, ConnectionLimits, TrustedProxies
from belvedere.gateway.http_protocol import (
    ANSWERED_TIMEOUT_S,
    BODY_TIMEOUT_S,
    HEAD_TIMEOUT_S,
    IDLE_S,
    LINGER_BYTES,
    LINGER_S,
    MAX_BODY_BYTES,
    MAX_CHUNKS,
    MAX_HEADERS,
    HttpProtocol,
)
from belvedere.gateway.read_turns import EVERY, ReadTurns
from belvedere.gateway.websocket_protocol import WebSocketProtocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


class App:
    """Gives a set answer, and counts requests."""

    def __init__(self, status: int = 200, answer: bytes = b"yes", *, reads: bool = False, hangs: bool = False) -> None:
        self.status, self.answer, self.reads, self.hangs = status, answer, reads, hangs
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.is_disconnected = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        self.requests.append(scope)
        if self.reads:
            self.bodies.append(await self._body(receive))
        if self.hangs:
            await receive()
            self.is_disconnected = (await receive())["type"] == "http.disconnect"
            return
        length = str(len(self.answer)).encode()
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.answer})

    async def _body(self, receive: Any) -> bytes:  # noqa: ANN401 - ASGI
        body = b""
        message: dict[str, Any]
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.is_disconnected = True
                return body
            body += bytes(message["body"])
            if not message["more_body"]:
                return body


class Server:
    """Connections to an application, in memory."""

    def __init__(self, app: object, limits: ConnectionLimits | None = None) -> None:
        self.state = ServerState()
        self.limits = limits or ConnectionLimits()
        self.turns = ReadTurns()
        self.config = uvicorn.Config(cast("Any", app), log_config=None, ws=WebSocketProtocol, proxy_headers=False)
        self.config.interface = "asgi3"
        self.config.load()

    def connect(self, address: str = "192.0.2.1") -> MemoryTransport:
        transport = MemoryTransport((address, 50_000))
        transport.connect(HttpProtocol(self.config, self.state, {}, self.limits, self.turns))
        return transport


async def exchange(transport: MemoryTransport, data: bytes) -> bytes:
    """What is answered to this at once."""
    before = len(transport.sent)
    transport.feed(data)
    for _ in range(20 + EVERY * (1 + ANONYMOUS_PER_ADDRESS)):  # whoever else waits for a turn has it first
        await asyncio.sleep(0)
    return transport.sent[before:]


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def ends_after(transport: MemoryTransport, seconds: float) -> bool:
    """Whether the connection is open until about this time from now, and over then."""
    await asyncio.sleep(seconds - 0.1)
    was_open = not transport.is_over
    await asyncio.sleep(0.2)
    return was_open and transport.is_over


async def test_requests_are_answered_one_after_the_other() -> None:
    app = App()
    transport = Server(app).connect()
    assert (await exchange(transport, GET)).endswith(b"\r\n\r\nyes")
    assert (await exchange(transport, GET[:10])) == b""
    assert (await exchange(transport, GET[10:])).endswith(b"\r\n\r\nyes")
    assert (await exchange(transport, b"\r\n" + GET + GET + GET)).count(b"200 OK") == 3
    assert not transport.is_over


async def test_a_body_arrives_in_whatever_pieces_it_came() -> None:
    app = App(reads=True)
    transport = Server(app).connect()
    await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
    assert status_of(await exchange(transport, b"cde")) == 200
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfg\r\n0\r\nA: b\r\n\r\n"
    assert status_of(await exchange(transport, chunked + GET)) == 200
    assert app.bodies == [b"abcde", b"fg", b""]


async def test_a_client_that_expects_100_continue_gets_it() -> None:
    transport = Server(App(reads=True)).connect()
    expecting = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert status_of(await exchange(transport, expecting)) == 100
    assert status_of(await exchange(transport, b"ab")) == 200


async def test_head_is_answered_without_a_body() -> None:
    answer = await exchange(Server(App()).connect(), GET.replace(b"GET", b"HEAD"))
    assert b"content-length: 3\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_a_connection_is_closed_if_the_client_asks_for_it() -> None:
    transport = Server(App()).connect()
    assert b"Connection: close" in (
        await exchange(transport, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    )
    assert transport.is_over
    assert not transport.is_aborted


async def test_a_connection_without_a_request_times_out() -> None:
    transport = Server(App()).connect()
    assert await ends_after(transport, HEAD_TIMEOUT_S)
    assert transport.sent == b""


async def test_half_a_request_is_answered_and_ended() -> None:
    transport = Server(App()).connect()
    await exchange(transport, GET[:20])
    await asyncio.sleep(HEAD_TIMEOUT_S / 2)
    await exchange(transport, b"X-Slow: 1\r\n")  # a further byte does not restart the timeout
    await asyncio.sleep(HEAD_TIMEOUT_S / 2 + 0.1)
    assert status_of(transport.sent) == 408
    assert transport.is_ended
    assert await ends_after(transport, LINGER_S - 0.1)


async def test_half_of_a_second_request_is_answered_and_ended_too() -> None:
    transport = Server(App()).connect()
    await exchange(transport, GET)
    await asyncio.sleep(IDLE_S / 2)
    await exchange(transport, GET[:20])
    await asyncio.sleep(HEAD_TIMEOUT_S + 0.1)
    assert b"408 Request Timeout" in transport.sent
    assert await ends_after(transport, LINGER_S - 0.1)


async def test_empty_lines_are_no_request_and_do_not_keep_a_connection() -> None:
    transport = Server(App()).connect()
    for _ in range(int(HEAD_TIMEOUT_S)):
        transport.feed(b"\r\n" * 100)
        await asyncio.sleep(1.0)
    await asyncio.sleep(0.1)
    assert transport.is_over


async def test_a_connection_that_is_idle_ends() -> None:
    transport = Server(App()).connect()
    await exchange(transport, GET)
    assert await ends_after(transport, IDLE_S)
    assert not transport.is_aborted


@pytest.mark.parametrize("framing", [b"Content-Length: 20000", b"Transfer-Encoding: chunked"])
async def test_a_body_after_a_refusal_is_not_read(framing: bytes) -> None:
    transport = Server(App(401)).connect()
    answer = await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
    assert status_of(answer) == 401
    assert b"connection: close" in answer
    assert transport.is_ended
    transport.feed(b"x")
    assert await ends_after(transport, LINGER_S)


async def test_an_endless_body_after_a_refusal_is_aborted_soon() -> None:
    transport = Server(App(401)).connect()
    await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    transport.feed(b"x" * (LINGER_BYTES + 1))
    assert transport.is_aborted


async def test_a_body_that_arrives_byte_by_byte_has_a_deadline() -> None:
    app = App(reads=True)
    transport = Server(app).connect()
    await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
    for _ in range(int(BODY_TIMEOUT_S) + 1):
        transport.feed(b"x")
        await asyncio.sleep(1.0)
    assert status_of(transport.sent) == 408
    assert app.is_disconnected
    assert await ends_after(transport, LINGER_S - 1.0)


async def test_a_body_announced_as_too_large_does_not_reach_the_application() -> None:
    app = App(reads=True)
    length = str(MAX_BODY_BYTES + 1).encode()
    transport = Server(app).connect()
    answer = await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert status_of(answer) == 413
    assert app.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"%x\r\n" % (MAX_BODY_BYTES + 1) + b"x" * (MAX_BODY_BYTES + 1),
        b"1\r\nx\r\n" * (MAX_CHUNKS + 1),
    ],
)
async def test_a_body_that_grows_too_large_is_refused(body: bytes) -> None:
    app = App(reads=True)
    transport = Server(app).connect()
    answer = await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert status_of(answer) == 413
    assert app.is_disconnected


@pytest.mark.parametrize("body", [b"zz\r\n", b"1;" + b"e" * 5000, b"0\r\n" + b"a:\r\n" * 2000, b"1\r\nxyz"])
async def test_a_malformed_body_is_refused(body: bytes) -> None:
    transport = Server(App(reads=True)).connect()
    answer = await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert status_of(answer) == 400
    assert await ends_after(transport, LINGER_S)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"\x16\x03\x01\x02\x00", 400),  # TLS
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * (MAX_HEADERS + 40) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 1000, 431),  # without an end
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20_000, 431),
        (UPGRADE + b"A: b\r\n" * (MAX_HEADERS + 40) + b"\r\n", 431),
        (UPGRADE + b"A: " + b"b" * 9000 + b"\r\n\r\n", 431),
        (UPGRADE + b"Content-Length: 5\r\n\r\n", 400),
        (UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n", 400),
        (UPGRADE.replace(b": 13", b": 12") + b"\r\n", 400),
        (UPGRADE.replace(b"GET", b"PUT") + b"\r\n", 405),
        (UPGRADE.replace(b"AAAA", b"\xe4AAA", 1) + b"\r\n", 400),
    ],
)
async def test_a_malformed_head_is_answered_and_the_connection_closed(head: bytes, status: int) -> None:
    app = App()
    transport = Server(app).connect()
    assert status_of(await exchange(transport, head)) == status
    await asyncio.sleep(LINGER_S + 0.1)
    assert transport.is_over
    assert app.requests == []


async def test_a_refusal_is_a_problem_and_says_when_to_retry() -> None:
    transport = Server(App()).connect()
    head, _, body = (await exchange(transport, b"nonsense\r\n\r\n")).partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json\r\n" in head
    assert json.loads(body)["code"] == "bad_message"


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_a_length_together_with_chunks_is_refused(version: bytes) -> None:
    app = App(reads=True)
    transport = Server(app).connect()
    request = b"POST / HTTP/%b\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % version
    assert (await exchange(transport, request + GET)).count(b"HTTP/1.1") == 1
    assert status_of(transport.sent) == 400
    assert app.requests == []
    assert transport.is_ended


async def test_a_peer_that_reads_nothing_of_a_response_is_aborted() -> None:
    transport = Server(App(answer=b"x" * 100_000)).connect()
    transport.takes_nothing = True
    await exchange(transport, GET)
    assert await ends_after(transport, ANSWERED_TIMEOUT_S)
    assert transport.is_aborted


async def test_no_further_request_is_answered_until_the_first_response_is_sent() -> None:
    app = App(answer=b"x" * 100_000)
    transport = Server(app).connect()
    transport.takes_nothing = True
    await exchange(transport, GET * 50)
    assert len(app.requests) == 1
    transport.take_all()
    transport.takes_nothing = True
    await asyncio.sleep(1)
    assert len(app.requests) == 2


async def test_pipelined_requests_are_bounded() -> None:
    transport = Server(App(hangs=True)).connect()
    await exchange(transport, GET * 2000)
    assert transport.is_paused
    transport.hang_up()


async def test_a_slow_response_is_sent_whole_before_the_connection_closes() -> None:
    transport = Server(App(answer=b"x" * 1000)).connect()
    transport.takes_nothing = True
    await exchange(transport, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await asyncio.sleep(ANSWERED_TIMEOUT_S - 1)
    was_over = transport.is_over
    transport.take_all()
    await asyncio.sleep(0)
    assert transport.sent.endswith(b"x" * 1000)
    assert (was_over, transport.is_over, transport.is_aborted) == (False, True, False)


async def test_an_application_that_hangs_times_out(caplog: pytest.LogCaptureFixture) -> None:
    app = App(hangs=True)
    transport = Server(app).connect()
    await exchange(transport, GET)
    await asyncio.sleep(ANSWERED_TIMEOUT_S + 0.1)
    assert status_of(transport.sent) == 503
    assert app.is_disconnected
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_peer_that_disconnects_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def app(_scope: object, receive: Any, _send: object) -> None:  # noqa: ANN401 - ASGI
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ConnectionResetError

    caplog.set_level(logging.INFO)
    transport = Server(app).connect()
    await exchange(transport, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    transport.hang_up()
    await asyncio.sleep(1)
    assert caplog.records == []


async def test_an_application_that_fails_is_logged_and_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        raise LookupError

    transport = Server(app).connect()
    assert status_of(await exchange(transport, GET)) == 500
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert (record.levelname, record.getMessage()) == ("ERROR", "the application failed while handling a request")


async def test_an_application_that_answers_nothing_is_logged_and_answered_with_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        pass

    assert status_of(await exchange(Server(app).connect(), GET)) == 500
    assert "the application returned without a complete response" in caplog.text


async def test_an_address_may_hold_only_so_many_connections() -> None:
    server = Server(App())
    holding = [server.connect() for _ in range(ANONYMOUS_PER_ADDRESS)]
    for each in holding:
        each.feed(GET[:20])
    elsewhere = server.connect("192.0.2.2")
    newest = server.connect()
    assert status_of(holding[0].sent) == 503
    await asyncio.sleep(0)
    assert [each.is_over for each in holding] == [True] + [False] * (ANONYMOUS_PER_ADDRESS - 1)
    assert not elsewhere.is_over
    assert status_of(await exchange(newest, GET)) == 200


async def test_anonymous_requests_that_are_too_many_are_refused() -> None:
    app = App(401)
    transport = Server(app).connect()
    transport.feed(GET * 200)
    await asyncio.sleep(1)
    assert transport.sent.count(b"429 Too Many Requests") == 1
    assert b"Retry-After: 1\r\n" in transport.sent
    assert len(app.requests) <= ADDRESS_BURST
    assert transport.is_ended


async def test_only_a_trusted_proxy_decides_the_scheme() -> None:
    app = App()
    server = Server(app, ConnectionLimits(proxies=TrustedProxies(["192.0.2.7"])))
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n"
    await exchange(server.connect("192.0.2.7"), request)
    await exchange(server.connect("192.0.2.8"), request)
    assert [each["scheme"] for each in app.requests] == ["https", "http"]


async def test_the_client_of_a_request_is_the_one_that_a_trusted_proxy_names() -> None:
    app = App()
    server = Server(app, ConnectionLimits(proxies=TrustedProxies(["192.0.2.7"])))
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"
    await exchange(server.connect("192.0.2.7"), request)
    await exchange(server.connect("192.0.2.8"), request)
    assert [each["client"][0] for each in app.requests] == ["203.0.113.5", "192.0.2.8"]


async def test_a_request_carries_the_arrival_of_its_first_byte() -> None:
    app = App()
    transport = Server(app).connect()
    before = time.monotonic()
    await exchange(transport, GET[:10])
    between = time.monotonic()
    await exchange(transport, GET[10:])
    await exchange(transport, GET)
    first, second = (each["state"]["request_began_at"] for each in app.requests)
    assert before <= first <= between <= second <= time.monotonic()


async def test_a_shutdown_lets_responses_finish_and_closes_the_rest() -> None:
    goes_on = asyncio.Event()
    answers = App()

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await goes_on.wait()
        await answers(scope, receive, send)

    server = Server(app)
    idle, busy, sending = server.connect(), server.connect(), server.connect()
    await exchange(busy, GET)
    await exchange(sending, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
    for each in list(server.state.connections):
        each.shutdown()
    await asyncio.sleep(0)
    assert (idle.is_over, busy.is_over) == (True, False)
    assert status_of(sending.sent) == 503
    goes_on.set()
    await asyncio.sleep(1)
    assert b"connection: close" in busy.sent.lower()
    assert busy.sent.endswith(b"yes")
    assert (busy.is_over, busy.is_aborted) == (True, False)


async def test_nothing_is_left_of_a_closed_connection() -> None:
    server = Server(App())
    transports = [server.connect() for _ in range(5)]
    await exchange(transports[0], GET)
    transports[1].abort()
    for each in transports:
        each.hang_up()
    await asyncio.sleep(1)
    assert not server.state.connections
    assert not server.state.tasks


async def test_strangers_who_never_end_a_request_delay_no_person() -> None:
    app = App()
    server = Server(app, ConnectionLimits(lambda headers: "ana" if (b"session", b"ana") in headers else None))
    ana = server.connect()
    request = GET.replace(b"Host: x", b"Host: x\r\nSession: ana")
    await exchange(ana, request)
    strangers = [server.connect(f"198.51.100.{number}") for number in range(200)]
    for stranger in strangers:
        stranger.feed(b"G")
    ana.feed(request)
    for _ in range(3 * EVERY):
        await asyncio.sleep(0)
    assert len(app.requests) == 2
    for each in (ana, *strangers):
        each.hang_up()
