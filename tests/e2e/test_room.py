"""The room's page and a visitor's, side by side: whatever one does, both pages say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from belvedere.access.rights import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


class Tablet:
    """The room's page on its shelf."""

    def __init__(self, visitor: Visitor, server: RunningServer, name: str) -> None:
        self._visitor = visitor
        visitor.come_in(server.admit(name, Role.RESIDENT).cookie, "/room")
        self.people: Locator = visitor.page.locator(".room-people")
        self.curtain: Locator = visitor.page.locator(".curtain")
        self.knocks: Locator = visitor.page.locator(".room-knocks")
        expect(visitor.page.locator("main.room")).to_have_attribute("data-connected", "true")

    def tap(self, name: str) -> None:
        self._visitor.page.get_by_role("button", name=name, exact=True).click()

    def press(self, key: str) -> None:
        self._visitor.page.keyboard.press(key)

    def photograph(self, name: str) -> None:
        self._visitor.photograph(name)


@pytest.fixture(autouse=True)
def open_curtain(server: RunningServer) -> Iterator[None]:
    """Leave the curtain open for other tests."""
    yield
    server.open_curtain()


@pytest.mark.any_size
def test_the_resident_sees_who_looks_and_closes_the_curtain_and_both_pages_say_so(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet = Tablet(visit(), server, "Rosa")
    expect(tablet.people).to_contain_text("Nobody is looking.")
    visitor.come_in(server.admit("Ana", Role.VISITOR).cookie)
    visitor.tap("Look around")
    visitor.expect("picture", "live")
    expect(tablet.people).to_contain_text("Ana")
    tablet.photograph("room-with-a-visitor")

    tablet.press("c")
    expect(tablet.curtain).to_have_attribute("data-curtain", "closed")
    expect(visitor.status).to_contain_text("The curtain is closed.")
    expect(visitor.page.locator(".picture")).to_have_count(0)
    expect(tablet.people).to_contain_text("Nobody is looking.")
    visitor.photograph("curtain-closed")

    tablet.tap("Open the curtain")
    tablet.tap("Yes, open it")
    expect(tablet.curtain).to_have_attribute("data-curtain", "open")
    expect(visitor.status).to_contain_text("The curtain is open again.")
    expect(visitor.page.locator(".picture")).to_have_count(0)
    visitor.tap("Look around")
    visitor.expect("picture", "live")
    expect(tablet.people).to_contain_text("Ana")


@pytest.mark.any_size
def test_a_visitor_knocks_and_sees_the_picture_when_the_room_says_yes(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet = Tablet(visit(), server, "Rosa")
    ben = server.admit("Ben", Role.VISITOR)
    server.ask_to_knock(ben.person)
    visitor.come_in(ben.cookie)
    visitor.tap("Look around")
    visitor.tap("Knock")
    expect(visitor.status).to_contain_text("You have knocked.")
    expect(tablet.knocks).to_contain_text("Ben would like to look in.")
    tablet.photograph("room-with-a-knock")
    tablet.tap("Yes, come in")
    visitor.expect("picture", "live")
    expect(tablet.people).to_contain_text("Ben")

    tablet.tap("Ask Ben to leave")
    expect(visitor.status).to_contain_text("Someone at home would like to be undisturbed now.")
    expect(visitor.page.locator(".picture")).to_have_count(0)
    expect(tablet.people).to_contain_text("Nobody is looking.")
