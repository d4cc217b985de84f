"""The room's page and a visitor's, side by side: whatever one does, both pages say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.residents import Tablet, admit, ask_to_knock, come_in, end_all_sessions, open_curtain

from belvedere.access.rights import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


@pytest.fixture(autouse=True)
def nobody_is_left(server: RunningServer) -> Iterator[None]:
    """End what earlier tests have left, whose browsers are gone, and leave the curtain open for later ones."""
    end_all_sessions(server)
    yield
    open_curtain(server)


@pytest.mark.any_size
def test_the_resident_sees_who_looks_and_closes_the_curtain_and_both_pages_say_so(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet = Tablet(visit(), server, "Rosa")
    expect(tablet.people).to_contain_text("Nobody is looking.")
    come_in(visitor, server, admit(server, "Ana", Role.VISITOR))
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
    ben = admit(server, "Ben", Role.VISITOR)
    ask_to_knock(server, ben.person)
    come_in(visitor, server, ben)
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
