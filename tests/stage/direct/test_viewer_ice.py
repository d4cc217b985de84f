from __future__ import annotations

import asyncio
import socket
import struct
import time
import types
from typing import Self

import pytest
from aioice import ice, stun
from aioice.candidate import Candidate
from aiortc import RTCIceGatherer, RTCIceTransport
from hypothesis import given
from hypothesis import strategies as st
from tests.stage.direct.watching import until

from belvedere.errors import StageError
from belvedere.stage.direct.announced_addresses import AnnouncedAddresses
from belvedere.stage.direct.udp_ports import UdpPorts
from belvedere.stage.direct.viewer_ice import (
    MAX_DTLS_BYTES,
    MAX_QUEUED,
    MAX_REMOTE_CANDIDATES,
    MAX_ROLE_CONFLICTS,
    READ_BURST,
    READS_PER_S,
    RelayProtocol,
    ViewerLimits,
    bound_ice,
)
from belvedere.stage.direct.viewer_network import ViewerNetwork

VIEWER, STRANGER = ("192.0.2.7", 4000), ("198.51.100.9", 4000)
DTLS, RTP, RTCP = b"\x16" * 100, b"\x80\x60" + bytes(40), b"\x80\xc9\x00\x01" + bytes(4)
pytestmark = pytest.mark.realtime


def candidate(host: str, port: int) -> Candidate:
    return Candidate("1", 1, "udp", 1, host, port, "host")


def limits() -> ViewerLimits:
    return ViewerLimits(types.SimpleNamespace(_remote_candidates=[candidate(*VIEWER)]))  # type: ignore[arg-type]  # a part


@pytest.mark.parametrize("data", [DTLS, RTCP])
def test_only_packets_from_addresses_that_sent_checks_are_accepted(data: bytes) -> None:
    assert limits().accepts(data, VIEWER)
    assert not limits().accepts(data, STRANGER)


@pytest.mark.parametrize(
    "data", [b"", RTP, b"\x16" * 1501, b"\x80\xc9" + bytes(700), b"\x40" * 20, b"\xff\xc9\x00\x00"]
)
def test_packets_that_a_viewer_never_needs_to_send_are_ignored(data: bytes) -> None:
    assert not limits().accepts(data, VIEWER)


def test_a_handshake_and_its_repetitions_are_accepted_and_no_more_dtls() -> None:
    some = limits()
    assert sum(len(DTLS) for _ in range(1000) if some.accepts(DTLS, VIEWER)) == MAX_DTLS_BYTES // len(DTLS) * len(DTLS)
    assert some.accepts(RTCP, VIEWER)


class Party:
    """A connection of ours on loopback, and the socket of another party."""

    def __init__(self, network: ViewerNetwork | None = None) -> None:
        transport = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        bound_ice(transport, network or ViewerNetwork(time.monotonic))
        self.connection = transport._connection
        self.connection.remote_username, self.connection.remote_password = "user", "p" * 22
        self.connection._early_checks_done = True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    async def __aenter__(self) -> Self:
        addresses = ["198.51.100.9", "127.0.0.1"]  # the first is not this machine's
        found = await self.connection.get_component_candidates(component=1, addresses=addresses)
        assert [candidate.host for candidate in found] == ["127.0.0.1"]
        self.target = (found[0].host, found[0].port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()
        self.socket.close()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()
        return host, port

    def receive(self, data: bytes, address: tuple[str, int] | None = None) -> None:
        """Pass a datagram to our protocol."""
        self.connection._protocols[0].datagram_received(data, address or self.address)

    def check(self, *, has_priority: bool = True) -> bytes:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes = {"USERNAME": f"{self.connection.local_username}:user"}
        request.attributes |= {"PRIORITY": 1} if has_priority else {}
        request.add_message_integrity(self.connection.local_password.encode())
        return bytes(request)

    async def heard(self) -> stun.Message:
        async with asyncio.timeout(5):
            return stun.parse_message(await asyncio.get_running_loop().sock_recv(self.socket, 2000))


async def test_a_check_is_answered_and_leads_to_one_of_ours() -> None:
    async with Party() as party:
        party.socket.sendto(party.check(), party.target)
        answer, ours = await party.heard(), await party.heard()
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == party.address
        assert ours.message_class is stun.Class.REQUEST


async def test_packets_of_strangers_are_not_queued_and_few_of_a_viewer() -> None:
    async with Party() as party:
        party.receive(DTLS)
        assert party.connection._queue.empty()
        party.receive(party.check())
        for _ in range(10 * MAX_QUEUED):
            party.receive(RTCP)
        party.receive(b"\x00\x07" + bytes(30))
        assert party.connection._queue.qsize() == MAX_QUEUED


async def test_checks_from_new_addresses_are_answered_for_a_bounded_number() -> None:
    async with Party() as party:
        for port in range(20_000, 20_500):
            party.receive(party.check(), ("127.0.0.1", port))
        assert len(party.connection._remote_candidates) == MAX_REMOTE_CANDIDATES
        assert len(party.connection._check_list) == MAX_REMOTE_CANDIDATES


async def test_endless_role_conflicts_end_the_connection() -> None:
    async with Party() as party:
        party.receive(party.check())
        assert (await party.heard()).message_class is stun.Class.RESPONSE
        for _ in range(MAX_ROLE_CONFLICTS + 1):
            ours = await party.heard()
            dispute = stun.Message(stun.Method.BINDING, stun.Class.ERROR, ours.transaction_id)
            dispute.attributes = {"ERROR-CODE": (487, "Role Conflict")}
            dispute.add_message_integrity(b"p" * 22)
            party.socket.sendto(bytes(dispute), party.target)
        pair = party.connection._check_list[0]
        await until(lambda: pair.state is ice.CandidatePair.State.FAILED)


SHORT_PRIORITY = struct.pack("!HHI12sHH", 1, 8, 0x2112A442, bytes(12), 0x24, 2) + bytes(4)


async def test_a_datagram_that_cannot_be_read_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    async with Party() as party:
        for data in (b"", SHORT_PRIORITY, party.check(has_priority=False)):
            party.receive(data)
        assert not party.connection._check_list
    assert not caplog.records


@given(data=st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: bytes([0, 1, 0, len(tail)]) + tail))
def test_whatever_arrives_nothing_is_raised(data: bytes) -> None:
    async def play() -> None:
        async with Party() as party:
            party.receive(data)

    asyncio.run(play())


async def test_a_flood_is_read_at_the_viewers_rate_and_the_loop_stays_free() -> None:
    async with Party() as party:
        read = 0
        accepts = party.connection._protocols[0]._limits.accepts  # type: ignore[attr-defined]  # ours

        def count(data: bytes, address: tuple[str, int]) -> bool:
            nonlocal read
            read += 1
            return bool(accepts(data, address))

        party.connection._protocols[0]._limits.accepts = count  # type: ignore[attr-defined]  # ours
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        turns = sent = 0
        while loop.time() < started_s + 1.0:
            for _ in range(20):
                party.socket.sendto(RTP, party.target)
                sent += 1
            turns += 1
            await asyncio.sleep(0)
        elapsed_s = loop.time() - started_s
        assert sent > 2 * READ_BURST
        assert READ_BURST < read <= READ_BURST + READS_PER_S * elapsed_s + 1
        await asyncio.sleep(0.5)
        assert read <= READ_BURST + READS_PER_S * (elapsed_s + 0.6) + 1
        assert turns > 100


async def test_closing_closes_paused_sockets_too() -> None:
    party = Party()
    async with party:
        for _ in range(400):
            party.socket.sendto(RTP, party.target)
            await asyncio.sleep(0)
        transport = party.connection._protocols[0].transport
    assert transport.is_closing()
    transport.sendto(b"late", ("127.0.0.1", 9))
    transport.abort()
    again = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    again.bind(party.target)
    again.close()


async def candidates(network: ViewerNetwork, addresses: list[str]) -> list[Candidate]:
    """What a viewer is told."""
    party = Party(network)
    try:
        return await party.connection.get_component_candidates(component=1, addresses=addresses)
    finally:
        await party.connection.close()
        party.socket.close()


async def test_announced_addresses_are_candidates_with_the_ports_behind_them() -> None:
    announced = AnnouncedAddresses(["203.0.113.7", "2001:db8::7"], time.monotonic)
    found = await candidates(ViewerNetwork(time.monotonic, announced=announced), ["127.0.0.1", "::1"])
    own = {candidate.host: candidate.port for candidate in found if candidate.type == "host"}
    others = [(candidate.host, candidate.port, candidate.related_address) for candidate in found[2:]]
    assert others == [("203.0.113.7", own["127.0.0.1"], "127.0.0.1"), ("2001:db8::7", own["::1"], "::1")]
    assert {candidate.type for candidate in found[2:]} == {"srflx"}


async def test_two_own_addresses_with_one_port_are_announced_once() -> None:
    announced = AnnouncedAddresses(["203.0.113.7"], time.monotonic)
    network = ViewerNetwork(time.monotonic, UdpPorts(range(21_310, 21_320)), announced)
    found = await candidates(network, ["127.0.0.1", "127.0.0.2"])
    assert [candidate.host for candidate in found] == ["127.0.0.1", "127.0.0.2", "203.0.113.7"]
    assert {candidate.port for candidate in found} == {found[0].port}


async def test_a_viewer_for_whom_no_port_is_left_is_refused() -> None:
    network = ViewerNetwork(time.monotonic, UdpPorts(range(21_330, 21_331)))
    first = Party(network)
    await first.connection.get_component_candidates(component=1, addresses=["127.0.0.1"])
    with pytest.raises(StageError):
        await candidates(network, ["127.0.0.1"])
    await first.connection.close()
    first.socket.close()
    assert [candidate.port for candidate in await candidates(network, ["127.0.0.1"])] == [21_330]


async def test_what_comes_by_a_relay_is_read_at_the_viewers_rate_too() -> None:
    connection = types.SimpleNamespace(
        _remote_candidates=[candidate(*VIEWER)], data_received=lambda data, _component: read.append(data)
    )
    read: list[bytes] = []
    protocol = RelayProtocol(connection, ViewerLimits(connection))  # type: ignore[arg-type]  # a part
    protocol.local_candidate = candidate("192.0.2.1", 1)
    for _ in range(2000):
        protocol.datagram_received(RTCP, VIEWER)
    assert READ_BURST <= len(read) < READ_BURST + 200
