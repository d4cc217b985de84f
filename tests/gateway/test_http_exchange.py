"""The application and the connection get the ASGI events of the other, whatever either does."""

import asyncio
import logging
from typing import Any

import h11
import pytest

from belvedere.gateway.http_exchange import Exchange


class Peer:
    """A connection that takes everything."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_answered = self.is_failed = False

    async def writable(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def receive_answered(self) -> None:
        self.is_answered = True

    def receive_failed(self) -> None:
        self.is_failed = True


def exchange(head: bytes = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n") -> tuple[Exchange, Peer]:
    conn = h11.Connection(h11.SERVER)
    conn.receive_data(head)
    request = conn.next_event()
    assert isinstance(request, h11.Request)
    peer = Peer()
    return Exchange({"method": request.method.decode()}, conn, peer, [(b"date", b"today")]), peer


def answering(*messages: dict[str, Any]) -> Any:  # noqa: ANN401 - an ASGI application
    async def app(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401 - ASGI
        for message in messages:
            await send(message)

    return app


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


async def test_the_head_is_sent_with_the_first_of_the_body() -> None:
    ours, peer = exchange()
    ours.receive_body_end()
    body: dict[str, Any] = {"type": "http.response.body", "body": b"ab", "more_body": True}
    await ours.run(answering(START, body, {**body, "more_body": False}))
    assert peer.sent == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 4\r\n\r\nab", b"ab"]
    assert (peer.is_answered, ours.is_complete, ours.closes) == (True, True, False)


async def test_an_answer_before_the_bodys_end_closes_the_connection() -> None:
    ours, peer = exchange()
    await ours.run(answering(START, {"type": "http.response.body", "body": b"abcd"}))
    assert b"\r\nconnection: close\r\n" in peer.sent[0].lower()
    assert ours.closes


async def test_a_body_is_passed_on_as_it_arrives_and_so_is_its_end() -> None:
    heard: list[Any] = []

    async def app(_scope: object, receive: Any, _send: object) -> None:  # noqa: ANN401 - ASGI
        heard.extend([await receive(), await receive(), await receive()])

    ours, _ = exchange()
    running = asyncio.create_task(ours.run(app))
    ours.receive_body(b"a")
    await asyncio.sleep(1)
    ours.receive_body(b"b")
    ours.receive_body_end()
    await asyncio.sleep(1)
    ours.receive_gone()
    await running
    assert heard == [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def test_what_is_sent_to_a_disconnected_peer_is_discarded() -> None:
    ours, peer = exchange()
    ours.receive_gone()
    await ours.run(answering(START, {"type": "http.response.body", "body": b"abcd"}))
    assert peer.sent == []
    assert not peer.is_failed


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body", "body": b""}],
        [START, START],
        [START, {"type": "http.response.body", "body": b"abcd"}, {"type": "http.response.body", "body": b"more"}],
        [START, {"type": "http.response.body", "body": b"too long"}],
    ],
)
async def test_an_application_that_breaks_asgi_is_logged_as_an_error(
    messages: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    ours, peer = exchange()
    await ours.run(answering(*messages))
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert peer.is_failed != ours.is_complete


async def test_a_cancelled_task_leaves_no_peer_waiting() -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        await asyncio.Event().wait()

    ours, peer = exchange()
    running = asyncio.create_task(ours.run(app))
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait({running})
    assert peer.is_failed
