"""Two browsers and one head: the second sees who drives, asks, and gets the camera with a yes; both know who drives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


@pytest.mark.any_size
def test_the_second_visitor_asks_the_first_who_turns_the_camera_and_gets_it_with_a_yes(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    first, second = visit(), visitor
    first.redeem(server.invite())
    second.redeem(server.invite())
    began = first.drag_right()
    server.wait_turning(began)
    first.expect("lease", "you")
    second.expect("lease", "other")
    expect(second.status).to_contain_text("is turning the camera.")
    second.photograph("someone-else-drives")

    second.tap("May I?")
    expect(second.status).to_contain_text("Waiting for an answer…")
    yes = first.page.get_by_role("button", name="Here you are")
    expect(yes).to_be_visible()
    first.photograph("may-i")
    yes.dispatch_event("click")  # the pointer still holds
    stopped_at = server.wait_stopped()
    second.expect("lease", "you")
    first.expect("lease", "other")
    first.expect("hold", "cut")
    expect(first.status).to_contain_text("is turning the camera.")
    x, y = first.device.middle
    first.move_to(x + 300, y)
    second.pictures_go_by(5)
    assert server.is_still_since(stopped_at)

    second.sees_it_turn_after_a_fresh_press()
    first.release()


@pytest.mark.any_size
def test_anyone_who_looks_can_stop_whoever_drives(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    driver, looker = visit(), visitor
    driver.redeem(server.invite())
    looker.redeem(server.invite())
    server.wait_turning(driver.drag_right())
    looker.tap("Stop the camera")
    stopped_at = server.wait_stopped()
    driver.expect("hold", "cut")
    expect(driver.status).to_contain_text("Let go and press again.")
    driver.pictures_go_by(5)
    assert server.is_still_since(stopped_at)
    driver.release()
    driver.sees_it_turn_after_a_fresh_press()


@pytest.mark.any_size
def test_leaving_frees_the_lease_at_once(server: RunningServer, visit: Callable[[], Visitor], visitor: Visitor) -> None:
    first = visit()
    first.redeem(server.invite())
    visitor.redeem(server.invite())
    first.sees_it_turn_after_a_fresh_press()
    visitor.expect("lease", "other")
    first.tap("Leave")
    visitor.expect("lease", "nobody")
    visitor.sees_it_turn_after_a_fresh_press()
