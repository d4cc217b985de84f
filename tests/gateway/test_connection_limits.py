"""Anonymous connections evict each other; those of sessions keep their slots, and their stop."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import given

from belvedere.gateway.connection_limits import (
    ADDRESS_BURST,
    ANONYMOUS,
    ANONYMOUS_BURST,
    ANONYMOUS_PER_ADDRESS,
    AUTHENTICATED_PER_PERSON,
    PERSON_BURST,
    PROBE_PATHS,
    PROBES_BURST,
    STOP_PATH,
    ConnectionLimits,
    ConnectionSlots,
    TrustedProxies,
)

Headers = list[tuple[bytes, bytes]]
NONE: Headers = []


@dataclass(eq=False)
class Peer:
    address: str = "192.0.2.1"
    evicted: list[str] = field(default_factory=list)

    def evict(self) -> None:
        self.evicted.append("evicted")


def limits(base_path: str = "", **options: int) -> ConnectionLimits:
    def session_of(headers: Headers) -> str | None:
        return dict(headers).get(b"session", b"").decode() or None

    return ConnectionLimits(session_of, TrustedProxies(["127.0.0.1", "10.42.0.0/16"]), base_path=base_path, **options)


def asks(
    known: ConnectionLimits,
    peer: Peer,
    session: str = "",
    *,
    path: str = "/",
    now: float = 0.0,
    headers: Headers = NONE,
) -> bool:
    proof = [(b"session", session.encode())] if session else []
    return known.receive_request(peer, peer.address, path, [*proof, *headers], now)


def test_an_address_evicts_its_own_connections() -> None:
    known, peers = limits(), [Peer() for _ in range(ANONYMOUS_PER_ADDRESS + 1)]
    other = Peer("192.0.2.2")
    known.receive_connected(other, other.address)
    for each in peers:
        known.receive_connected(each, each.address)
    assert [len(each.evicted) for each in peers] == [1] + [0] * ANONYMOUS_PER_ADDRESS
    assert not other.evicted


def test_many_addresses_evict_the_least_recently_active_of_the_busiest() -> None:
    known = limits()
    crowds = [
        [Peer(f"192.0.2.{address}") for _ in range(ANONYMOUS_PER_ADDRESS)]
        for address in range(ANONYMOUS // ANONYMOUS_PER_ADDRESS)
    ]
    for crowd in crowds:
        for each in crowd:
            known.receive_connected(each, each.address)
    asks(known, crowds[0][0])
    honest = Peer("192.0.2.200")
    known.receive_connected(honest, honest.address)
    assert not honest.evicted
    assert [each for crowd in crowds for each in crowd if each.evicted] == [crowds[0][1]]


def test_an_ipv6_network_counts_as_one_address() -> None:
    known, peers = limits(), [Peer(f"2001:db8::{number:x}") for number in range(ANONYMOUS_PER_ADDRESS + 1)]
    for each in peers:
        known.receive_connected(each, each.address)
    assert peers[0].evicted


def test_connections_of_a_proxy_share_slots_and_the_oldest_is_evicted() -> None:
    known, peers = limits(), [Peer("127.0.0.1") for _ in range(ANONYMOUS + 1)]
    direct = Peer()
    known.receive_connected(direct, direct.address)
    for each in peers:
        known.receive_connected(each, each.address)
    assert [len(each.evicted) for each in peers] == [1] + [0] * ANONYMOUS
    assert not direct.evicted


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_anonymous_connections_never_evict_those_of_a_session(address: str) -> None:
    known, inside = limits(), Peer(address)
    known.receive_connected(inside, address)
    assert asks(known, inside, "ana")
    for _ in range(1000):
        known.receive_connected(Peer(address), address)
    assert not inside.evicted


def test_a_session_evicts_its_own_and_sockets_last() -> None:
    known = limits()
    before, socket = Peer(), Peer()
    asks(known, before, "ana")
    known.receive_upgraded(before, socket, before.address, [(b"session", b"ana")])
    others = [Peer() for _ in range(AUTHENTICATED_PER_PERSON)]
    ben = Peer()
    asks(known, ben, "ben")
    for each in others:
        asks(known, each, "ana")
    assert [len(each.evicted) for each in others] == [1] + [0] * (AUTHENTICATED_PER_PERSON - 1)
    assert not socket.evicted
    assert not ben.evicted
    assert not before.evicted


def test_an_anonymous_socket_takes_the_slot_of_its_request() -> None:
    known, before, socket = limits(), Peer(), Peer()
    known.receive_connected(before, before.address)
    known.receive_upgraded(before, socket, before.address, [])
    for _ in range(ANONYMOUS_PER_ADDRESS):
        known.receive_connected(Peer(), before.address)
    assert (len(before.evicted), len(socket.evicted)) == (0, 1)


def test_a_proxys_connection_belongs_to_the_session_of_its_request() -> None:
    known, shared = limits(), Peer("127.0.0.1")
    asks(known, shared, "ana")
    asks(known, shared)
    for _ in range(ANONYMOUS):
        known.receive_connected(Peer("127.0.0.1"), "127.0.0.1")
    assert shared.evicted


def test_a_slot_is_free_again_when_its_connection_is_closed() -> None:
    known, first = limits(), Peer()
    known.receive_connected(first, first.address)
    known.receive_lost(first)
    known.receive_lost(first)
    for _ in range(ANONYMOUS_PER_ADDRESS):
        known.receive_connected(Peer(), first.address)
    assert not first.evicted


def test_a_low_limit_of_files_means_few_slots() -> None:
    known, peers = limits(max_files=64), [Peer(f"192.0.2.{number}") for number in range(40)]
    for each in peers:
        known.receive_connected(each, each.address)
    assert sum(not each.evicted for each in peers) <= 64 / 3


def test_the_rate_of_one_address_is_limited_and_leaves_others_alone() -> None:
    known = limits()
    assert sum(asks(known, Peer()) for _ in range(100)) == ADDRESS_BURST
    assert asks(known, Peer("192.0.2.2"))
    assert asks(known, Peer(), now=1.0)


def test_the_rate_of_all_anonymous_requests_is_limited_and_leaves_sessions_and_probes_alone() -> None:
    known = limits()
    asked = sum(asks(known, Peer(f"192.0.2.{number % 250}")) for number in range(1000))
    assert asked == ANONYMOUS_BURST
    assert asks(known, Peer("192.0.2.251"), "ana")
    assert asks(known, Peer("192.0.2.251"), path="/healthz")


@pytest.mark.parametrize("path", sorted(PROBE_PATHS))
def test_the_rate_of_all_remote_probes_is_limited_and_leaves_local_ones_alone(path: str) -> None:
    known = limits()
    probed = [asks(known, Peer(f"2001:db8:0:{number:x}::1"), path=path) for number in range(int(2 * PROBES_BURST))]
    assert sum(probed) == PROBES_BURST
    named = [(b"x-forwarded-for", b"192.0.2.77")]
    assert not asks(known, Peer("127.0.0.1"), path=path, headers=named)
    assert asks(known, Peer("127.0.0.1"), path=path)
    assert asks(known, Peer("192.0.2.250"))
    assert asks(known, Peer("192.0.2.251"), path=path, now=1.0)


def test_anonymous_clients_behind_a_trusted_proxy_are_distinguished() -> None:
    known, proxy = limits(), Peer("10.42.1.1")
    loud: Headers = [(b"x-forwarded-for", b"203.0.113.5")]
    while asks(known, proxy, headers=loud):
        pass
    assert asks(known, proxy, headers=[(b"x-forwarded-for", b"203.0.113.6")])
    assert not asks(known, Peer("203.0.113.5"))


def test_no_flood_of_a_session_uses_up_its_stop() -> None:
    known = limits()
    assert sum(asks(known, Peer(), "ana") for _ in range(1000)) == PERSON_BURST
    assert asks(known, Peer(), "ana", path=STOP_PATH)
    assert asks(known, Peer(), "ben")


def test_the_stop_of_a_house_below_a_path_has_its_own_rate_too() -> None:
    known = limits(base_path="/kitchen")
    assert sum(asks(known, Peer(), "ana", path="/kitchen/x") for _ in range(1000)) == PERSON_BURST
    assert not asks(known, Peer(), "ana", path="/study" + STOP_PATH)
    assert asks(known, Peer(), "ana", path="/kitchen" + STOP_PATH)


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("192.0.2.1", [(b"x-forwarded-for", b"203.0.113.5")], "192.0.2.1"),
        ("127.0.0.1", [(b"x-forwarded-for", b"203.0.113.9, 203.0.113.5, 10.42.0.3")], "203.0.113.5"),
        ("127.0.0.1", [(b"x-forwarded-for", b"nonsense")], "127.0.0.1"),
        ("127.0.0.1", [(b"x-forwarded-for", b"203.0.113.5, nonsense")], "127.0.0.1"),
        ("127.0.0.1", [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"2001:db8::1")], "2001:db8::1"),
        ("::ffff:127.0.0.1", [(b"x-forwarded-for", b"203.0.113.5")], "203.0.113.5"),
        ("127.0.0.1", [], "127.0.0.1"),
    ],
)
def test_the_client_is_the_one_that_a_trusted_proxy_names(peer: str, headers: Headers, client: str) -> None:
    assert TrustedProxies(["127.0.0.1", "10.42.0.0/16"]).client_of(peer, headers) == client


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("192.0.2.1", [(b"cf-connecting-ip", b"203.0.113.5")], "192.0.2.1"),
        ("127.0.0.1", [(b"cf-connecting-ip", b"203.0.113.5"), (b"x-forwarded-for", b"203.0.113.9")], "203.0.113.5"),
        ("127.0.0.1", [(b"x-forwarded-for", b"203.0.113.9")], "127.0.0.1"),
        ("127.0.0.1", [(b"cf-connecting-ip", b"nonsense")], "127.0.0.1"),
    ],
)
def test_cloudflares_header_counts_only_where_it_is_set_and_only_from_a_trusted_proxy(
    peer: str, headers: Headers, client: str
) -> None:
    assert TrustedProxies(["127.0.0.1"], "cf-connecting-ip").client_of(peer, headers) == client
    with_both = [*headers, (b"x-forwarded-for", b"198.51.100.7")]
    assert TrustedProxies(["192.0.2.1"]).client_of("192.0.2.1", with_both) != "203.0.113.5"


@pytest.mark.parametrize(
    ("peer", "forwarded", "scheme"),
    [
        ("127.0.0.1", b"https", "https"),
        ("127.0.0.1", b"wss", "https"),
        ("127.0.0.1", b"gopher", "http"),
        ("192.0.2.1", b"https", "http"),
        ("", b"https", "http"),
    ],
)
def test_the_scheme_is_what_a_trusted_proxy_says(peer: str, forwarded: bytes, scheme: str) -> None:
    assert TrustedProxies(["127.0.0.1"]).scheme_of(peer, [(b"x-forwarded-proto", forwarded)]) == scheme


@given(st.lists(st.tuples(st.sampled_from(["take", "leave"]), st.integers(0, 5), st.sampled_from("abc")), max_size=80))
def test_slots_are_never_exceeded_and_a_newcomer_always_gets_one(
    steps: list[tuple[str, int, str]],
) -> None:
    slots, peers = ConnectionSlots(total=4, per_name=2), [Peer() for _ in range(6)]
    for what, which, name in steps:
        if what == "leave":
            slots.leave(peers[which])
        else:
            displaced = slots.take(peers[which], name)
            assert displaced is not peers[which]
        assert len(slots) <= 4
