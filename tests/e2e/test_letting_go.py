"""Every way in which a hand can be lost while it holds: the head stops, and only a fresh press moves it again."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from tests.e2e.conftest import LivingHouse, Visitor
    from tests.e2e.lone_browser import LoneBrowser

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

DEAD_MAN_S = 0.5
INTERVAL_S = 0.03  # of the virtual head's links
TICK_S = 0.025
SLACK_S = 0.5  # what a busy machine may add; tests/faults hold these times to the millisecond


def test_a_mouse_let_go_outside_the_window_is_let_go(config: LivingHouse, visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    visitor.redeem(config.invite())
    began = visitor.drag_right()
    visitor.move_to(3000, -500)
    config.wait_turning(began)
    let_go_at = visitor.let_go()
    assert config.wait_stopped() >= let_go_at
    visitor.expect("hold", "none")


def test_a_second_finger_neither_moves_nor_ends_the_hold_of_the_first(
    config: LivingHouse, visitor_with_phone: Visitor
) -> None:
    visitor = visitor_with_phone
    visitor.redeem(config.invite())
    x, y = visitor.device.middle
    began = visitor.drag_right(0.2)
    config.wait_turning(began)
    first, second = (x + round(visitor.device.width * 0.2), y), (x - 150, y + 200)
    visitor.touch("touchStart", {0: first, 1: (x, y + 100)})
    visitor.touch("touchMove", {0: first, 1: second})
    visitor.touch("touchEnd", {1: second})
    lifted_at = time.monotonic()
    config.wait_turning(lifted_at, at_least_deg=2)
    assert all(not frame.frame.startswith(bytes.fromhex("0202")) for frame in config.frames_since(began))
    visitor.expect("hold", "live")
    let_go_at = visitor.let_go()
    assert config.wait_stopped() >= let_go_at


def test_a_window_that_loses_the_keyboard_lets_go(config: LivingHouse, page_of_people: Page) -> None:
    page_of_people.keyboard.down("ArrowRight")
    config.wait_turning(time.monotonic() - 1)
    other = page_of_people.context.new_page()
    config.wait_stopped()
    other.close()


def test_a_hidden_tab_lets_go_and_gives_the_head_back_and_a_hand_still_down_moves_nothing(
    config: LivingHouse, page_of_people: Page
) -> None:
    page = page_of_people
    page.mouse.move(300, 300)
    page.mouse.down()
    pressed_at = time.monotonic()
    page.mouse.move(400, 300)
    config.wait_turning(pressed_at)
    hidden_at = time.monotonic()
    other = page.context.new_page()
    page.wait_for_function("document.visibilityState === 'hidden'", polling=50)
    stopped_at = config.wait_stopped()
    assert stopped_at - hidden_at < DEAD_MAN_S + INTERVAL_S + TICK_S + SLACK_S
    config.rest()
    other.close()
    page.wait_for_selector("main[data-picture=live]")
    page.mouse.move(420, 300)
    page.wait_for_selector("main[data-hold=none]")
    assert config.is_still_since(stopped_at)
    page.mouse.up()
    page.mouse.down()
    page.mouse.move(320, 300)
    page.mouse.move(500, 300)
    config.wait_turning(stopped_at)
    page.mouse.up()
    config.wait_stopped()


@pytest.mark.parametrize("end", ["closed", "renderer_killed", "renderer_frozen", "browser_killed"])
def test_a_page_that_ends_mid_hold_is_followed_by_a_stop_in_time(
    config: LivingHouse, lone_browser: LoneBrowser, page_of_people: Page, end: str
) -> None:
    """In time: the dead-man time, one link interval and one tick, and what a busy machine adds."""
    page = page_of_people
    page.keyboard.down("ArrowRight")
    config.wait_turning(time.monotonic() - 1)
    renderers = lone_browser.renderers()
    ended_at = time.monotonic()
    if end == "closed":
        page.close()
    elif end == "browser_killed":
        os.kill(lone_browser.process.pid, signal.SIGKILL)
    else:
        for renderer in renderers:
            os.kill(renderer, signal.SIGKILL if end == "renderer_killed" else signal.SIGSTOP)
    stopped_at = config.wait_stopped()
    assert stopped_at - ended_at <= DEAD_MAN_S + INTERVAL_S + TICK_S + SLACK_S
    assert config.is_still_since(stopped_at)
