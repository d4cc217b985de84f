"""Come in by a link once, and with a passkey from then on: in a browser, with an authenticator that it simulates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import RunningServer, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import CDPSession

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Phone:
    """A visitor's phone, which recognises its user, at a host name."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self._cdp: CDPSession = visitor.page.context.new_cdp_session(visitor.page)
        self._cdp.send("WebAuthn.enable")
        self._id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    def recognise(self, *, is_user: bool) -> None:
        """Recognise whoever touches it as its user, or not."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": is_user})

    def come_in_by(self, link: str) -> None:
        """Open a link, and tap once."""
        self.page.goto(link.replace("127.0.0.1", "localhost"))
        self.visitor.tap("Come in")
        self.visitor.expect("picture", "live")

    def save_passkey(self) -> None:
        """Accept what the page offers once the picture is there."""
        self.visitor.tap("Yes, please")
        expect(self.page.locator(".return-card")).to_contain_text("Next time your device lets you in.")
        self.visitor.photograph("passkey-saved")

    def sign_in(self) -> None:
        """One tap, and the picture is there."""
        self.visitor.tap("Sign in")
        self.visitor.expect("picture", "live")

    def leave_for_good(self) -> None:
        """End the session."""
        self.visitor.tap("Leave")
        self.visitor.tap("End my visit")
        expect(self.page.get_by_role("heading")).to_have_text("Goodbye, and until next time.")


@pytest.fixture
def saved_server(tmp_path: Path) -> Iterator[Callable[[], RunningServer]]:
    """Starts a server on the same store, after the end of the one before."""
    running: list[RunningServer] = []

    def start() -> RunningServer:
        for before in running:
            before.close()
        running[:] = [RunningServer(store=tmp_path / "belvedere.sqlite3")]
        return running[0]

    yield start
    for last in running:
        last.close()


def test_a_passkey_brings_somebody_back_after_the_session_and_after_a_restart(
    saved_server: Callable[[], RunningServer], visitor_with_phone: Visitor
) -> None:
    server, phone = saved_server(), Phone(visitor_with_phone)
    phone.come_in_by(server.invite())
    phone.visitor.photograph("passkey-offered")
    phone.save_passkey()
    phone.leave_for_good()
    phone.visitor.photograph("sign-in")
    phone.sign_in()
    phone.leave_for_good()
    server = saved_server()
    phone.page.goto(f"http://localhost:{server.port}/")
    phone.sign_in()


def test_a_removed_passkey_and_a_stolen_session_that_was_revoked_open_nothing(
    server: RunningServer, visitor_with_phone: Visitor, visit: Callable[[], Visitor]
) -> None:
    phone, thief = Phone(visitor_with_phone), visit()
    phone.come_in_by(server.invite())
    phone.save_passkey()
    home = f"http://localhost:{server.port}/"
    stolen = phone.page.context.cookies()
    thief.page.context.add_cookies([{"name": each["name"], "value": each["value"], "url": home} for each in stolen])
    thief.page.goto(home)
    thief.tap("Look around")
    thief.expect("picture", "live")
    phone.visitor.tap("Close")
    phone.leave_for_good()
    expect(thief.page.locator("[data-login=ended]")).to_be_visible()
    thief.page.reload()
    expect(thief.page.get_by_role("heading")).to_have_text("You need a link to come in.")
    assert thief.page.request.get(f"{home}api/v1/sessions").status == 401
    phone.sign_in()
    phone.visitor.tap("Leave")
    phone.visitor.tap("My devices")
    phone.visitor.photograph("my-devices")
    phone.page.get_by_role("button", name="Remove:").tap()
    expect(phone.page.get_by_text("None yet.")).to_be_visible()
    phone.page.get_by_role("dialog").get_by_role("button", name="Close").tap()
    phone.visitor.tap("Look around")
    phone.leave_for_good()
    phone.visitor.tap("Sign in")
    expect(phone.page.get_by_role("alert")).to_have_text("This device is not known here any more.")


def test_who_is_not_recognised_by_the_device_stays_outside(server: RunningServer, visitor_with_phone: Visitor) -> None:
    phone = Phone(visitor_with_phone)
    phone.come_in_by(server.invite())
    phone.save_passkey()
    phone.leave_for_good()
    phone.recognise(is_user=False)
    phone.visitor.tap("Sign in")
    expect(phone.page.get_by_role("alert")).to_have_text("You have not signed in.")
    phone.recognise(is_user=True)
    phone.sign_in()


def test_on_an_address_the_page_says_how_long_the_device_stays_signed_in(
    server: RunningServer, visitor_with_phone: Visitor
) -> None:
    visitor_with_phone.page.goto(server.invite())
    visitor_with_phone.tap("Come in")
    visitor_with_phone.expect("picture", "live")
    expect(visitor_with_phone.page.locator(".return-card")).to_contain_text("This device stays signed in until")
    visitor_with_phone.photograph("stays-signed-in")
