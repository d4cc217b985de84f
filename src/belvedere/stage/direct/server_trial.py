"""Tries each STUN and TURN server as the picture would use it, for the owner who asks whether they work."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aioice import stun, turn

from belvedere.stage.direct.viewer_servers import ServerAddress, failure_reason
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.stage.options import IceServer

TRIAL_TIMEOUT_S = 5.0  # more than a viewer waits: the owner asks whether it works at all
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTrial:
    """What became of asking one server.

    Attributes:
        url: the server's.
        is_relay: whether it was asked for a relay, rather than for our own address only.
        is_udp: whether it was asked by UDP.
        address: our address as the server sees it, or the relay's; "" where it gave none.
        problem: why it gave none, or "".
        was_silent: whether it did not answer at all.
    """

    url: str
    is_relay: bool
    is_udp: bool
    address: str = ""
    problem: str = ""
    was_silent: bool = False


async def try_servers(servers: Iterable[IceServer], timeout_s: float = TRIAL_TIMEOUT_S) -> list[ServerTrial]:
    """Ask all servers at the same time, each for `timeout_s` at most; relays are closed again. Raises nothing."""
    return list(await asyncio.gather(*(_try(server, timeout_s) for server in servers)))


async def _try(server: IceServer, timeout_s: float) -> ServerTrial:
    address = ServerAddress.of(server.url)
    is_relay, is_udp = address.scheme != "stun", address.transport == "udp"
    found, problem, was_silent = "", "", False
    try:
        async with timeout(timeout_s):
            found = await (_relay_address(server, address) if is_relay else _own_address(address))
    except (TimeoutError, stun.TransactionTimeout):
        problem, was_silent = NO_ANSWER, True
    except Exception as error:  # noqa: BLE001 - name resolution, sockets, TLS and aioice's parser each have their own
        problem = failure_reason(error)
    return ServerTrial(
        url=server.url, is_relay=is_relay, is_udp=is_udp, address=found, problem=problem, was_silent=was_silent
    )


async def _relay_address(server: IceServer, address: ServerAddress) -> str:
    """Open a relay, and close it again; returns its address."""
    context = await asyncio.to_thread(ssl.create_default_context) if address.scheme == "turns" else None
    relay, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=(address.host, address.port),
        username=server.username,
        password=server.credential.reveal() if server.credential is not None else None,
        ssl=context,
        transport=address.transport,
    )
    try:
        host, _port = relay.get_extra_info("sockname")
        return str(host)
    finally:
        relay.close()


async def _own_address(address: ServerAddress) -> str:
    """Ask a STUN server under which address it sees us."""
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(_StunClient, remote_addr=(address.host, address.port))
    try:
        response = await client.ask()
        host, _port = response.attributes["XOR-MAPPED-ADDRESS"]
        return str(host)
    finally:
        transport.close()


class _StunClient(asyncio.DatagramProtocol):
    """One question to one STUN server."""

    def __init__(self) -> None:
        self._request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self._transaction = stun.Transaction(self._request, ("", 0), self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    async def ask(self) -> stun.Message:
        """The answer. Raises stun.TransactionError."""
        response, _ = await self._transaction.run()
        return response

    def send_stun(self, message: stun.Message, _addr: tuple[str, int]) -> None:
        """Send what the transaction asks for; it sends again until there is an answer."""
        self._transport.sendto(bytes(message))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return  # no answer of a STUN server
        if message.transaction_id == self._request.transaction_id:
            self._transaction.response_received(message, addr)
