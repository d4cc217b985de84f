"""Limits on connections and request rates, for anonymous clients apart from people with a session. Pure.

A connection is anonymous when it is accepted. It takes an anonymous slot, and moves to a slot of its person once a
request proves a session. So anonymous clients evict each other, however many there are, and never a connection of a
person, and one person's sessions, however many, evict none of another's.
Evicted is the one that has gone longest without a whole request, so a newcomer that sends one at once is served.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from belvedere.gateway.base_path import path_below
from belvedere.token_bucket import TokenBucket, TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Headers = list[tuple[bytes, bytes]]

ANONYMOUS: Final = 512  # connections: a newcomer is served even while a thousand others connect every second
MIN_ANONYMOUS: Final = 8
ANONYMOUS_PER_ADDRESS: Final = 16  # a browser opens six
AUTHENTICATED: Final = 160
AUTHENTICATED_PER_PERSON: Final = 32  # eight sockets, and six connections for each of some tabs
FILES: Final = 4096  # what a process should be allowed to open; with fewer there are fewer anonymous slots
FILES_SHARE: Final = 1 / 3  # of them for connections; viewers and the store need the rest

ANONYMOUS_PER_S: Final = 100.0  # requests of all anonymous clients; a third of a millisecond each
ANONYMOUS_BURST: Final = 200.0
ADDRESS_PER_S: Final = 10.0  # requests of one address: an entry page and what a browser fetches by itself
ADDRESS_BURST: Final = 40.0
PERSON_PER_S: Final = 60.0  # enough for three scripts that drive at 20 Hz
PERSON_BURST: Final = 120.0

STOP_PATH: Final = "/api/v1/head/stop"  # has a bucket of its own, so that no flood of other requests can use it up
PROBE_PATHS: Final = frozenset({"/healthz", "/readyz"})  # a flood must not make a supervisor restart the server
PROBES_PER_S: Final = 100.0  # of all remote clients; a supervisor probes every few seconds
PROBES_BURST: Final = 200.0
FORWARDED_FOR: Final = "x-forwarded-for"
IPV6_NETWORK_BITS: Final = 64  # what a provider gives one customer: 2**64 addresses, which count as one


class Connection(Protocol):
    """What holds a slot."""

    def evict(self) -> None:
        """Close at once, to free the slot."""
        ...


class ConnectionSlots:
    """A total number of slots and a smaller number for each name; a newcomer gets one, at the cost of another."""

    def __init__(self, total: int, per_name: int) -> None:
        self._total, self._per_name = total, per_name
        self._held: dict[Connection, tuple[str, bool]] = {}  # least recently active first
        self._counts: Counter[str] = Counter()  # by name

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._held

    def take(self, connection: Connection, name: str, *, is_lasting: bool = False) -> Connection | None:
        """Take a slot, or mark the one it has as the most recently active. Returns the connection to evict, if any.

        That is one of the same name where the name has too many, or else one of the name that holds most. A lasting
        connection, such as a WebSocket, is evicted only where that name has no other.
        """
        self.leave(connection)
        self._held[connection] = (name, is_lasting)
        self._counts[name] += 1
        if self._counts[name] > self._per_name:
            return self._evict_one_of(name, connection)
        if len(self._held) > self._total:
            return self._evict_one_of(max(self._counts, key=self._counts.__getitem__), connection)
        return None

    def leave(self, connection: Connection) -> None:
        """Free the slot; does nothing where the connection has none."""
        if connection not in self._held:
            return
        name, _ = self._held.pop(connection)
        self._counts[name] -= 1
        if self._counts[name] <= 0:
            del self._counts[name]

    def _evict_one_of(self, name: str, newcomer: Connection) -> Connection:
        """Free the slot of this name's least recently active connection; the newcomer's only as a last resort."""
        others = ((each, lasts) for each, (of, lasts) in self._held.items() if of == name and each is not newcomer)
        lasting = newcomer
        for evicted, lasts in others:
            if not lasts:
                break
            lasting = evicted if lasting is newcomer else lasting
        else:
            evicted = lasting
        self.leave(evicted)
        return evicted


class TrustedProxies:
    """The proxies whose forwarded headers are trusted, as addresses or networks (`10.42.0.0/16`).

    `header` is the one in which they say the client's address: X-Forwarded-For, to which each proxy appends, or one
    that the first proxy replaces, such as CF-Connecting-IP. Never both: clients may send whichever it leaves alone.
    """

    def __init__(self, networks: Iterable[str] = (), header: str = FORWARDED_FOR) -> None:
        self._header = header.encode()
        self._networks = [ipaddress.ip_network(each, strict=False) for each in networks]

    def __contains__(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def scheme_of(self, peer: str, headers: Headers) -> str:
        """The scheme of the browser's request: `https` where a trusted proxy says so, otherwise `http`."""
        scheme = dict(headers).get(b"x-forwarded-proto", b"").strip().lower()
        return "https" if scheme in {b"https", b"wss"} and peer in self else "http"

    def client_of(self, peer: str, headers: Headers) -> str:
        """The client's address: the peer's, or the last in the header that is not a trusted proxy.

        Only a trusted proxy's header is read. Earlier entries may be the client's own invention; an entry that is not
        an address is ignored.
        """
        if peer not in self:
            return peer
        forwarded = b",".join(value for name, value in headers if name == self._header).decode("latin-1")
        last = next((each for each in map(str.strip, reversed(forwarded.split(","))) if each not in self), "")
        return peer if _parsed(last) is None else last


class ConnectionLimits:
    """The slots of a server's connections and the rate of their requests.

    Args:
        person_of: whose session a request's headers prove; None for an anonymous request.
        proxies: whose forwarded headers are trusted; by default nobody's.
        max_files: how many files the process may open; connections get a share of them.
        base_path: what the paths of requests may begin with (`base_path.py`).
    """

    def __init__(
        self,
        person_of: Callable[[Headers], str | None] = lambda _headers: None,
        proxies: TrustedProxies | None = None,
        max_files: int = FILES,
        base_path: str = "",
    ) -> None:
        self._base_path = base_path
        self._person_of = person_of
        self.proxies = proxies or TrustedProxies()
        slots = int(max_files * FILES_SHARE)
        authenticated = min(AUTHENTICATED, slots // 2)
        anonymous = max(MIN_ANONYMOUS, min(ANONYMOUS, (slots - authenticated) // 2))  # proxies' have as many
        self._anonymous = ConnectionSlots(anonymous, min(ANONYMOUS_PER_ADDRESS, anonymous // 2))
        self._from_proxies = ConnectionSlots(anonymous, anonymous)
        self._authenticated = ConnectionSlots(authenticated, min(AUTHENTICATED_PER_PERSON, authenticated))
        self._anonymous_requests = TokenBucket(ANONYMOUS_PER_S, ANONYMOUS_BURST)
        self._probes = TokenBucket(PROBES_PER_S, PROBES_BURST)
        self._requests_of_address = TokenBuckets(ADDRESS_PER_S, ADDRESS_BURST)
        self._requests_of_person = TokenBuckets(PERSON_PER_S, PERSON_BURST)

    def receive_connected(self, connection: Connection, peer: str) -> None:
        """A connection was accepted from this address; evicts another one where there are too many."""
        self._take_anonymous(connection, peer)

    def receive_request(self, connection: Connection, peer: str, path: str, headers: Headers, now: float) -> bool:
        """A connection sent a whole request head. Returns False where the request exceeds the rate.

        The request decides whether the connection holds an anonymous slot or one of a session from now on. This may
        evict the connection itself, within this call.
        """
        person, path = self._person_of(headers), path_below(self._base_path, path)
        if person is None:
            self._authenticated.leave(connection)
            self._take_anonymous(connection, peer)
            client = self.proxies.client_of(peer, headers)
            return self._allows_anonymous(now, client, path, is_local=client == peer and peer in self.proxies)
        self._release_anonymous(connection)
        self._evict(self._authenticated.take(connection, person))
        kind = "stop" if path == STOP_PATH else "other"
        return self._requests_of_person.take(now, f"{person} {kind}")

    def receive_upgraded(self, connection: Connection, became: Connection, peer: str, headers: Headers) -> None:
        """A connection became a WebSocket: it keeps its slot; a session's WebSockets are evicted last."""
        self.receive_lost(connection)
        person = self._person_of(headers)
        if person is None:
            self._take_anonymous(became, peer)
        else:
            self._evict(self._authenticated.take(became, person, is_lasting=True))

    def receive_lost(self, connection: Connection) -> None:
        """A connection is closed; does nothing where that is known."""
        self._release_anonymous(connection)
        self._authenticated.leave(connection)

    def is_of_person(self, connection: Connection) -> bool:
        """Whether the newest request of a connection has proved a session."""
        return connection in self._authenticated

    def _allows_anonymous(self, now: float, client: str, path: str, *, is_local: bool) -> bool:
        """Whether an anonymous request is within the rates; `is_local`: a trusted address that forwards for no one."""
        is_probe = path in PROBE_PATHS
        name = f"{client_network(client)} {'probe' if is_probe else 'other'}"
        if not self._requests_of_address.take(now, name):
            return False
        if is_probe:
            return is_local or self._probes.take(now)
        return self._anonymous_requests.take(now)

    def _take_anonymous(self, connection: Connection, peer: str) -> None:
        slots = self._from_proxies if peer in self.proxies else self._anonymous
        self._evict(slots.take(connection, client_network(peer)))

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


def client_network(address: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
    return str(parsed or "")
