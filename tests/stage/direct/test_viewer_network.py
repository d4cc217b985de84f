from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.stage.direct.watching import SMALL, Browser

from belvedere.secret import Secret
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from belvedere.stage.turn_options import CoturnOptions


async def test_by_default_nothing_is_announced_and_no_server_is_asked() -> None:
    network = ViewerNetwork.of(StageOptions(), lambda: 0.0)
    assert await network.announced_now() == []
    assert network.servers.newest("a") == ()


async def test_the_network_is_as_the_settings_describe_it() -> None:
    options = StageOptions(
        max_viewers=1,
        udp_ports="21340-21340",
        announced_addresses=("203.0.113.7",),
        turn=CoturnOptions(urls=("turn:turn.example.org",), secret=Secret("x")),
    )
    network = ViewerNetwork.of(options, lambda: 0.0)
    assert await network.announced_now() == ["203.0.113.7"]
    assert [server.url for server in network.servers.newest("a")] == ["turn:turn.example.org"]
    (opened,) = network.ports.open(["127.0.0.1"])
    assert opened.getsockname()[1] == 21_340
    opened.close()


class PortForward(asyncio.DatagramProtocol):
    """A router that passes what comes to a port of its own on to the same port of a computer, and answers back."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._viewer: tuple[str, int] | None = None
        self.passed = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr == self._to:
            if self._viewer is not None:
                self.transport.sendto(data, self._viewer)
        else:
            self._viewer = addr
            self.passed += 1
            self.transport.sendto(data, self._to)


def without(sdp: str, text: str) -> str:
    """The description without the lines that contain this."""
    return "".join(line for line in sdp.splitlines(keepends=True) if text not in line)


@pytest.mark.realtime
async def test_a_viewer_who_knows_only_the_announced_address_sees_the_picture_through_a_port_forward() -> None:
    options = msgspec.structs.replace(SMALL, max_viewers=1, udp_ports="21350-21350", announced_addresses=("127.0.0.2",))
    stage, browser = Stage(PatternSource, options, on_viewers=lambda _count: None), Browser()
    offer = without(await browser.offer(), "a=candidate:")  # nor does the server know where the viewer is
    answer = await WebRtc(stage, options).answer(offer, "ann")
    lines = answer.sdp.splitlines()
    (host, *_) = (line.split()[4] for line in lines if "typ host" in line)
    forward = PortForward((host, 21_350))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: forward, ("127.0.0.2", 21_350))
    await browser.accept(without(answer.sdp, "typ host"))
    assert await browser.picture() == (SMALL.width, SMALL.height)
    assert forward.passed
    await browser.connection.close()
    await stage.close()
    forward.transport.close()
    await asyncio.sleep(0.05)
