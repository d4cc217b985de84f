"""Strangers displace each other; those who are inside keep their places, and their stop."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import given

from belvedere.gateway.connection_limits import (
    ADDRESS_BURST,
    ANONYMOUS,
    ANONYMOUS_BURST,
    ANONYMOUS_PER_ADDRESS,
    AUTHENTICATED_PER_SESSION,
    PROBE_PATHS,
    PROBES_BURST,
    SESSION_BURST,
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


def limits(**options: int) -> ConnectionLimits:
    def session_of(headers: Headers) -> str | None:
        return dict(headers).get(b"session", b"").decode() or None

    return ConnectionLimits(session_of, TrustedProxies(["127.0.0.1", "10.42.0.0/16"]), **options)


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


def test_an_address_displaces_its_own() -> None:
    known, peers = limits(), [Peer() for _ in range(ANONYMOUS_PER_ADDRESS + 1)]
    other = Peer("192.0.2.2")
    known.receive_connected(other, other.address)
    for each in peers:
        known.receive_connected(each, each.address)
    assert [len(each.evicted) for each in peers] == [1] + [0] * ANONYMOUS_PER_ADDRESS
    assert not other.evicted


def test_many_addresses_displace_whoever_of_the_busiest_has_asked_for_nothing_longest() -> None:
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


def test_one_ipv6_household_is_one_address() -> None:
    known, peers = limits(), [Peer(f"2001:db8::{number:x}") for number in range(ANONYMOUS_PER_ADDRESS + 1)]
    for each in peers:
        known.receive_connected(each, each.address)
    assert peers[0].evicted


def test_what_a_proxy_brings_shares_places_and_the_oldest_gives_way() -> None:
    known, peers = limits(), [Peer("127.0.0.1") for _ in range(ANONYMOUS + 1)]
    direct = Peer()
    known.receive_connected(direct, direct.address)
    for each in peers:
        known.receive_connected(each, each.address)
    assert [len(each.evicted) for each in peers] == [1] + [0] * ANONYMOUS
    assert not direct.evicted


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_whoever_is_inside_is_never_displaced_by_strangers(address: str) -> None:
    known, inside = limits(), Peer(address)
    known.receive_connected(inside, address)
    assert asks(known, inside, "ana")
    for _ in range(1000):
        known.receive_connected(Peer(address), address)
    assert not inside.evicted


def test_a_session_displaces_its_own_and_sockets_last() -> None:
    known = limits()
    before, socket = Peer(), Peer()
    asks(known, before, "ana")
    known.receive_upgraded(before, socket, before.address, [(b"session", b"ana")])
    others = [Peer() for _ in range(AUTHENTICATED_PER_SESSION)]
    ben = Peer()
    asks(known, ben, "ben")
    for each in others:
        asks(known, each, "ana")
    assert [len(each.evicted) for each in others] == [1] + [0] * (AUTHENTICATED_PER_SESSION - 1)
    assert not socket.evicted
    assert not ben.evicted
    assert not before.evicted


def test_a_strangers_socket_takes_the_place_of_its_request() -> None:
    known, before, socket = limits(), Peer(), Peer()
    known.receive_connected(before, before.address)
    known.receive_upgraded(before, socket, before.address, [])
    for _ in range(ANONYMOUS_PER_ADDRESS):
        known.receive_connected(Peer(), before.address)
    assert (len(before.evicted), len(socket.evicted)) == (0, 1)


def test_a_proxys_connection_is_whose_request_it_carries() -> None:
    known, shared = limits(), Peer("127.0.0.1")
    asks(known, shared, "ana")
    asks(known, shared)
    for _ in range(ANONYMOUS):
        known.receive_connected(Peer("127.0.0.1"), "127.0.0.1")
    assert shared.evicted


def test_a_place_comes_back_when_its_connection_ends() -> None:
    known, first = limits(), Peer()
    known.receive_connected(first, first.address)
    known.receive_lost(first)
    known.receive_lost(first)
    for _ in range(ANONYMOUS_PER_ADDRESS):
        known.receive_connected(Peer(), first.address)
    assert not first.evicted


def test_few_files_are_few_places() -> None:
    known, peers = limits(max_files=64), [Peer(f"192.0.2.{number}") for number in range(40)]
    for each in peers:
        known.receive_connected(each, each.address)
    assert sum(not each.evicted for each in peers) <= 64 / 3


def test_a_stranger_asks_only_so_often_and_others_still_may() -> None:
    known = limits()
    assert sum(asks(known, Peer()) for _ in range(100)) == ADDRESS_BURST
    assert asks(known, Peer("192.0.2.2"))
    assert asks(known, Peer(), now=1.0)


def test_all_strangers_together_ask_only_so_often_but_sessions_and_probes_still_may() -> None:
    known = limits()
    asked = sum(asks(known, Peer(f"192.0.2.{number % 250}")) for number in range(1000))
    assert asked == ANONYMOUS_BURST
    assert asks(known, Peer("192.0.2.251"), "ana")
    assert asks(known, Peer("192.0.2.251"), path="/healthz")


@pytest.mark.parametrize("path", sorted(PROBE_PATHS))
def test_all_strangers_together_probe_only_so_often_but_a_supervisor_on_this_computer_still_may(path: str) -> None:
    known = limits()
    probed = [asks(known, Peer(f"2001:db8:0:{number:x}::1"), path=path) for number in range(int(2 * PROBES_BURST))]
    assert sum(probed) == PROBES_BURST
    named = [(b"x-forwarded-for", b"192.0.2.77")]
    assert not asks(known, Peer("127.0.0.1"), path=path, headers=named)
    assert asks(known, Peer("127.0.0.1"), path=path)
    assert asks(known, Peer("192.0.2.250"))
    assert asks(known, Peer("192.0.2.251"), path=path, now=1.0)


def test_strangers_behind_a_proxy_are_told_apart_by_what_it_says() -> None:
    known, proxy = limits(), Peer("10.42.1.1")
    loud: Headers = [(b"x-forwarded-for", b"203.0.113.5")]
    while asks(known, proxy, headers=loud):
        pass
    assert asks(known, proxy, headers=[(b"x-forwarded-for", b"203.0.113.6")])
    assert not asks(known, Peer("203.0.113.5"))


def test_no_flood_of_a_session_uses_up_its_stop() -> None:
    known = limits()
    assert sum(asks(known, Peer(), "ana") for _ in range(1000)) == SESSION_BURST
    assert asks(known, Peer(), "ana", path=STOP_PATH)
    assert asks(known, Peer(), "ben")


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
def test_a_client_is_whom_a_trusted_proxy_names(peer: str, headers: Headers, client: str) -> None:
    assert TrustedProxies(["127.0.0.1", "10.42.0.0/16"]).client_of(peer, headers) == client


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        ("127.0.0.1", b"https", "https"),
        ("127.0.0.1", b"wss", "https"),
        ("127.0.0.1", b"gopher", "http"),
        ("192.0.2.1", b"https", "http"),
        ("", b"https", "http"),
    ],
)
def test_the_scheme_is_what_a_trusted_proxy_says(peer: str, said: bytes, scheme: str) -> None:
    assert TrustedProxies(["127.0.0.1"]).scheme_of(peer, [(b"x-forwarded-proto", said)]) == scheme


@given(st.lists(st.tuples(st.sampled_from(["take", "leave"]), st.integers(0, 5), st.sampled_from("abc")), max_size=80))
def test_there_are_never_more_than_there_may_be_and_a_newcomer_always_gets_in(
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
