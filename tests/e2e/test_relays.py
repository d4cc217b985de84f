"""Our own connections by way of a relay, Debian's coturn; browsers' are in `test_turn.py`."""

from __future__ import annotations

import asyncio
import base64
import hmac
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aioice import ice, stun, turn
from aiortc import RTCIceGatherer, RTCIceTransport
from tests.stage.direct.capture_time import captured_ms
from tests.stage.direct.watching import SMALL, Browser, until
from tests.support.turn_server import HOST, SECRET, TurnServer

from belvedere.secret import Secret
from belvedere.stage.direct import viewer_servers
from belvedere.stage.direct.ice_servers import CoturnCredentials, IceServers
from belvedere.stage.direct.udp_ports import UdpPorts
from belvedere.stage.direct.viewer_ice import bound_ice
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.options import IceServer
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from belvedere.stage.turn_options import CoturnOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from belvedere.stage.direct.answer import Answer

pytestmark = [pytest.mark.interop, pytest.mark.realtime]


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TurnServer]:
    with TurnServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        viewer_servers._tls_context.cache_clear()
        yield server
    viewer_servers._tls_context.cache_clear()


class NoPorts(UdpPorts):
    """This computer may send nothing by UDP itself."""

    def open(self, addresses: Sequence[str]) -> list[socket.socket]:
        del addresses
        return []


def network(relay: TurnServer, way: str, secret: str = SECRET) -> ViewerNetwork:
    made = CoturnCredentials(CoturnOptions(urls=(relay.url(way),), secret=Secret(secret)))
    return ViewerNetwork(time.monotonic, NoPorts(), servers=IceServers((), made))


@asynccontextmanager
async def watching(of: ViewerNetwork) -> AsyncIterator[tuple[Stage, Browser, Answer]]:
    """A viewer who can be reached by the relay only, and sees the picture."""
    stage = Stage(PatternSource, SMALL, on_viewers=lambda _count: None)
    browser = Browser()
    try:
        answer = await WebRtc(stage, SMALL, network=of).answer(await browser.offer(), "ann")
        await browser.accept(answer.sdp)
        await browser.picture()
        yield stage, browser, answer
    finally:
        await browser.connection.close()
        await stage.close()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_nothing_captured_before_a_cut_comes_out_of_a_relay(relay: TurnServer, way: str) -> None:
    async with watching(network(relay, way)) as (stage, browser, answer):
        assert "typ relay" in answer.sdp
        assert "typ host" not in answer.sdp
        receiver = browser.connection.getTransceivers()[0].receiver
        for _ in range(3):
            before = [packet.sequence_number for _, packet, _ in browser.packets[-8:]]
            cut_ms = time.monotonic() * 1000
            stage.cut()
            await asyncio.sleep(0.05)  # what was sent before arrives now
            received = len(browser.packets)
            if way == "tls":  # what waits in it cannot be seen, so it is ended
                await asyncio.sleep(0.5)
                assert len(browser.packets) == received
                return
            await receiver._send_rtcp_nack(browser.ssrc, before)  # as if they had been lost
            await browser.more_packets(12)
            later = [packet for _, packet, _ in browser.packets[received:] if packet.ssrc == browser.ssrc]
            assert all(captured_ms(answer.capture_clock, packet.timestamp) >= cut_ms for packet in later)
            assert len(later) == len(browser.packets) - received, "packets from before the cut were sent again"


async def test_a_relay_is_given_back_when_its_viewer_leaves(relay: TurnServer) -> None:
    async with watching(network(relay, "udp")):
        assert "ALLOCATE processed, success" in relay.log()
    await until(lambda: "lifetime=0" in relay.log())


@pytest.mark.parametrize("leaves", ["by closing", "by cancelling"])
async def test_a_relay_that_is_open_when_its_viewer_leaves_is_given_back(relay: TurnServer, leaves: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:  # keeps the viewer waiting
        silent.bind((HOST, 0))
        made = CoturnCredentials(CoturnOptions(urls=(relay.url("udp"),), secret=Secret(SECRET)))
        stun_server = IceServer(url=f"stun:{HOST}:{silent.getsockname()[1]}")
        transport = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        bound_ice(transport, ViewerNetwork(time.monotonic, servers=IceServers((stun_server,), made)))
        connection = transport._connection
        gathering = asyncio.create_task(connection.get_component_candidates(component=1, addresses=[HOST]))
        await until(lambda: "ALLOCATE processed, success" in relay.log())
        await asyncio.sleep(0.2)  # until its answer is here
        assert not gathering.done()
        if leaves == "by closing":
            await connection.close()
            await gathering
        else:
            gathering.cancel()
            await asyncio.wait({gathering})
            await connection.close()
        await until(lambda: "lifetime=0" in relay.log())
        await asyncio.sleep(0.05)


async def test_a_relay_that_refuses_our_secret_is_named_in_the_log(
    relay: TurnServer, caplog: pytest.LogCaptureFixture
) -> None:
    of = network(relay, "udp", "another secret")
    found = await viewer_servers.server_candidates(
        of, [], 1, lambda: ice.StunProtocol(ice.Connection(ice_controlling=False))
    )
    await asyncio.sleep(0.01)  # its socket is closed
    assert found == []
    assert "it refused our user name or password (401 Unauthorized)" in caplog.text
    assert relay.url("udp") in caplog.text


def signed(username: str) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), username.encode(), "sha1")).decode()


async def test_credentials_open_no_relay_after_their_time_but_an_open_relay_lives_on(relay: TurnServer) -> None:
    expires_s = int(time.time()) + 1
    name = f"{expires_s}:visit"
    address = (HOST, relay.port)
    opened, _ = await turn.create_turn_endpoint(asyncio.DatagramProtocol, address, name, signed(name))
    await until(lambda: time.time() > expires_s + 2)  # its clock counts whole seconds, late
    with pytest.raises(stun.TransactionFailed, match="401"):
        await turn.create_turn_endpoint(asyncio.DatagramProtocol, address, name, signed(name))
    client = vars(opened)["_TurnTransport__inner_protocol"]
    refresh = stun.Message(stun.Method.REFRESH, stun.Class.REQUEST)
    refresh.attributes["LIFETIME"] = 600
    response, _ = await client.request_with_retry(refresh)
    assert response.attributes["LIFETIME"] == 600
    await client.channel_bind(0x4000, (HOST, 9))
    opened.close()
    await asyncio.sleep(0.1)
