"""Which device belongs to which unit: the searches that wait for one, and the claims on those found. Pure.

A claimed device is not found again, so that two searches that match the same devices get one each. A claim:

    a search wants it          connect()                  it succeeds
    ────────────────> FOUND ─────────────> CONNECTING ─────────────> CONNECTED
                        │                      │                         │
                        │               fails, or is late       lost, or disconnect()
                        │                      └───────> ENDING <────────┘
                        │                                   │
                        └────────────> RELEASED <───────────┘   once BlueZ is done, or has taken too long

A device whose owner needs it no longer may be RELEASED in any state. That is the end of the claim, whatever comes late:
news of an old attempt never touches a newer claim on the same address.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Generic, TypeVar

from belvedere.errors import InternalError, LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ClaimState(enum.Enum):
    """What happens with a claimed device; ENDING is over for its owner, but BlueZ may still be busy with it."""

    FOUND = enum.auto()
    CONNECTING = enum.auto()
    CONNECTED = enum.auto()
    ENDING = enum.auto()
    RELEASED = enum.auto()


_S = ClaimState
TRANSITIONS: dict[ClaimState, frozenset[ClaimState]] = {
    _S.FOUND: frozenset({_S.CONNECTING, _S.RELEASED}),
    _S.CONNECTING: frozenset({_S.CONNECTED, _S.ENDING, _S.RELEASED}),
    _S.CONNECTED: frozenset({_S.ENDING, _S.RELEASED}),
    _S.ENDING: frozenset({_S.ENDING, _S.RELEASED}),
    _S.RELEASED: frozenset(),
}


class Claim(Generic[T]):
    """One claim on the device at `address`; `found` is what was seen of it, `client` what it was connected with."""

    def __init__(self, address: str, found: T) -> None:
        self.address = address
        self.found = found
        self.state = ClaimState.FOUND
        self.client: object | None = None
        self._on_lost: Callable[[], None] = lambda: None

    def enter(self, state: ClaimState) -> bool:
        """Go to `state`. Returns False, and changes nothing, if the claim has been released.

        Raises InternalError if `state` must not follow.
        """
        if self.state is ClaimState.RELEASED:
            return False
        if state not in TRANSITIONS[self.state]:
            raise InternalError(f"a claim on {self.address} must not go from {self.state.name} to {state.name}")
        self.state = state
        return True

    def receive_connecting(self) -> None:
        """Somebody begins to connect. Raises LinkError (CONNECT_FAILED) while BlueZ is busy with the last attempt."""
        if self.state is ClaimState.ENDING:
            raise LinkError(LinkReason.CONNECT_FAILED, f"BlueZ is not done with {self.address} yet")
        self.enter(ClaimState.CONNECTING)

    def receive_connected(self, on_lost: Callable[[], None]) -> None:
        """The device is connected; `on_lost` is called at most once, if that ends by itself."""
        if self.enter(ClaimState.CONNECTED):
            self._on_lost = on_lost

    def receive_lost(self) -> bool:
        """The connection has ended. Returns whether there was one that nobody had begun to end."""
        if self.state is not ClaimState.CONNECTED:
            return False
        self.enter(ClaimState.ENDING)
        self._on_lost()
        return True


class Search(Generic[T]):
    """Somebody who waits for a device; over once it has a `claim` or a `failure`, or was abandoned."""

    def __init__(self, is_wanted: Callable[[str, str, list[str]], bool], on_over: Callable[[], None]) -> None:
        self.is_wanted = is_wanted
        self.on_over = on_over
        self.claim: Claim[T] | None = None
        self.failure: LinkError | None = None


class Claims(Generic[T]):
    """All searches and claims of one adapter."""

    def __init__(self) -> None:
        self._searches: list[Search[T]] = []
        self._claims: dict[str, Claim[T]] = {}  # by address

    @property
    def is_seeking(self) -> bool:
        """Whether any search waits."""
        return bool(self._searches)

    @property
    def connected(self) -> list[Claim[T]]:
        """The claims whose devices are connected."""
        return [claim for claim in self._claims.values() if claim.state is ClaimState.CONNECTED]

    def seek(self, is_wanted: Callable[[str, str, list[str]], bool], on_over: Callable[[], None]) -> Search[T]:
        """Begin a search for a device of which `is_wanted(address, name, services)` is true.

        `on_over` is called once, when it has found one or failed, and never after `abandon`.
        """
        search = Search[T](is_wanted, on_over)
        self._searches.append(search)
        return search

    def abandon(self, search: Search[T]) -> None:
        """End a search if it still waits; one that is over stays as it is."""
        if search in self._searches:
            self._searches.remove(search)

    def receive_seen(self, address: str, name: str, services: list[str], found: T) -> None:
        """A device was seen: the search that has waited longest among those that want it gets the claim."""
        if address in self._claims:
            return
        for search in self._searches:
            if search.is_wanted(address, name, services):
                search.claim = self.claim(address, found)
                self._end(search)
                return

    def receive_failure(self, failure: LinkError) -> None:
        """Nothing can be seen: all searches have failed."""
        for search in self._searches.copy():
            search.failure = failure
            self._end(search)

    def claim(self, address: str, found: T) -> Claim[T]:
        """Claim a device that nobody has claimed."""
        claim = self._claims[address] = Claim(address, found)
        return claim

    def on(self, address: str) -> Claim[T] | None:
        """Return the claim on the device at this address, None if it is free."""
        return self._claims.get(address)

    def release(self, claim: Claim[T]) -> None:
        """End a claim, so that its device can be found again; no effect on one that has ended."""
        if claim.enter(ClaimState.RELEASED):
            del self._claims[claim.address]

    def _end(self, search: Search[T]) -> None:
        self.abandon(search)
        search.on_over()
