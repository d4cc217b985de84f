"""Asks STUN and TURN servers for further candidates of a viewer's connection.

aiortc would ask the first server of each kind only, load the system's certificates on the event loop for each viewer,
and say nothing of a server that refuses or does not answer.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aioice import ice, stun, turn
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from belvedere.stage.direct.viewer_turn import bound_relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from belvedere.stage.direct.viewer_network import ViewerNetwork
    from belvedere.stage.options import IceServer

TIMEOUT_S = 1.5  # the answer waits for servers; TLS to one that is 100 ms away takes a third of it
URL = re.compile(r"(?P<scheme>stun|turns?):(?P<host>[^:?]+)(:(?P<port>[0-9]+))?(\?transport=(?P<transport>udp|tcp))?")
DEFAULT_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}

Found = tuple[Candidate, ice.StunProtocol | None]


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server's URL, in its parts."""

    scheme: str
    host: str
    port: int
    transport: str

    @classmethod
    def of(cls, url: str) -> ServerAddress:
        """Take a URL apart; the settings allow no other than these."""
        found = URL.fullmatch(url)
        assert found is not None  # noqa: S101 - checked when the settings are read
        scheme = found["scheme"]
        port = int(found["port"] or DEFAULT_PORTS[scheme])
        return cls(scheme, found["host"], port, found["transport"] or ("tcp" if scheme == "turns" else "udp"))


async def server_candidates(
    network: ViewerNetwork,
    sockets: Sequence[ice.StunProtocol],
    component: int,
    create_protocol: Callable[[], ice.StunProtocol],
) -> list[Found]:
    """Candidates by way of the servers that answer within `TIMEOUT_S`, relayed ones with their protocol.

    Of those that do not, each is left alone for a while.
    """
    asking = list(_requests(network, sockets, component, create_protocol))
    if not asking:
        return []
    tasks = {asyncio.ensure_future(request): url for url, request in asking}
    try:
        done, pending = await asyncio.wait(tasks, timeout=TIMEOUT_S)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
            if task.done() and not task.cancelled() and task.exception() is None:
                give_back(*task.result())
        raise
    for task in pending:
        task.cancel()
        network.outages.receive_failure(tasks[task], f"no answer within {TIMEOUT_S:g} s", network.clock())
    found: list[Found] = []
    for task in done:
        if (error := task.exception()) is not None:
            network.outages.receive_failure(tasks[task], failure_reason(error), network.clock())
        else:
            network.outages.receive_success(tasks[task])
            found.append(task.result())
    return found


def give_back(_candidate: Candidate, relay: ice.StunProtocol | None) -> None:
    """Close the relay of a candidate that nobody needs; otherwise it would be refreshed for ever."""
    if relay is not None:
        relay.transport.close()


def _requests(
    network: ViewerNetwork,
    sockets: Sequence[ice.StunProtocol],
    component: int,
    create_protocol: Callable[[], ice.StunProtocol],
) -> Iterator[tuple[str, Awaitable[Found]]]:
    """One STUN request by each IPv4 socket, and one relay; a TURN server by UDP is a STUN server too."""
    servers = [
        (server, ServerAddress.of(server.url))
        for server in network.servers.newest(f"own {secrets.token_hex(8)}")
        if network.outages.may_ask(server.url, network.clock())
    ]
    reflecting = _first(servers, lambda address: address.scheme == "stun")
    reflecting = reflecting or _first(servers, lambda address: (address.scheme, address.transport) == ("turn", "udp"))
    if reflecting is not None:
        server, address = reflecting
        for protocol in sockets:
            if ":" not in protocol.local_candidate.host:
                yield server.url, ice.server_reflexive_candidate(protocol, (address.host, address.port))
    relaying = _first(servers, lambda address: address.scheme != "stun")
    if relaying is not None:
        yield relaying[0].url, _relayed_candidate(*relaying, component, create_protocol)


def _first(
    servers: Iterable[tuple[IceServer, ServerAddress]], is_wanted: Callable[[ServerAddress], bool]
) -> tuple[IceServer, ServerAddress] | None:
    return next((found for found in servers if is_wanted(found[1])), None)


async def _relayed_candidate(
    server: IceServer, address: ServerAddress, component: int, create_protocol: Callable[[], ice.StunProtocol]
) -> Found:
    context = await asyncio.to_thread(_tls_context) if address.scheme == "turns" else None
    relay, protocol = await turn.create_turn_endpoint(
        create_protocol,
        server_addr=(address.host, address.port),
        username=server.username,
        password=server.credential.reveal() if server.credential is not None else None,
        ssl=context,
        transport=address.transport,
    )
    bound_relay(relay)
    host, port = relay.get_extra_info("sockname")
    related_host, related_port = relay.get_extra_info("related_address")
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("relay", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "relay"),
        host=host,
        port=port,
        type="relay",
        related_address=related_host,
        related_port=related_port,
    )
    return protocol.local_candidate, protocol


@cache
def _tls_context() -> ssl.SSLContext:
    """With the system's certificates, which take 20 ms to load: once, and in a thread."""
    return ssl.create_default_context()


def failure_reason(error: BaseException) -> str:
    """Why a server gave no candidate, in plain words."""
    if isinstance(error, stun.TransactionFailed):
        code, phrase = error.response.attributes.get("ERROR-CODE", (0, ""))
        return f"it refused our user name or password ({code} {phrase})" if code in {401, 403} else f"{code} {phrase}"
    if isinstance(error, stun.TransactionTimeout):
        return "no answer"
    return str(error) or type(error).__name__
