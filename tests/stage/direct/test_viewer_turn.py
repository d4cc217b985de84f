from __future__ import annotations

import asyncio
import socket
import types

import pytest
from aioice import turn

from belvedere.stage.direct.viewer_turn import MAX_BUFFERED_BYTES, MAX_WAITING, bound_relay, cut_relays

VIEWER = ("192.0.2.7", 4000)


class Server:
    """The transport to a TURN server."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.buffered = 0
        self.is_aborted = False

    def sendto(self, data: bytes) -> None:
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.is_aborted

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def abort(self) -> None:
        self.is_aborted = True

    def packets(self) -> list[bytes]:
        """The viewer's packets among what was sent, without their headers; the rest is STUN."""
        return [data[4:] for data in self.sent if data[0] >> 6 == 1]


class Relayed:
    """A connection by a relay, whose channel to the viewer is open or about to be opened."""

    def __init__(self, *, is_bound: bool = True) -> None:
        self.server = Server()
        client = turn.TurnClientUdpProtocol(
            ("192.0.2.1", 3478), username=None, password=None, lifetime=600, channel_refresh_time=500
        )
        client.transport = self.server  # type: ignore[assignment]  # a part
        self.bound = asyncio.Event()
        client.channel_bind = self._bind  # type: ignore[method-assign,assignment]  # no server answers
        if is_bound:
            client.peer_to_channel[VIEWER] = 0x4000
            client.channel_to_peer[0x4000] = VIEWER
            client.channel_refresh_at[0x4000] = float("inf")
        self.relay = turn.TurnTransport(client)
        bound_relay(self.relay)
        host = types.SimpleNamespace(transport=asyncio.DatagramTransport())
        relayed = types.SimpleNamespace(transport=self.relay)
        connection = types.SimpleNamespace(_protocols=[host, relayed])
        self.ice = types.SimpleNamespace(_connection=connection)

    def cut(self) -> None:
        cut_relays(self.ice)  # type: ignore[arg-type]  # a part

    async def turn_loop(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _bind(self, _number: int, _address: tuple[str, int]) -> None:
        self.server.sent.append(b"\0STUN")
        await self.bound.wait()


@pytest.mark.parametrize("cuts", [1, 3])
async def test_packets_that_were_handed_to_a_relay_are_not_sent_after_a_cut_but_later_ones_are(cuts: int) -> None:
    relayed = Relayed()
    relayed.relay.sendto(b"before", VIEWER)
    for _ in range(cuts):
        relayed.cut()
    relayed.relay.sendto(b"after", VIEWER)
    await relayed.turn_loop()
    assert relayed.server.packets() == [b"after"]


async def test_packets_that_wait_for_a_channel_are_cut_and_the_channel_is_opened_nevertheless() -> None:
    relayed = Relayed(is_bound=False)
    relayed.relay.sendto(b"binds", VIEWER)
    relayed.relay.sendto(b"waits", VIEWER)
    await relayed.turn_loop()
    relayed.cut()
    relayed.relay.sendto(b"after", VIEWER)
    await relayed.turn_loop()
    relayed.bound.set()
    await relayed.turn_loop()
    assert relayed.server.packets() == [b"after"]
    assert relayed.server.sent[0] == b"\0STUN"


async def test_no_more_than_a_bounded_number_of_packets_waits_for_a_channel() -> None:
    relayed = Relayed(is_bound=False)
    for _ in range(3 * MAX_WAITING):
        relayed.relay.sendto(b"packet", VIEWER)
    relayed.bound.set()
    await relayed.turn_loop()
    assert len(relayed.server.packets()) == MAX_WAITING


async def test_packets_are_dropped_while_a_connection_to_a_relay_is_too_slow() -> None:
    relayed = Relayed()
    relayed.server.buffered = MAX_BUFFERED_BYTES + 1
    relayed.relay.sendto(b"lost", VIEWER)
    await relayed.turn_loop()
    relayed.server.buffered = 0
    relayed.relay.sendto(b"sent", VIEWER)
    await relayed.turn_loop()
    assert relayed.server.packets() == [b"sent"]


@pytest.mark.realtime
@pytest.mark.parametrize("reads", [True, False])
async def test_a_connection_by_tcp_is_ended_by_a_cut_only_if_it_still_holds_packets(*, reads: bool) -> None:
    loop = asyncio.get_running_loop()
    client = turn.TurnClientTcpProtocol(
        ("127.0.0.1", 0), username=None, password=None, lifetime=600, channel_refresh_time=500
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await loop.create_connection(lambda: client, *listening.getsockname())
        server, _ = listening.accept()
    server.setblocking(False)
    client.peer_to_channel[VIEWER] = 0x4000
    client.channel_refresh_at[0x4000] = float("inf")
    relay = turn.TurnTransport(client)
    bound_relay(relay)
    received = sent = 0
    with server:
        while sent < 50_000 and client.transport.get_write_buffer_size() <= MAX_BUFFERED_BYTES:
            relay.sendto(bytes(1000), VIEWER)
            sent += 1
            await asyncio.sleep(0)
            if reads:
                while received < sent * 1004:
                    received += len(await loop.sock_recv(server, 65_536))
                if sent == 30:
                    break
        relayed = types.SimpleNamespace(transport=relay)
        ice = types.SimpleNamespace(_connection=types.SimpleNamespace(_protocols=[relayed]))
        cut_relays(ice)  # type: ignore[arg-type]  # a part
        assert client.transport.is_closing() is not reads
        client.transport.abort()
        await asyncio.sleep(0.01)
