"""Who may keep a connection, and who may ask: places for strangers apart from places for sessions. Pure.

Nobody is known when a connection is accepted: it takes a stranger's place, and moves to its session's when a request
shows one. So however many strangers hold on, they displace each other, never somebody who is inside; and because the
one that has gone longest without a whole request gives way, a newcomer who asks at once gets an answer.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from belvedere.token_bucket import TokenBucket, TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Headers = list[tuple[bytes, bytes]]

ANONYMOUS: Final = 512  # connections: a newcomer has its turn even while a thousand others come every second
MIN_ANONYMOUS: Final = 8
ANONYMOUS_PER_ADDRESS: Final = 16  # a browser opens six
AUTHENTICATED: Final = 160
AUTHENTICATED_PER_SESSION: Final = 32  # eight sockets, and six connections for each of some tabs
FILES: Final = 4096  # what a process should be allowed to open; with fewer there are fewer places for strangers
FILES_SHARE: Final = 1 / 3  # of them for connections, because pictures need some, too

ANONYMOUS_PER_S: Final = 100.0  # requests of all strangers; a third of a millisecond each
ANONYMOUS_BURST: Final = 200.0
ADDRESS_PER_S: Final = 10.0  # requests of one stranger: an entry page and what a browser asks of itself
ADDRESS_BURST: Final = 40.0
SESSION_PER_S: Final = 60.0  # three scripts that drive at 20 Hz
SESSION_BURST: Final = 120.0

STOP_PATH: Final = "/api/v1/head/stop"  # counted by itself, so that no flood of other requests uses it up
PROBE_PATHS: Final = frozenset({"/healthz", "/readyz"})  # a flood of strangers must not have a supervisor restart us
PROBES_PER_S: Final = 100.0  # of all who come from elsewhere; a supervisor asks every few seconds
PROBES_BURST: Final = 200.0
IPV6_NETWORK_BITS: Final = 64  # one household's; whoever has one has 2**64 addresses


class Connection(Protocol):
    """What holds a place."""

    def evict(self) -> None:
        """Give it up at once."""
        ...


class ConnectionSlots:
    """A number of places in all and a smaller number for each name; whoever comes gets one, and another gives way."""

    def __init__(self, in_all: int, for_each: int) -> None:
        self._in_all, self._for_each = in_all, for_each
        self._held: dict[Connection, tuple[str, bool]] = {}  # the one that asked least recently first
        self._counts: Counter[str] = Counter()  # by name

    def __len__(self) -> int:
        return len(self._held)

    def take(self, connection: Connection, name: str, *, is_lasting: bool = False) -> Connection | None:
        """Take a place, or keep it and be the youngest again; returns the connection that must give way, if any.

        It gives way for its own name's sake, or else as one of the name that holds most; a lasting one, such as a
        WebSocket, only where that name has no other.
        """
        self.leave(connection)
        self._held[connection] = (name, is_lasting)
        self._counts[name] += 1
        if self._counts[name] > self._for_each:
            return self._take_from(name, connection)
        if len(self._held) > self._in_all:
            return self._take_from(max(self._counts, key=self._counts.__getitem__), connection)
        return None

    def leave(self, connection: Connection) -> None:
        """Give the place back; leaving twice is nothing."""
        if connection not in self._held:
            return
        name, _ = self._held.pop(connection)
        self._counts[name] -= 1
        if self._counts[name] <= 0:
            del self._counts[name]

    def _take_from(self, name: str, newcomer: Connection) -> Connection:
        """Free the place of this name's least recent; the newcomer's only where there is no other."""
        others = ((each, lasts) for each, (of, lasts) in self._held.items() if of == name and each is not newcomer)
        lasting = newcomer
        for displaced, lasts in others:
            if not lasts:
                break
            lasting = displaced if lasting is newcomer else lasting
        else:
            displaced = lasting
        self.leave(displaced)
        return displaced


class TrustedProxies:
    """The addresses whose word about others is believed, as addresses or networks (`10.42.0.0/16`)."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(each, strict=False) for each in networks]

    def __contains__(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def scheme_of(self, peer: str, headers: Headers) -> str:
        """How the visitor's browser came: `https` where a trusted proxy says so, otherwise `http`."""
        said = dict(headers).get(b"x-forwarded-proto", b"").strip().lower()
        return "https" if said in {b"https", b"wss"} and peer in self else "http"

    def client_of(self, peer: str, headers: Headers) -> str:
        """Whose request this is: the peer's, or whom a trusted proxy names last in X-Forwarded-For.

        What stands before that the client may have claimed itself; what is not an address is not believed.
        """
        if peer not in self:
            return peer
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        last = next((each for each in map(str.strip, reversed(said.split(","))) if each not in self), "")
        return peer if _parsed(last) is None else last


class ConnectionLimits:
    """The places of a server's connections and the pace of their requests.

    `session_of` tells from a request's headers which session it proves, by a name; None for a stranger. `most_files` is
    how many files the process may open.
    """

    def __init__(
        self,
        session_of: Callable[[Headers], str | None] = lambda _headers: None,
        proxies: TrustedProxies | None = None,
        max_files: int = FILES,
    ) -> None:
        self._session_of = session_of
        self.proxies = proxies or TrustedProxies()
        slots = int(max_files * FILES_SHARE)
        authenticated = min(AUTHENTICATED, slots // 2)
        anonymous = max(MIN_ANONYMOUS, min(ANONYMOUS, (slots - authenticated) // 2))  # proxies' have as many again
        self._anonymous = ConnectionSlots(anonymous, min(ANONYMOUS_PER_ADDRESS, anonymous // 2))
        self._from_proxies = ConnectionSlots(anonymous, anonymous)
        self._authenticated = ConnectionSlots(authenticated, min(AUTHENTICATED_PER_SESSION, authenticated))
        self._anonymous_requests = TokenBucket(ANONYMOUS_PER_S, ANONYMOUS_BURST)
        self._probes = TokenBucket(PROBES_PER_S, PROBES_BURST)
        self._requests_of_address = TokenBuckets(ADDRESS_PER_S, ADDRESS_BURST)
        self._requests_of_session = TokenBuckets(SESSION_PER_S, SESSION_BURST)

    def receive_connected(self, connection: Connection, peer: str) -> None:
        """Somebody connected, from this address; who gives way for it is evicted."""
        self._take_anonymous(connection, peer)

    def receive_request(self, connection: Connection, peer: str, path: str, headers: Headers, now: float) -> bool:
        """A connection sent a whole request head; False where that is one too many.

        The request decides in whose place the connection is from now on.
        """
        session = self._session_of(headers)
        if session is None:
            self._authenticated.leave(connection)
            self._take_anonymous(connection, peer)
            client = self.proxies.client_of(peer, headers)
            return self._may_ask(now, client, path, is_local=client == peer and peer in self.proxies)
        self._release_anonymous(connection)
        self._evict(self._authenticated.take(connection, session))
        kind = "stop" if path == STOP_PATH else "other"
        return self._requests_of_session.take(now, f"{session} {kind}")

    def receive_upgraded(self, connection: Connection, became: Connection, peer: str, headers: Headers) -> None:
        """A connection became a WebSocket: it keeps its place, and inside it is the last to give way."""
        self.receive_lost(connection)
        session = self._session_of(headers)
        if session is None:
            self._take_anonymous(became, peer)
        else:
            self._evict(self._authenticated.take(became, session, is_lasting=True))

    def receive_lost(self, connection: Connection) -> None:
        """A connection is over; saying so twice is nothing."""
        self._release_anonymous(connection)
        self._authenticated.leave(connection)

    def _may_ask(self, now: float, client: str, path: str, *, is_local: bool) -> bool:
        """Whether a stranger may; `is_local` is who comes from a proxy's address and speaks for nobody."""
        is_probe = path in PROBE_PATHS
        name = f"{_client_network(client)} {'probe' if is_probe else 'other'}"
        if not self._requests_of_address.take(now, name):
            return False
        if is_probe:
            return is_local or self._probes.take(now)
        return self._anonymous_requests.take(now)

    def _take_anonymous(self, connection: Connection, peer: str) -> None:
        slots = self._from_proxies if peer in self.proxies else self._anonymous
        self._evict(slots.take(connection, _client_network(peer)))

    def _release_anonymous(self, connection: Connection) -> None:
        self._anonymous.leave(connection)
        self._from_proxies.leave(connection)

    @staticmethod
    def _evict(connection: Connection | None) -> None:
        if connection is not None:
            connection.evict()


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _client_network(address: str) -> str:
    """An address, or of IPv6 the network that one household has."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
    return str(parsed or "")
