"""A whole visit at both sizes: from the printed link to a picture that moves with the drag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.e2e.conftest import PICTURE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

ANGLE_TOLERANCE_DEG = 1.0  # pictures are compared in steps of a fifth of a degree

OVERLAPPING = """() => {
  const video = document.querySelector("video");
  const { top, bottom, width, height } = video.getBoundingClientRect();
  const bar = Math.max(0, (height - (width * video.videoHeight) / video.videoWidth) / 2);
  const edges = [top + bar, bottom - bar];
  return [...document.querySelectorAll(".status-banner, .leave, .stop, .tool")].filter((control) => {
    const box = control.getBoundingClientRect();
    return edges.some((edge) => box.top < edge && edge < box.bottom);
  }).map((control) => control.className);
}"""


def test_one_tap_brings_a_picture_that_plays(server: RunningServer, visitor: Visitor) -> None:
    visitor.page.goto(server.invite())
    expect(visitor.page.get_by_role("button")).to_have_text(["中文", "Come in"])
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
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.redeem(server.invite())
    before, from_deg = visitor.look(), server.angle()
    began = visitor.drag_right(0.15)
    server.wait_turning(began, at_least_deg=3)
    visitor.expect("moving", "true")
    visitor.photograph("dragging")
    released_at = visitor.release()
    assert server.wait_stopped() >= released_at
    to_deg = server.angle()
    assert visitor.has_turned_deg(before) == pytest.approx(to_deg - from_deg, abs=ANGLE_TOLERANCE_DEG)
    visitor.pictures_go_by(15)
    assert server.angle() == to_deg
    visitor.expect("moving", "false")


@pytest.mark.parametrize("key", ["ArrowRight", "KeyD"])
def test_a_held_key_turns_unit_and_picture_and_letting_go_stops_both(
    server: RunningServer, visit: Callable[[], Visitor], key: str
) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    before, from_deg = visitor.look(), server.angle()
    pressed_at = visitor.press_key(key)
    server.wait_turning(pressed_at, at_least_deg=3)
    visitor.page.keyboard.up(key)
    server.wait_stopped()
    assert visitor.has_turned_deg(before) == pytest.approx(server.angle() - from_deg, abs=ANGLE_TOLERANCE_DEG)


@pytest.mark.any_size
def test_a_drag_to_the_left_turns_the_other_way(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    before, from_deg = visitor.look(), server.angle()
    visitor.press()
    x, y = visitor.device.middle
    visitor.move_to(x - visitor.device.width // 5, y)
    server.wait("it turns left", lambda: server.head.pan.angle_deg < from_deg - 3)
    visitor.release()
    server.wait_stopped()
    assert visitor.has_turned_deg(before) == pytest.approx(server.angle() - from_deg, abs=ANGLE_TOLERANCE_DEG)


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


@pytest.mark.any_size
def test_after_a_sleep_in_which_the_pages_clock_stood_still_the_next_press_turns_it(
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.page.add_init_script(SLEEPER)
    visitor.redeem(server.invite())
    visitor.sees_it_turn_after_a_fresh_press()
    visitor.page.evaluate("sleep(3000)")
    visitor.expect("picture", "live")
    visitor.sees_it_turn_after_a_fresh_press()


@pytest.mark.any_size
def test_the_connection_panel_shows_the_latencies(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    visitor.page.get_by_role("button", name="Connection").click()
    visitor.sees_it_turn_after_a_fresh_press()
    for latency in ("command", "picture"):
        expect(visitor.page.locator(f"[data-latency={latency}]")).to_contain_text("ms")


@pytest.mark.any_size
def test_one_tap_keeps_the_picture_as_a_file_of_the_cameras_size(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    with visitor.page.expect_download() as downloading:
        visitor.tap("Keep this picture")
    expect(visitor.page.locator(".still-note")).to_have_text("Saved")
    visitor.photograph("kept")
    assert re.fullmatch(r"belvedere-[0-9T.-]+[+-]\d{4}\.jpg", downloading.value.suggested_filename)
    with Image.open(downloading.value.path()) as picture:
        assert (picture.format, picture.size) == ("JPEG", PICTURE)


def test_no_control_overlaps_the_edge_of_the_picture(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    visitor.expect("topic", "hint")
    assert visitor.page.evaluate(OVERLAPPING) == []
