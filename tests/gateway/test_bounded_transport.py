"""A close is over in time, whatever the peer does."""

import asyncio

from tests.support.memory_transport import MemoryTransport

from belvedere.gateway.bounded_transport import FLUSH_TIMEOUT_S, BoundedTransport


def bounded() -> tuple[BoundedTransport, MemoryTransport]:
    transport = MemoryTransport()
    transport.connect(asyncio.Protocol())
    return BoundedTransport(transport), transport


async def test_it_closes_as_any_transport() -> None:
    ours, transport = bounded()
    ours.write(b"a")
    ours.close()
    assert ours.is_closing()
    assert (transport.sent, transport.is_over, transport.is_aborted) == (b"a", True, False)


async def test_what_cannot_be_sent_is_given_up() -> None:
    ours, transport = bounded()
    transport.takes_nothing = True
    ours.write(b"a")
    ours.close()
    ours.close()
    await asyncio.sleep(FLUSH_TIMEOUT_S - 0.1)
    assert not transport.is_over
    await asyncio.sleep(0.2)
    assert transport.is_aborted


async def test_a_connection_that_is_over_is_not_cut_off_again() -> None:
    ours, transport = bounded()
    transport.takes_nothing = True
    ours.write(b"a")
    ours.close()
    ours.receive_lost()
    await asyncio.sleep(FLUSH_TIMEOUT_S + 1)
    assert not transport.is_aborted
