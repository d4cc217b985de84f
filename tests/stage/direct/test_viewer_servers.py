"""Relays are opened with a real TURN server in `test_turn_interop.py`."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from aioice import ice, stun
from aioice.candidate import Candidate

from belvedere.secret import Secret
from belvedere.stage.direct.ice_servers import IceServers
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.viewer_servers import TIMEOUT_S, ServerAddress, server_candidates
from belvedere.stage.options import IceServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("stun:a.example.org", ServerAddress("stun", "a.example.org", 3478, "udp")),
        ("turn:a.example.org:99", ServerAddress("turn", "a.example.org", 99, "udp")),
        ("turn:a?transport=tcp", ServerAddress("turn", "a", 3478, "tcp")),
        ("turns:a", ServerAddress("turns", "a", 5349, "tcp")),
        ("turns:192.0.2.1:443?transport=tcp", ServerAddress("turns", "192.0.2.1", 443, "tcp")),
    ],
)
def test_a_url_names_host_port_and_transport(url: str, address: ServerAddress) -> None:
    assert ServerAddress.of(url) == address


class Socket(ice.StunProtocol):
    """A viewer's socket on loopback."""

    def __init__(self) -> None:
        super().__init__(ice.Connection(ice_controlling=False))

    @classmethod
    async def open(cls) -> Socket:
        _, opened = await asyncio.get_running_loop().create_datagram_endpoint(cls, ("127.0.0.1", 0))
        host, port = opened.transport.get_extra_info("sockname")
        opened.local_candidate = Candidate("1", 1, "udp", 1, host, port, "host")
        return opened


class StunServer(asyncio.DatagramProtocol):
    """Tells everyone that they come from 203.0.113.7."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        response = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.7", 4000)
        self.transport.sendto(bytes(response), addr)


def network(*urls: str) -> ViewerNetwork:
    servers = tuple(IceServer(url=url, username="a", credential=Secret("b")) for url in urls)
    return ViewerNetwork(time.monotonic, servers=IceServers(servers))


async def candidates(of: ViewerNetwork) -> tuple[list[Candidate], float]:
    """What the servers give, and after how many seconds."""
    opened = await Socket.open()
    began_at = time.monotonic()
    try:
        found = await server_candidates(of, [opened], 1, Socket)
        return [candidate for candidate, _relay in found], time.monotonic() - began_at
    finally:
        opened.transport.close()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("scheme", ["stun", "turn"])
async def test_a_stun_server_or_a_turn_server_by_udp_tells_our_address(scheme: str) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(StunServer, ("127.0.0.1", 0))
    url = f"{scheme}:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    found, _ = await candidates(network(url))
    transport.close()
    assert [(each.type, each.host, each.port, each.related_address) for each in found] == [
        ("srflx", "203.0.113.7", 4000, "127.0.0.1")
    ]


@contextmanager
def silent(kind: int) -> Iterator[int]:
    """A port that takes what comes, and never answers."""
    with socket.socket(socket.AF_INET, kind) as opened:
        opened.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            opened.listen()
        yield opened.getsockname()[1]


@pytest.mark.parametrize(
    ("scheme", "kind"), [("turn", socket.SOCK_DGRAM), ("stun", socket.SOCK_DGRAM), ("turns", socket.SOCK_STREAM)]
)
async def test_a_server_that_does_not_answer_delays_one_viewer_only_and_is_logged_once(
    caplog: pytest.LogCaptureFixture, scheme: str, kind: int
) -> None:
    with silent(kind) as port:
        shared = network(f"{scheme}:127.0.0.1:{port}")
        found, first_s = await candidates(shared)
        again, second_s = await candidates(shared)
    assert found == again == []
    assert TIMEOUT_S <= first_s < TIMEOUT_S + 1
    assert second_s < TIMEOUT_S / 2
    assert caplog.text.count("gives no address for the picture: no answer within 1.5 s") == 1


async def test_after_a_failure_the_next_way_to_the_relay_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    with silent(socket.SOCK_STREAM) as other:
        pass
    urls = [f"turn:127.0.0.1:{other}?transport=tcp", f"turns:127.0.0.1:{other}"]
    shared = network(*urls)
    for url in urls:
        await candidates(shared)
        assert url in caplog.records[-1].getMessage()
    await candidates(shared)
    assert len(caplog.records) == len(urls)


async def test_a_viewer_who_leaves_meanwhile_leaves_no_request_behind() -> None:
    with silent(socket.SOCK_DGRAM) as port:
        asking = asyncio.create_task(candidates(network(f"turn:127.0.0.1:{port}")))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.wait({asking})
        await asyncio.sleep(0.05)
