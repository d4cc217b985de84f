"""How visitors get a session and lose it, and what those without one see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


def test_without_a_session_the_page_only_says_how_to_get_one(server: RunningServer, visitor: Visitor) -> None:
    visitor.page.goto(f"http://127.0.0.1:{server.port}/")
    expect(visitor.page.get_by_role("heading")).to_have_text("You need a link to come in.")
    visitor.photograph("no-link")


@pytest.mark.any_size
def test_a_link_lets_one_browser_in_and_says_so_to_the_next(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    link = server.invite()
    visit().redeem(link)
    visitor.page.goto(link)
    expect(visitor.page.get_by_role("heading")).to_have_text("This link does not work.")
    visitor.photograph("used-link")


@pytest.mark.any_size
@pytest.mark.parametrize(("shortened", "words"), [(0, "This link does not work."), (3, "This link is not complete.")])
def test_a_guessed_link_and_a_part_of_one_let_nobody_in(
    server: RunningServer, visitor: Visitor, shortened: int, words: str
) -> None:
    link = server.invite()
    visitor.page.goto(link[:-43] + "x" * (43 - shortened))
    expect(visitor.page.get_by_role("heading")).to_have_text(words)
    assert visitor.page.context.cookies() == []


@pytest.mark.any_size
def test_the_browser_that_was_let_in_may_open_its_link_again(server: RunningServer, visitor: Visitor) -> None:
    link = server.invite()
    visitor.redeem(link)
    visitor.page.goto(link)
    visitor.tap("Look around")
    visitor.expect("picture", "live")


@pytest.mark.any_size
def test_the_secret_of_a_link_is_in_no_address_history_or_request_line(server: RunningServer, visitor: Visitor) -> None:
    link, addresses = server.invite(), []
    secret = link[-43:]
    visitor.page.on("request", lambda request: addresses.append(request.url))
    visitor.page.goto("about:blank")
    visitor.redeem(link)
    visitor.photograph("entered")
    assert secret not in visitor.page.url
    assert not [address for address in addresses if secret in address.partition("#")[0]]
    visitor.page.go_back()
    visitor.page.go_forward()
    assert secret not in visitor.page.url
    assert secret not in visitor.page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state])")


def test_a_page_that_is_loaded_again_waits_for_a_tap(server: RunningServer, visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="Look around")).to_be_visible()


@pytest.mark.any_size
def test_previews_of_a_link_leave_it_for_the_person(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor], browser: Browser
) -> None:
    link = server.invite()
    messenger = visit()  # some look at links in a browser of their own
    secret, addresses = link.partition("#")[2], list[str]()
    messenger.page.on("request", lambda request: addresses.append(request.url))
    for _ in range(3):
        assert visitor.page.request.get(link).status == 200
        assert visitor.page.request.head(link).status == 200
        messenger.page.goto("about:blank")
        messenger.page.goto(link)
        expect(messenger.page.get_by_role("heading")).to_have_text("Hello Somebody")
    assert addresses
    assert not [each for each in addresses if secret in each.partition("#")[0]]
    messenger.photograph("invited")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(link)
        expect(page.locator(".noscript")).to_be_visible()
    visitor.redeem(link)


def test_a_page_of_another_site_cannot_redeem_a_link(server: RunningServer, browser: Browser) -> None:
    link = server.invite()
    address, secret = f"http://127.0.0.1:{server.port}/api/v1/login/invitation", link[-43:]
    with browser.new_context() as context:
        page = context.new_page()
        body = f'{{"secret":"{secret}","'
        page.set_content(
            f'<form method="post" enctype="text/plain" action="{address}">'
            f"<input name='{body}' value='\":0}}'><button>Win a prize</button></form>"
        )
        page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text("foreign_origin")
        assert context.cookies() == []
        assert page.request.post(f"{address}/peek", data={"secret": secret}).status == 200


@pytest.mark.any_size
def test_ending_the_visit_closes_all_windows_and_the_session(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    other = visitor.page.context.new_page()
    other.goto(f"http://127.0.0.1:{server.port}/")
    other.get_by_role("button", name="Look around").click()
    visitor.page.bring_to_front()
    visitor.tap("Leave")
    visitor.photograph("left")
    visitor.tap("End my visit")
    expect(visitor.page.get_by_role("heading")).to_have_text("Goodbye, and until next time.")
    visitor.photograph("goodbye")
    expect(other.locator("[data-login=ended]")).to_contain_text("You have left in another window.")
    visitor.page.reload()
    expect(visitor.page.get_by_role("heading")).to_have_text("You need a link to come in.")
    assert f"belvedere-{server.port}" not in [cookie["name"] for cookie in visitor.page.context.cookies()]


@pytest.mark.any_size
def test_a_displaced_driver_is_stopped_and_sees_why(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    server.wait_turning(visitor.drag_right())
    server.crowd_in()
    stopped_at = server.wait_stopped()
    expect(visitor.page.locator("[data-login=ended]")).to_contain_text(
        "You have come in on too many other devices, so this visit has ended."
    )
    visitor.photograph("displaced")
    x, y = visitor.device.middle
    visitor.move_to(x + 30, y)
    assert server.is_still_since(stopped_at)
    visitor.release()
