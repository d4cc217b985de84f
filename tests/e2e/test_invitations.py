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


def test_without_a_link_the_page_only_says_how_to_get_one(server: RunningServer, visitor: Visitor) -> None:
    answer = visitor.page.goto(f"http://127.0.0.1:{server.port}/")
    assert answer is not None
    assert answer.status == 401
    expect(visitor.page.get_by_role("heading")).to_have_text("You need a link to come in")
    visitor.photograph("no-link")


@pytest.mark.any_size
def test_a_link_lets_one_browser_in_and_says_so_to_the_next(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    link = server.invite()
    visit().redeem(link)
    answer = visitor.page.goto(link)
    assert answer is not None
    assert answer.status == 403
    expect(visitor.page.get_by_role("heading")).to_have_text("This link does not work any more")
    visitor.photograph("used-link")


@pytest.mark.any_size
def test_the_browser_that_was_let_in_may_open_its_link_again(server: RunningServer, visitor: Visitor) -> None:
    link = server.invite()
    visitor.redeem(link)
    visitor.page.goto(link)
    visitor.tap("Look around")
    visitor.expect("picture", "live")


def test_a_page_that_is_loaded_again_waits_for_a_tap(server: RunningServer, visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    assert visitor.page.url == f"http://127.0.0.1:{server.port}/"
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="Look around")).to_be_visible()


@pytest.mark.any_size
def test_previews_of_a_link_leave_it_for_the_person(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    link = server.invite()
    messenger = visit()  # some look at links in a browser of their own
    for _ in range(3):
        assert visitor.page.request.get(link).status == 200
        assert visitor.page.request.head(link).status == 200
        assert messenger.page.goto(link) is not None
        expect(messenger.page.get_by_role("heading")).to_have_text("You are invited")
    visitor.redeem(link)


@pytest.mark.parametrize("has_script", [True, False])
def test_the_button_says_where_it_was_pressed_and_needs_no_script(
    server: RunningServer, browser: Browser, *, has_script: bool
) -> None:
    with browser.new_context(java_script_enabled=has_script) as context:
        page = context.new_page()
        page.goto(server.invite())
        with page.expect_request(lambda request: request.method == "POST") as pressed:
            page.get_by_role("button", name="Come in").click()
        page.wait_for_url(f"http://127.0.0.1:{server.port}/**")
        assert pressed.value.all_headers()["origin"] == f"http://127.0.0.1:{server.port}"
        assert f"belvedere-{server.port}" in [cookie["name"] for cookie in context.cookies()]


def test_a_page_of_another_site_cannot_redeem_a_link(server: RunningServer, browser: Browser) -> None:
    link = server.invite()
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(f'<form method="post" action="{link}"><button>Win a prize</button></form>')
        page.get_by_role("button").click()
        expect(page.get_by_role("heading")).to_have_text("This came from another page")
        assert context.cookies() == []
        assert page.request.get(link).status == 200


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
    expect(visitor.status).to_contain_text("Goodbye")
    visitor.photograph("goodbye")
    expect(other.get_by_role("status")).to_contain_text("You have left in another window.")
    answer = visitor.page.reload()
    assert answer is not None
    assert answer.status == 401
    assert f"belvedere-{server.port}" not in [cookie["name"] for cookie in visitor.page.context.cookies()]


@pytest.mark.any_size
def test_a_displaced_driver_is_stopped_and_sees_why(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    server.wait_turning(visitor.drag_right())
    server.crowd_in()
    stopped_at = server.wait_stopped()
    expect(visitor.status).to_contain_text("Many others came in, so this visit has ended.")
    visitor.photograph("displaced")
    x, y = visitor.device.middle
    visitor.move_to(x + 30, y)
    assert server.is_still_since(stopped_at)
    visitor.release()
