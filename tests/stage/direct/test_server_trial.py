"""Relays are opened with a real TURN server in `test_relays.py`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aioice import stun
from tests.stage.direct.test_viewer_servers import StunServer, silent

from belvedere.secret import Secret
from belvedere.stage.direct.server_trial import ServerTrial, try_servers
from belvedere.stage.options import IceServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.realtime

SHORT_S = 0.3


class RefusingServer(StunServer):
    """Sends rubbish first, then refuses."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(b"rubbish", addr)
        request = stun.parse_message(data)
        response = stun.Message(request.message_method, stun.Class.ERROR, request.transaction_id)
        response.attributes["ERROR-CODE"] = (403, "Forbidden")
        self.transport.sendto(bytes(response), addr)


@asynccontextmanager
async def running(kind: type[StunServer]) -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(kind, ("127.0.0.1", 0))
    yield transport.get_extra_info("sockname")[1]
    transport.close()


def server(url: str) -> IceServer:
    return IceServer(url=url, username="a", credential=Secret("b"))


async def test_a_stun_server_tells_our_address() -> None:
    async with running(StunServer) as port:
        url = f"stun:127.0.0.1:{port}"
        assert await try_servers([server(url)]) == [
            ServerTrial(url=url, is_relay=False, is_udp=True, address="203.0.113.7")
        ]


@pytest.mark.parametrize("scheme", ["stun", "turn"])
async def test_a_server_that_refuses_says_why(scheme: str) -> None:
    async with running(RefusingServer) as port:
        (trial,) = await try_servers([server(f"{scheme}:127.0.0.1:{port}")])
    assert "refused" in trial.problem
    assert "403 Forbidden" in trial.problem
    assert not trial.was_silent


@pytest.mark.parametrize(
    ("scheme", "kind"), [("turn", socket.SOCK_DGRAM), ("stun", socket.SOCK_DGRAM), ("turns", socket.SOCK_STREAM)]
)
async def test_a_server_that_does_not_answer_is_silent(scheme: str, kind: int) -> None:
    with silent(kind) as port:
        (trial,) = await try_servers([server(f"{scheme}:127.0.0.1:{port}")], SHORT_S)
    assert trial.was_silent
    assert trial.address == ""


async def test_one_that_cannot_be_asked_hides_no_other() -> None:
    with silent(socket.SOCK_STREAM) as closed:
        pass
    async with running(StunServer) as port:
        urls = (f"turn:127.0.0.1:{closed}?transport=tcp", "stun:no-such-host.invalid", f"stun:127.0.0.1:{port}")
        trials = await try_servers([server(url) for url in urls])
    assert [trial.address for trial in trials] == ["", "", "203.0.113.7"]
    assert all(trial.problem and not trial.was_silent for trial in trials[:2])
