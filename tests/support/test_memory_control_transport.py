"""What is said arrives in order; whoever has left is told apart from whoever reads nothing."""

import asyncio

import pytest
from tests.support.memory_control_transport import MemoryControlTransport

from belvedere.gateway.control_transport import TransportClosedError


async def test_messages_cross_in_both_directions() -> None:
    transport = MemoryControlTransport()
    transport.peer_send({"type": "stop"})
    transport.peer_send_binary()
    assert await transport.receive() == '{"type": "stop"}'
    assert await transport.receive() is None
    await transport.send('{"type": "state"}')
    await transport.send('{"type": "pong", "clock": 1}')
    assert (await transport.peer_receive("pong"))["clock"] == 1


async def test_what_was_said_before_leaving_arrives_first() -> None:
    transport = MemoryControlTransport()
    transport.peer_send({"type": "stop"})
    transport.leave()
    assert await transport.receive() == '{"type": "stop"}'
    with pytest.raises(TransportClosedError):
        await transport.receive()
    with pytest.raises(TransportClosedError):
        await transport.send("{}")
    with pytest.raises(TransportClosedError):
        await transport.close(1000, "")


async def test_closing_is_seen_by_both_ends() -> None:
    transport = MemoryControlTransport()
    await transport.close(4401, "over")
    assert (transport.close_code, transport.close_reason) == (4401, "over")
    with pytest.raises(TransportClosedError):
        await transport.receive()


async def test_sending_waits_for_a_peer_that_reads_nothing() -> None:
    transport = MemoryControlTransport()
    transport.stop_reading()
    sending = asyncio.ensure_future(transport.send("{}"))
    await asyncio.sleep(100)
    assert not sending.done()
    sending.cancel()
