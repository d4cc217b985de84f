"""The transport in memory does what a network's does."""

import asyncio

from tests.support.memory_transport import MemoryTransport


class Listener(asyncio.Protocol):
    def __init__(self) -> None:
        self.calls: list[object] = []

    def data_received(self, data: bytes) -> None:
        self.calls.append(data)

    def eof_received(self) -> None:
        self.calls.append("eof")

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append(exc)


def connected() -> tuple[Listener, MemoryTransport]:
    protocol, transport = Listener(), MemoryTransport()
    transport.connect(protocol)
    return protocol, transport


async def test_what_is_written_arrives_unless_the_peer_takes_nothing() -> None:
    protocol, transport = connected()
    transport.set_write_buffer_limits(high=0)
    transport.write(b"a")
    transport.takes_nothing = True
    transport.write(b"b")
    assert (transport.sent, transport.get_write_buffer_size(), protocol.calls) == (b"a", 1, ["pause"])
    transport.take_all()
    assert (transport.sent, transport.get_write_buffer_size(), protocol.calls) == (b"ab", 0, ["pause", "resume"])


async def test_a_close_waits_for_what_is_unsent_and_an_abort_does_not() -> None:
    protocol, transport = connected()
    transport.takes_nothing = True
    transport.write(b"a")
    transport.close()
    assert (transport.is_closing(), transport.is_over) == (True, False)
    transport.abort()
    await asyncio.sleep(0)
    assert transport.is_over
    assert protocol.calls == [None]
    transport.feed(b"x")
    assert protocol.calls == [None]


async def test_a_peer_that_hangs_up_ends_it() -> None:
    protocol, transport = connected()
    transport.feed(b"x")
    transport.hang_up()
    await asyncio.sleep(0)
    assert protocol.calls == [b"x", "eof", None]
    assert not transport.is_aborted


async def test_the_protocol_may_be_exchanged() -> None:
    first, transport = connected()
    second = Listener()
    transport.set_protocol(second)
    transport.feed(b"x")
    assert (first.calls, second.calls) == ([], [b"x"])
    assert transport.get_protocol() is second


async def test_it_says_whether_the_protocol_listens_and_whether_our_half_is_closed() -> None:
    _, transport = connected()
    paused = []
    for change in (transport.pause_reading, transport.resume_reading):
        change()
        paused.append(transport.is_paused)
    assert paused == [True, False]
    assert transport.can_write_eof()
    transport.write_eof()
    assert transport.is_ended
