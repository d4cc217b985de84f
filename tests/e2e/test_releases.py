"""Every way in which a hold can end: the head stops, and only a new press moves it again."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from tests.e2e.conftest import RunningServer, Visitor
    from tests.e2e.lone_browser import LoneBrowser

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

DEAD_MAN_S = 0.5
INTERVAL_S = 0.03  # of the virtual head's links
TICK_S = 0.025
SLACK_S = 0.5  # what a busy machine may add; tests/faults hold these times to the millisecond


def test_a_mouse_button_released_outside_the_window_ends_the_hold(
    server: RunningServer, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    began = visitor.drag_right()
    visitor.move_to(3000, -500)
    server.wait_turning(began)
    released_at = visitor.release()
    assert server.wait_stopped() >= released_at
    visitor.expect("hold", "none")


def test_a_second_finger_ends_the_hold_and_neither_drives_until_all_are_lifted(
    server: RunningServer, visitor_with_phone: Visitor
) -> None:
    visitor = visitor_with_phone
    visitor.redeem(server.invite())
    x, y = visitor.device.middle
    began = visitor.drag_right(0.2)
    server.wait_turning(began)
    first, second = (x + round(visitor.device.width * 0.2), y), (x - 150, y + 200)
    visitor.touch("touchStart", {0: first, 1: second})
    stopped_at = server.wait_stopped()
    visitor.expect("hold", "none")
    visitor.touch("touchMove", {0: (first[0] - 90, y), 1: second})
    visitor.touch("touchEnd", {1: second})
    visitor.touch("touchMove", {0: (x, y - 100)})
    visitor.touch("touchMove", {0: (x - 100, y)})
    visitor.pictures_go_by()
    assert server.is_still_since(stopped_at)
    visitor.touch("touchEnd")
    visitor.sees_it_turn_after_a_fresh_press()


def test_a_window_that_loses_focus_ends_the_hold(server: RunningServer, ready_page: Page) -> None:
    ready_page.keyboard.down("ArrowRight")
    server.wait_turning(time.monotonic() - 1)
    other = ready_page.context.new_page()
    server.wait_stopped()
    other.close()


def test_a_hidden_tab_ends_the_hold_and_returns_the_lease_and_a_held_button_moves_nothing(
    server: RunningServer, ready_page: Page
) -> None:
    page = ready_page
    page.mouse.move(300, 300)
    page.mouse.down()
    pressed_at = time.monotonic()
    page.mouse.move(400, 300)
    server.wait_turning(pressed_at)
    hidden_at = time.monotonic()
    other = page.context.new_page()
    page.wait_for_function("document.visibilityState === 'hidden'", polling=50)
    stopped_at = server.wait_stopped()
    assert stopped_at - hidden_at < DEAD_MAN_S + INTERVAL_S + TICK_S + SLACK_S
    server.rest()
    other.close()
    page.wait_for_selector("main[data-picture=live]")
    page.mouse.move(420, 300)
    page.wait_for_selector("main[data-hold=none]")
    assert server.is_still_since(stopped_at)
    page.mouse.up()
    page.mouse.down()
    page.mouse.move(320, 300)
    page.mouse.move(500, 300)
    server.wait_turning(stopped_at)
    page.mouse.up()
    server.wait_stopped()


@pytest.mark.parametrize("end", ["closed", "renderer_killed", "renderer_frozen", "browser_killed"])
def test_a_page_that_ends_mid_hold_is_followed_by_a_stop_in_time(
    server: RunningServer, lone_browser: LoneBrowser, ready_page: Page, end: str
) -> None:
    """In time: the dead-man time, one link interval and one tick, and what a busy machine adds."""
    page = ready_page
    page.keyboard.down("ArrowRight")
    server.wait_turning(time.monotonic() - 1)
    renderers = lone_browser.renderers()
    ended_at = time.monotonic()
    if end == "closed":
        page.close()
    elif end == "browser_killed":
        os.kill(lone_browser.process.pid, signal.SIGKILL)
    else:
        for renderer in renderers:
            os.kill(renderer, signal.SIGKILL if end == "renderer_killed" else signal.SIGSTOP)
    stopped_at = server.wait_stopped()
    assert stopped_at - ended_at <= DEAD_MAN_S + INTERVAL_S + TICK_S + SLACK_S
    assert server.is_still_since(stopped_at)
