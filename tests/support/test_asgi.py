"""A socket in the same process does what one over a network does."""

import asyncio
from typing import Any

import pytest
from tests.support.asgi import TIMEOUT_S, open_socket


async def echo(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event.get("text") or '{"type": "bytes"}'})


async def test_what_is_sent_is_received() -> None:
    async with open_socket(echo, "/", {}) as peer:
        peer.send_json({"type": "one"})
        peer.send_text('{"type": "two"}')
        peer.send_bytes(b"three")
        assert await peer.receive("two") == {"type": "two"}
        assert await peer.receive() == {"type": "bytes"}
        assert peer.subprotocol == "belvedere.v1"
        assert peer.received_by_now() == []


async def test_waiting_in_vain_is_an_error() -> None:
    async with open_socket(echo, "/", {}) as peer:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await peer.receive()
        assert asyncio.get_running_loop().time() - began == pytest.approx(TIMEOUT_S)


async def test_a_peer_that_reads_nothing_blocks_the_sender() -> None:
    async with open_socket(echo, "/", {}) as peer:
        await peer.is_accepted.wait()
        peer.stop_reading()
        peer.send_json({"type": "one"})
        await asyncio.sleep(10)
        assert peer.received_by_now() == []
        peer._reads.set()


async def test_a_refused_upgrade_and_a_close_are_distinguished() -> None:
    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"no"})

    async def close(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "websocket.accept", "subprotocol": None})
        await send({"type": "websocket.close", "code": 4401, "reason": "no"})

    async with open_socket(refuse, "/", {}) as refused, open_socket(close, "/", {}) as closed:
        await refused.over()
        await closed.over()
    assert (refused.status, refused.body, refused.close_code) == (403, b"no", None)
    assert (closed.status, closed.close_code, closed.close_reason) == (None, 4401, "no")


async def test_an_unknown_event_of_the_application_is_an_error() -> None:
    async def wrong(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "http.response.start"})

    with pytest.raises(AssertionError, match="no such event"):
        async with open_socket(wrong, "/", {}) as peer:
            await peer.over()
