from __future__ import annotations

import asyncio
import types

import pytest
from aioice import turn

from belvedere.stage.direct.viewer_turn import cut_relays

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


async def test_a_connection_to_a_relay_with_packets_in_its_buffer_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    relayed = Relayed()
    relayed.server.buffered = 1200
    relayed.cut()
    assert relayed.server.is_aborted
    assert "1200 bytes" in caplog.text
