"""A token opens one session, which ends when the token does, and none again after it was ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.access_tokens import HOUR_S, NOW, OPTIONS

from belvedere.access import cloudflare
from belvedere.access.cloudflare import (
    AccessClaims,
    CloudflareSessions,
    NotListedError,
    TokenFault,
    TokenRefusedError,
)
from belvedere.access.invitations import AccessOptions, Invitations
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.access.session_events import SessionChange
    from belvedere.store.access import SavedAccess


class Tokens:
    """Verifies tokens of the form `email until`."""

    def __init__(self) -> None:
        self.verified = 0
        self.delay_s = 0.0

    async def verify(self, token: str) -> AccessClaims:
        self.verified += 1
        await asyncio.sleep(self.delay_s)
        email, _, until = token.partition(" ")
        if not until:
            raise TokenRefusedError(TokenFault.MALFORMED)
        return AccessClaims(email, float(until))


class House:
    """Invitations with Ana, a visitor, and both clocks."""

    def __init__(self, saved: SavedAccess | None = None) -> None:
        self.clock, self.utc = FakeClock(), FakeClock(NOW)
        self.invitations = Invitations(self.clock, AccessOptions(session_s=24 * HOUR_S), utc=self.utc)
        self.people = self.invitations.people
        if saved is None:
            self.people.add("Ana", Role.VISITOR, "ana@example.org")
        else:
            self.invitations.restore(saved)
        (self.ana,) = self.people.all()
        self.tokens = Tokens()
        self.ended: list[SessionChange] = []
        self.invitations.events.subscribe(self.ended.append)
        self.sessions = CloudflareSessions(self.tokens, self.invitations, self.utc)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.utc.advance(seconds)
        self.invitations.tick()


TOKEN = f"ana@example.org {NOW + HOUR_S}"


async def test_a_token_opens_one_session_of_its_person_however_often_it_comes() -> None:
    house = House()
    session = await house.sessions.session(TOKEN)
    assert (session.person, session.role) == (house.ana.id, Role.VISITOR)
    assert await house.sessions.session(TOKEN) is session
    assert house.sessions.recognise(TOKEN) is session
    assert house.tokens.verified == 1
    assert house.sessions.recognise(f"ana@example.org {NOW + 1}") is None


async def test_requests_that_come_at_once_open_one_session() -> None:
    house = House()
    house.tokens.delay_s = 1.0
    sessions = await asyncio.gather(*(house.sessions.session(TOKEN) for _ in range(6)))
    assert len({session.id for session in sessions}) == 1


async def test_the_session_ends_when_the_token_does() -> None:
    house = House()
    session = await house.sessions.session(TOKEN)
    assert session.ends_at_s == house.clock() + HOUR_S
    house.advance(HOUR_S - 1)
    assert house.sessions.recognise(TOKEN) == session
    assert house.ended == []
    house.advance(1)
    assert [(change.session.id, change.end) for change in house.ended] == [(session.id, EndReason.EXPIRED)]
    with pytest.raises(TokenRefusedError) as caught:
        await house.sessions.session(TOKEN)
    assert caught.value.fault is TokenFault.EXPIRED


async def test_a_wall_clock_that_jumps_ahead_ends_what_a_token_proves() -> None:
    house = House()
    await house.sessions.session(TOKEN)
    house.utc.advance(HOUR_S)
    assert house.sessions.recognise(TOKEN) is None
    with pytest.raises(TokenRefusedError):
        await house.sessions.session(TOKEN)


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
async def test_a_token_whose_session_was_ended_opens_no_other(reason: EndReason) -> None:
    house = House()
    session = await house.sessions.session(TOKEN)
    house.invitations.end(session.id, reason)
    for _ in range(2):
        assert house.sessions.recognise(TOKEN) is None
        with pytest.raises(TokenRefusedError) as caught:
            await house.sessions.session(TOKEN)
        assert caught.value.fault is TokenFault.ENDED
    assert (await house.sessions.session(f"ana@example.org {NOW + 2 * HOUR_S}")).person == house.ana.id


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
async def test_after_a_restart_a_token_whose_session_was_ended_opens_none_either(reason: EndReason) -> None:
    before = House()
    before.invitations.watch_saved(lambda: saved.append(before.invitations.saved()))
    saved = [before.invitations.saved()]
    session = await before.sessions.session(TOKEN)
    before.invitations.end(session.id, reason)
    after = House(saved[-1])
    with pytest.raises(TokenRefusedError) as caught:
        await after.sessions.session(TOKEN)
    assert caught.value.fault is TokenFault.ENDED
    assert (await after.sessions.session(f"ana@example.org {NOW + 2 * HOUR_S}")).person == after.ana.id
    assert after.invitations.saved().ended_logins == saved[-1].ended_logins


async def test_a_session_that_was_displaced_is_opened_anew() -> None:
    house = House()
    first = await house.sessions.session(TOKEN)
    house.invitations.end(first.id, EndReason.DISPLACED)
    second = await house.sessions.session(TOKEN)
    assert second.id != first.id


async def test_who_is_not_on_the_list_has_no_session_until_added() -> None:
    house = House()
    token = f"ben@example.org {NOW + HOUR_S}"
    with pytest.raises(NotListedError):
        await house.sessions.session(token)
    ben = house.people.add("Ben", Role.GUEST, "ben@example.org")
    assert (await house.sessions.session(token)).person == ben.id


async def test_who_is_removed_is_out_at_once() -> None:
    house = House()
    session = await house.sessions.session(TOKEN)
    house.invitations.remove(house.ana.id)
    assert not house.invitations.is_live(session)
    with pytest.raises(TokenRefusedError):
        await house.sessions.session(TOKEN)


async def test_an_address_that_has_become_another_persons_proves_the_old_session_no_more() -> None:
    house = House()
    session = await house.sessions.session(TOKEN)
    house.people.remove(house.ana.id)
    house.people.add("Ben", Role.GUEST, "ana@example.org")
    assert house.sessions.recognise(TOKEN) is None
    assert not house.invitations.is_live(session)


async def test_a_wrong_token_opens_nothing() -> None:
    house = House()
    with pytest.raises(TokenRefusedError):
        await house.sessions.session("ana@example.org")
    assert house.sessions.recognise("ana@example.org") is None


async def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudflare, "MAX_TOKENS", 4)
    house = House()
    for number in range(6):
        await house.sessions.session(f"ana@example.org {NOW + HOUR_S + number}")
    assert house.sessions.recognise(TOKEN) is None
    assert house.sessions.recognise(f"ana@example.org {NOW + HOUR_S + 5}") is not None
    assert (await house.sessions.session(TOKEN)).person == house.ana.id


def test_issuer_and_keys_are_those_of_the_team() -> None:
    assert OPTIONS.issuer == "https://our-house.cloudflareaccess.com"
    assert OPTIONS.keys_url == "https://our-house.cloudflareaccess.com/cdn-cgi/access/certs"
