from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.errors import InternalError, LinkError, LinkReason
from belvedere.link.claims import TRANSITIONS, Claim, Claims, ClaimState, Search

LOST = LinkError(LinkReason.ADAPTER_OFF, "off")


class Searches:
    """Claims, and which of a test's searches have ended."""

    def __init__(self) -> None:
        self.claims: Claims[str] = Claims()
        self.over: list[str] = []

    def seek(self, wanted: str) -> Search[str]:
        """Search for any device whose name begins like this."""
        return self.claims.seek(lambda _at, name, _services: name.startswith(wanted), lambda: self.over.append(wanted))

    def see(self, address: str, name: str) -> None:
        """A device is seen."""
        self.claims.receive_seen(address, name, [], f"{name} at {address}")


def claimed(*states: ClaimState) -> Claim[str]:
    claim = Claim("A", "seen")
    for state in states:
        assert claim.enter(state)
    return claim


def test_the_search_that_has_waited_longest_gets_the_device() -> None:
    searches = Searches()
    first, second, third = (searches.seek("P") for _ in range(3))
    searches.see("A", "PONS")
    assert (first.claim, second.claim, third.claim) == (searches.claims.on("A"), None, None)
    assert first.claim is not None
    assert (first.claim.found, first.claim.state) == ("PONS at A", ClaimState.FOUND)
    assert searches.over == ["P"]


def test_a_claimed_device_is_not_found_again_until_it_is_released() -> None:
    searches = Searches()
    searches.seek("P")
    searches.see("A", "PONS")
    later = searches.seek("P")
    searches.see("A", "PONS")
    assert later.claim is None
    old = searches.claims.on("A")
    assert old is not None
    searches.claims.release(old)
    assert searches.claims.on("A") is None
    searches.see("A", "PONS")
    assert later.claim is searches.claims.on("A") is not old


def test_a_device_is_asked_about_by_its_address_name_and_services() -> None:
    claims: Claims[str] = Claims()
    search = claims.seek(lambda *seen: seen == ("A", "PONS", ["180a"]), lambda: None)
    claims.receive_seen("A", "PONS", [], "without")
    assert search.claim is None
    claims.receive_seen("A", "PONS", ["180a"], "with")
    assert search.claim is not None


def test_an_abandoned_search_claims_nothing_and_is_told_nothing() -> None:
    searches = Searches()
    search = searches.seek("P")
    searches.claims.abandon(search)
    searches.see("A", "PONS")
    searches.claims.receive_failure(LOST)
    assert (search.claim, search.failure, searches.over) == (None, None, [])
    assert not searches.claims.is_seeking


def test_a_failure_ends_all_searches_once() -> None:
    searches = Searches()
    both = searches.seek("P"), searches.seek("Q")
    assert searches.claims.is_seeking
    searches.claims.receive_failure(LOST)
    searches.claims.receive_failure(LinkError(LinkReason.LOST, "later"))
    assert [search.failure for search in both] == [LOST, LOST]
    assert searches.over == ["P", "Q"]
    assert not searches.claims.is_seeking


def test_late_news_of_a_released_claim_does_not_touch_the_newer_one_on_its_address() -> None:
    claims: Claims[str] = Claims()
    old = claims.claim("A", "seen first")
    claims.release(old)
    new = claims.claim("A", "seen again")
    assert not old.enter(ClaimState.ENDING)
    claims.release(old)
    assert claims.on("A") is new
    assert new.state is ClaimState.FOUND


def test_the_owner_of_a_connected_device_is_told_once_when_it_is_lost() -> None:
    lost: list[str] = []
    claim = claimed(ClaimState.CONNECTING)
    claim.receive_connected(lambda: lost.append("told"))
    assert [claim.receive_lost(), claim.receive_lost()] == [True, False]
    assert lost == ["told"]
    assert claim.state is ClaimState.ENDING


def test_a_device_is_not_connected_again_while_it_is_still_being_given_up() -> None:
    free, claim = claimed(), claimed(ClaimState.CONNECTING, ClaimState.ENDING)
    free.receive_connecting()
    assert free.state is ClaimState.CONNECTING
    with pytest.raises(LinkError, match="not done with A") as caught:
        claim.receive_connecting()
    assert caught.value.reason is LinkReason.CONNECT_FAILED
    assert claim.state is ClaimState.ENDING


@pytest.mark.parametrize(
    "states",
    [[], [ClaimState.CONNECTING], [ClaimState.CONNECTING, ClaimState.ENDING], [ClaimState.RELEASED]],
    ids=["found", "connecting", "ending", "released"],
)
def test_a_device_that_is_not_connected_cannot_be_lost(states: list[ClaimState]) -> None:
    claim = claimed(*states)
    before = claim.state
    assert not claim.receive_lost()
    assert claim.state is before


def test_a_device_that_is_released_while_it_connects_is_not_connected_afterwards() -> None:
    claims: Claims[str] = Claims()
    claim = claims.claim("A", "seen")
    claim.enter(ClaimState.CONNECTING)
    claims.release(claim)
    claim.receive_connected(lambda: None)
    assert (claim.state, claims.connected) == (ClaimState.RELEASED, [])


def test_only_connected_devices_are_listed_as_such() -> None:
    claims: Claims[str] = Claims()
    a, b = claims.claim("A", "seen"), claims.claim("B", "seen")
    for claim in (a, b):
        claim.enter(ClaimState.CONNECTING)
    a.receive_connected(lambda: None)
    assert claims.connected == [a]


@pytest.mark.parametrize("state", [state for state in ClaimState if state is not ClaimState.RELEASED])
@pytest.mark.parametrize("following", ClaimState)
def test_a_claim_follows_the_table_and_refuses_the_rest_unchanged(state: ClaimState, following: ClaimState) -> None:
    claim = Claim("A", "seen")
    claim.state = state
    if following in TRANSITIONS[state]:
        assert claim.enter(following)
        assert claim.state is following
    else:
        with pytest.raises(InternalError, match=f"from {state.name} to {following.name}"):
            claim.enter(following)
        assert claim.state is state


@given(st.lists(st.sampled_from(ClaimState), max_size=12))
def test_a_claim_is_connected_at_most_once_and_never_after_its_end(tried: list[ClaimState]) -> None:
    claim = Claim("A", "seen")
    passed = [claim.state]
    for state in tried:
        if claim.state is ClaimState.RELEASED or state in TRANSITIONS[claim.state]:
            claim.enter(state)
            passed.append(claim.state)
    assert all(later is ClaimState.RELEASED for now, later in pairwise(passed) if now is ClaimState.RELEASED)
    assert passed.count(ClaimState.CONNECTED) <= 1
    if ClaimState.ENDING in passed:
        assert ClaimState.CONNECTED not in passed[passed.index(ClaimState.ENDING) :]
