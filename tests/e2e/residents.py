"""People of a running server, with sessions that need no link, and the room's page in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import expect

from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.privacy.words import Welcome

if TYPE_CHECKING:
    from playwright.sync_api import Locator
    from tests.e2e.conftest import RunningServer, Visitor


class Admission(NamedTuple):
    """A person who is known to the server, and the cookie of a session of theirs."""

    person: str
    cookie: str


def admit(server: RunningServer, name: str, role: Role) -> Admission:
    """Make a new person known, with a session."""

    def admitted() -> Admission:
        invitations = server._belvedere.invitations
        person = invitations.people.add(name, role)
        return Admission(person.id, invitations.open_session(person.id).cookie)

    return server.do(admitted)


def ask_to_knock(server: RunningServer, person: str) -> None:
    """Let the room decide that a person has to knock."""
    server.do(lambda: server._belvedere.room.receive_welcome(person, Welcome.ASKED))


def end_all_sessions(server: RunningServer) -> None:
    """End every session, with all that it has open."""

    def end_all() -> None:
        invitations = server._belvedere.invitations
        for session, _ in list(invitations.sessions()):
            invitations.end(session.id, EndReason.REVOKED)

    server.do(end_all)


def open_curtain(server: RunningServer) -> None:
    """Open the room's curtain, whoever closed it."""
    server.do(lambda: server._belvedere.room.receive_curtain("", is_closed=False))


def come_in(visitor: Visitor, server: RunningServer, admission: Admission, path: str = "/") -> None:
    """Open the page with this session."""
    url = f"http://127.0.0.1:{server.port}"
    name = f"belvedere-{server.port}"
    visitor.page.context.add_cookies([{"name": name, "value": admission.cookie, "url": url}])
    visitor.page.goto(url + path)


class Tablet:
    """The room's page on its shelf, in the browser of a new resident."""

    def __init__(self, visitor: Visitor, server: RunningServer, name: str) -> None:
        self._visitor = visitor
        come_in(visitor, server, admit(server, name, Role.RESIDENT), "/room")
        self.people: Locator = visitor.page.locator(".room-people")
        self.curtain: Locator = visitor.page.locator(".curtain")
        self.knocks: Locator = visitor.page.locator(".room-knocks")
        expect(visitor.page.locator("main.room")).to_have_attribute("data-connected", "true")

    def tap(self, name: str) -> None:
        """Tap the button of this name."""
        self._visitor.page.get_by_role("button", name=name, exact=True).click()

    def press(self, key: str) -> None:
        """Press a key of a keyboard beside it."""
        self._visitor.page.keyboard.press(key)

    def photograph(self, name: str) -> None:
        """Save a screenshot, if BELVEDERE_SCREENSHOTS is set."""
        self._visitor.photograph(name)
