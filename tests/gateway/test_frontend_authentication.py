"""Pages of other origins prove a session by a bearer or a ticket, each for their own origin, while it lives."""

import pytest
from tests.access.joining import join

from belvedere.access.bearers import BEARER_S
from belvedere.access.invitations import Invitations
from belvedere.access.rights import FRONTEND_RIGHTS, Right, Role
from belvedere.access.sessions import EndReason, Session
from belvedere.access.tickets import TICKET_S, Tickets
from belvedere.gateway.authentication import AuthenticationRefusedError
from belvedere.gateway.cross_origin import Frontends
from belvedere.gateway.frontend_authentication import FrontendAuthenticator, TicketAuthenticator
from belvedere.testing.clock import FakeClock

SITE, OTHER = "https://family.example", "https://other.example"
HOST = {b"host": "home.example.org"}


class Rig:
    """A session with a bearer for SITE, where SITE and OTHER are listed."""

    def __init__(self, role: Role = Role.VISITOR) -> None:
        self.clock = FakeClock()
        self.invitations = Invitations(self.clock)
        self.session: Session = join(self.invitations, "Ana", role).session
        self.bearer = self.invitations.bearers.issue(self.session.id, SITE).bearer
        self.tickets = Tickets(self.clock)
        self.by_bearer = FrontendAuthenticator(self.invitations, Frontends([SITE, OTHER]))
        self.by_ticket = TicketAuthenticator(self.invitations, self.tickets)

    def with_bearer(self, origin: str | None = SITE, bearer: str | None = None) -> dict[bytes, str]:
        sender = {} if origin is None else {b"origin": origin}
        return {**HOST, **sender, b"authorization": f"Bearer {bearer or self.bearer}"}

    def with_ticket(self, ticket: str, origin: str = SITE) -> dict[bytes, str]:
        return {**HOST, b"origin": origin, b"sec-websocket-protocol": f"belvedere.v1, belvedere.ticket.{ticket}"}


async def test_a_bearer_proves_the_session() -> None:
    rig = Rig()
    assert await rig.by_bearer.authenticate(rig.with_bearer()) == rig.session
    assert rig.by_bearer.recognise(rig.with_bearer()) == rig.session


@pytest.mark.parametrize("origin", [OTHER, "https://unlisted.example", "null", None])
async def test_a_bearer_of_another_page_is_refused(origin: str | None) -> None:
    rig = Rig()
    with pytest.raises(AuthenticationRefusedError, match="ended"):
        await rig.by_bearer.authenticate(rig.with_bearer(origin))
    assert rig.by_bearer.recognise(rig.with_bearer(origin)) is None


async def test_an_origin_that_is_listed_no_more_proves_nothing() -> None:
    rig = Rig()
    shortened = FrontendAuthenticator(rig.invitations, Frontends([OTHER]))
    with pytest.raises(AuthenticationRefusedError, match="ended"):
        await shortened.authenticate(rig.with_bearer())


async def test_other_tokens_and_none_are_for_other_authenticators() -> None:
    rig = Rig()
    assert await rig.by_bearer.authenticate(rig.with_bearer(bearer="a-token-of-the-settings")) is None
    assert await rig.by_bearer.authenticate(HOST) is None
    assert await rig.by_ticket.authenticate({**HOST, b"sec-websocket-protocol": "belvedere.v1"}) is None
    assert await rig.by_ticket.authenticate(HOST) is None


@pytest.mark.parametrize("reason", list(EndReason))
async def test_nothing_proves_a_session_that_has_ended(reason: EndReason) -> None:
    rig = Rig()
    ticket = rig.tickets.issue(rig.session.id, SITE)
    rig.invitations.end(rig.session.id, reason)
    with pytest.raises(AuthenticationRefusedError):
        await rig.by_bearer.authenticate(rig.with_bearer())
    with pytest.raises(AuthenticationRefusedError):
        await rig.by_ticket.authenticate(rig.with_ticket(ticket))
    assert rig.invitations.bearers.saved() == []


async def test_a_bearer_ends_before_its_session() -> None:
    rig = Rig()
    rig.clock.advance(min(BEARER_S, rig.session.ends_at_s - rig.clock()) - 1)
    assert await rig.by_bearer.authenticate(rig.with_bearer()) == rig.session
    rig.clock.advance(1)
    with pytest.raises(AuthenticationRefusedError):
        await rig.by_bearer.authenticate(rig.with_bearer())


async def test_a_ticket_is_recognised_without_being_used_and_proves_the_session_once() -> None:
    rig = Rig()
    headers = rig.with_ticket(rig.tickets.issue(rig.session.id, SITE))
    assert rig.by_ticket.recognise(headers) == rig.session
    assert await rig.by_ticket.authenticate(headers) == rig.session
    assert rig.by_ticket.recognise(headers) is None
    with pytest.raises(AuthenticationRefusedError, match="used already"):
        await rig.by_ticket.authenticate(headers)


async def test_a_ticket_that_is_late_or_from_elsewhere_is_refused() -> None:
    rig = Rig()
    with pytest.raises(AuthenticationRefusedError):
        await rig.by_ticket.authenticate(rig.with_ticket(rig.tickets.issue(rig.session.id, SITE), OTHER))
    late = rig.with_ticket(rig.tickets.issue(rig.session.id, SITE))
    rig.clock.advance(TICKET_S)
    with pytest.raises(AuthenticationRefusedError):
        await rig.by_ticket.authenticate(late)


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESIDENT])
def test_in_a_page_of_another_site_nobody_manages_or_speaks_for_the_room(role: Role) -> None:
    rig = Rig(role)
    assert rig.session.rights & {Right.MANAGE, Right.ROOM}
    assert rig.invitations.rights_of(rig.session) == FRONTEND_RIGHTS
