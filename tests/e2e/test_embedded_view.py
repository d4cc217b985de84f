"""The whole page in a page of another origin, in a browser that blocks third-party cookies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.devices import DESKTOP, PHONE
from tests.e2e.family_page import family_site
from tests.e2e.watchers import Watchers

from belvedere.access.sessions import EndReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

BEARERS = "() => Object.entries(sessionStorage).filter(([key]) => key.startsWith('belvedere-bearer'))"


def open_at(visitor: Visitor, site: str, *houses: str, secret: str = "") -> None:
    """Open the family's page with views of these houses, with an invitation to the first."""
    query = "&".join(f"house={house}" for house in houses)
    visitor.page.goto(f"{site}/?{query}{f'#belvedere={secret}' if secret else ''}")


def expect_ready(visitor: Visitor) -> None:
    visitor.expect("picture", "live")
    visitor.expect("way", "direct")
    visitor.expect("pan-link", "ready")


def secret_of(server: RunningServer) -> str:
    return server.invite().partition("#")[2]


def middle_of(view: Locator) -> tuple[float, float]:
    box = view.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press_and_drag(page: Page) -> float:
    """Press in the middle of the view and drag to the right; returns when it began."""
    began = time.monotonic()
    x, y = middle_of(page.locator("belvedere-view"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y)
    page.mouse.move(x + 120, y)
    return began


def test_a_page_of_another_site_joins_sees_and_drives_without_any_cookie(
    server: RunningServer, family: str, visit: Callable[..., Visitor]
) -> None:
    visitor, watchers = visit(DESKTOP), Watchers(server)
    page = visitor.page
    with server.relay() as relay:
        house = f"http://127.0.0.1:{relay.port}"
        open_at(visitor, family, house, secret=secret_of(server))
        expect(page.get_by_role("button", name="Come in")).to_be_visible()
        visitor.photograph("embedded-invited")
        assert "belvedere=" not in page.url
        visitor.tap("Come in")
        expect_ready(visitor)
        visitor.photograph("embedded-live")
        assert page.context.cookies() == []

        # letting go stops, and keys drive only where the focus is
        server.wait_turning(press_and_drag(page))
        released_at = time.monotonic()
        page.mouse.up()
        assert server.wait_stopped() >= released_at
        page.get_by_label("A word to all").focus()
        typed_at = time.monotonic()
        page.keyboard.press("d", delay=300)
        assert page.get_by_label("A word to all").input_value() == "d"
        assert server.is_still_since(typed_at)

        # a lost connection comes back by itself, each socket with a fresh ticket
        server.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        server.do(relay.resume)
        expect_ready(visitor)
        server.wait_turning(press_and_drag(page))

        # the element is removed while it drives
        page.evaluate("() => document.querySelector('belvedere-view').remove()")
        server.wait_stopped()
        page.mouse.up()

        # a reload keeps the session; the end of it closes everything
        page.reload()
        visitor.tap("Look around")
        expect_ready(visitor)
        watchers.end_sessions(EndReason.REVOKED)
        expect(page.locator("belvedere-view")).to_contain_text("The household has ended this visit")
        page.wait_for_function(f"() => ({BEARERS})().length === 0")  # once the server has said that the session is over


def test_within_a_site_the_cookie_proves_the_session_and_a_finger_drives(
    server: RunningServer, family: str, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(PHONE)
    open_at(visitor, family, f"http://localhost:{server.port}", secret=secret_of(server))
    expect(visitor.page.get_by_role("button", name="Come in")).to_be_visible()
    visitor.photograph("embedded-invited")
    visitor.tap("Come in")
    expect_ready(visitor)
    visitor.photograph("embedded-live")
    visitor.sees_it_turn_after_a_fresh_press()
    assert [cookie["httpOnly"] for cookie in visitor.page.context.cookies() if "entry" not in cookie["name"]] == [True]
    assert visitor.page.evaluate(BEARERS) == []


def test_a_page_that_is_not_listed_gets_nothing(server: RunningServer, visit: Callable[..., Visitor]) -> None:
    page = visit(DESKTOP).page
    house = f"http://127.0.0.1:{server.port}"
    with family_site() as unlisted:
        page.goto(f"{unlisted}/?house={house}#belvedere={secret_of(server)}")
        assert page.evaluate("() => customElements.get('belvedere-view') === undefined")
        for path, method in (("/embed.js", "GET"), ("/api/v1/frontend", "GET"), ("/api/v1/tickets", "POST")):
            asking = "([address, method]) => fetch(address, { method }).then(() => 'read', (error) => error.name)"
            assert page.evaluate(asking, [house + path, method]) == "TypeError"
        opening = """(address) => new Promise((done) => {
          const socket = new WebSocket(address, ["belvedere.v1", "belvedere.ticket.x"]);
          socket.onopen = () => done("open");
          socket.onclose = ({ code }) => done(code);
        })"""
        assert page.evaluate(opening, f"ws://127.0.0.1:{server.port}/api/v1/control") == 1006


def test_two_houses_in_one_page_each_have_their_own_visit(
    server: RunningServer, family: str, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(DESKTOP)
    page = visitor.page
    with server.relay() as relay:
        houses = [f"http://127.0.0.1:{port}" for port in (server.port, relay.port)]
        open_at(visitor, family, *houses)
        for house in houses:
            view = page.locator(f"belvedere-view[house='{house}']")
            host = house.removeprefix("http://")
            page.evaluate(f"() => {{ location.hash = 'belvedere={secret_of(server)}&house={host}' }}")
            view.get_by_role("button", name="Come in").click()
            expect(view.locator("main")).to_have_attribute("data-picture", "live")
        pressed_at = time.monotonic()
        page.keyboard.down("ArrowRight")  # the second has the focus, since its button was pressed last
        server.wait_turning(pressed_at)
        expect(page.locator("main[data-hold=live]")).to_have_count(1)
        page.keyboard.up("ArrowRight")
        server.wait_stopped()
