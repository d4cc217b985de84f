"""A whole visit at both sizes: from the printed link to a picture that moves as the hand does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import LivingHouse, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

ANGLE_TOLERANCE_DEG = 1.0  # pictures are compared in steps of a fifth of a degree

OVERLAPPING = """() => {
  const video = document.querySelector("video");
  const { top, bottom, width, height } = video.getBoundingClientRect();
  const bar = Math.max(0, (height - (width * video.videoHeight) / video.videoWidth) / 2);
  const edges = [top + bar, bottom - bar];
  return [".status-banner", ".leave", ".stop", ".connection-button"].filter((name) => {
    const box = document.querySelector(name).getBoundingClientRect();
    return edges.some((edge) => box.top < edge && edge < box.bottom);
  });
}"""


def test_one_tap_brings_a_picture_that_plays(config: LivingHouse, visitor: Visitor) -> None:
    visitor.page.goto(config.invite())
    expect(visitor.page.get_by_role("button")).to_have_count(1)
    visitor.photograph("start")
    visitor.tap("Come in")
    visitor.expect("picture", "live")
    visitor.pictures_go_by(10)
    ready_state, width, is_paused = visitor.page.evaluate(
        "(({readyState, videoWidth, paused}) => [readyState, videoWidth, paused])(document.querySelector('video'))"
    )
    assert (ready_state >= 2, width > 0, is_paused) == (True, True, False)
    visitor.expect("pan-link", "ready")
    visitor.photograph("live")


def test_a_drag_to_the_right_turns_unit_and_picture_and_letting_go_stops_both(
    config: LivingHouse, visitor: Visitor
) -> None:
    visitor.redeem(config.invite())
    before, from_deg = visitor.look(), config.angle()
    began = visitor.drag_right(0.15)
    config.wait_turning(began, at_least_deg=3)
    visitor.expect("moving", "true")
    visitor.photograph("dragging")
    let_go_at = visitor.let_go()
    assert config.wait_stopped() >= let_go_at
    to_deg = config.angle()
    assert visitor.has_turned_deg(before) == pytest.approx(to_deg - from_deg, abs=ANGLE_TOLERANCE_DEG)
    visitor.pictures_go_by(15)
    assert config.angle() == to_deg
    visitor.expect("moving", "false")


@pytest.mark.parametrize("key", ["ArrowRight", "KeyD"])
def test_a_held_key_turns_unit_and_picture_and_letting_go_stops_both(
    config: LivingHouse, visit: Callable[[], Visitor], key: str
) -> None:
    visitor = visit()
    visitor.redeem(config.invite())
    before, from_deg = visitor.look(), config.angle()
    pressed_at = visitor.press_key(key)
    config.wait_turning(pressed_at, at_least_deg=3)
    visitor.page.keyboard.up(key)
    config.wait_stopped()
    assert visitor.has_turned_deg(before) == pytest.approx(config.angle() - from_deg, abs=ANGLE_TOLERANCE_DEG)


def test_a_drag_to_the_left_turns_the_other_way(config: LivingHouse, visitor: Visitor) -> None:
    visitor.redeem(config.invite())
    before, from_deg = visitor.look(), config.angle()
    visitor.put_down()
    x, y = visitor.device.middle
    visitor.move_to(x - visitor.device.width // 5, y)
    config.wait("it turns left", lambda: config.head.pan.angle_deg < from_deg - 3)
    visitor.let_go()
    config.wait_stopped()
    assert visitor.has_turned_deg(before) == pytest.approx(config.angle() - from_deg, abs=ANGLE_TOLERANCE_DEG)


SLEEPER = """(() => {
  let slept = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() - slept;
  const stamp = Object.getOwnPropertyDescriptor(Event.prototype, "timeStamp").get;
  Object.defineProperty(Event.prototype, "timeStamp", { get() { return stamp.call(this) - slept; } });
  window.sleep = (ms) => {
    const began = now();
    while (now() - began < ms);
    slept += now() - began;
  };
})()"""


def test_after_a_sleep_in_which_the_pages_clock_stood_still_the_next_press_turns_it(
    config: LivingHouse, visitor: Visitor
) -> None:
    visitor.page.add_init_script(SLEEPER)
    visitor.redeem(config.invite())
    visitor.sees_it_turn_after_a_fresh_press()
    visitor.page.evaluate("sleep(3000)")
    visitor.expect("picture", "live")
    visitor.sees_it_turn_after_a_fresh_press()


def test_the_connection_panel_shows_the_latencies(config: LivingHouse, visitor: Visitor) -> None:
    visitor.redeem(config.invite())
    visitor.page.get_by_role("button", name="Connection").click()
    visitor.sees_it_turn_after_a_fresh_press()
    for latency in ("command", "picture"):
        expect(visitor.page.locator(f"[data-latency={latency}]")).to_contain_text("ms")


def test_no_control_overlaps_the_edge_of_the_picture(config: LivingHouse, visitor: Visitor) -> None:
    visitor.redeem(config.invite())
    visitor.expect("topic", "hint")
    assert visitor.page.evaluate(OVERLAPPING) == []
