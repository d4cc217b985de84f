"""What lies between hand and head breaks: the page says so in words, comes back by itself, and wants a fresh press."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import LivingHouse, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

DEAD_MAN_S = 0.5
SLACK_S = 0.6  # an interval, a tick, and what a busy machine may add; tests/faults hold these to the millisecond
UNTIL_LIVE = """() => {
  const room = document.querySelector("main");
  const seen = [];
  window.untilLive = new Promise((done) => {
    const look = () => seen.push(room.dataset.picture) && room.dataset.picture === "live" && done(seen);
    new MutationObserver(look).observe(room, { attributeFilter: ["data-picture"] });
  });
}"""

LAST_FRAME = """() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, data.reduce((most, value, index) => (index % 4 === 1 ? Math.max(most, value) : most), 0)];
}"""
DARK = 100  # of 255; the room's walls are far brighter


def test_a_cut_network_stops_the_head_and_the_page_comes_back_by_itself(config: LivingHouse, visitor: Visitor) -> None:
    with config.relay() as relay:
        visitor.redeem(config.invite(relay.port))
        config.wait_turning(visitor.drag_right())
        config.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        expect(visitor.says).to_contain_text("Reconnecting")
        visitor.photograph("lost-link")
        stopped_at = config.wait_stopped()

        config.do(relay.resume)
        visitor.expect("pan-link", "ready")
        visitor.expect("hold", "cut")
        visitor.pictures_go_by(5)
        assert config.is_still_since(stopped_at)
        visitor.let_go()
        visitor.expect("hold", "none")
        visitor.sees_it_turn_after_a_fresh_press()


def test_a_network_that_falls_silent_stops_the_head_by_the_dead_man_and_the_page_notices(
    config: LivingHouse, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    with config.relay() as relay:
        visitor.redeem(config.invite(relay.port))
        config.wait_turning(visitor.drag_right())
        silent_at = time.monotonic()
        config.do(relay.stall)
        stopped_at = config.wait_stopped()
        assert stopped_at - silent_at <= DEAD_MAN_S + SLACK_S
        visitor.expect("hold", "cut")
        visitor.expect("topic", "reconnecting")

        config.do(relay.resume)
        visitor.expect("pan-link", "ready")
        assert config.is_still_since(stopped_at)
        visitor.let_go()
        visitor.sees_it_turn_after_a_fresh_press()


def test_a_browser_that_goes_offline_says_so_and_comes_back(config: LivingHouse, visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    with config.relay() as relay:
        visitor.redeem(config.invite(relay.port))
        visitor.page.context.set_offline(True)
        config.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        config.do(relay.resume)
        visitor.page.context.set_offline(False)
        visitor.expect("pan-link", "ready")
        visitor.sees_it_turn_after_a_fresh_press()


def test_a_stop_without_a_connection_is_told_to_be_lost_and_stops_the_head_when_it_is_back(
    config: LivingHouse, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    driver = visit()
    driver.redeem(config.invite())
    with config.relay() as relay:
        visitor.redeem(config.invite(relay.port))
        config.wait_turning(driver.drag_right())
        config.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        visitor.tap("Stop the camera")
        visitor.expect("topic", "stop_lost")
        expect(visitor.says).to_contain_text("the camera stops by itself when nobody is turning it")
        visitor.photograph("stop-without-connection")
        config.do(relay.resume)
        config.wait_stopped()
        driver.expect("hold", "cut")
        visitor.expect("pan-link", "ready")
        driver.let_go()


def test_a_picture_that_the_server_ends_is_joined_again_before_it_looks_frozen(
    config: LivingHouse, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    visitor.redeem(config.invite())
    visitor.page.evaluate(UNTIL_LIVE)
    config.break_picture_off()
    assert visitor.page.evaluate("window.untilLive") == ["waiting", "joining", "live"]
    width, brightest = visitor.page.evaluate(LAST_FRAME)
    assert (width > 0, brightest > DARK) == (True, True)  # the last frame was shown meanwhile, not black


def test_a_unit_that_drops_its_link_mid_hold_is_told_stopped_first_and_wants_a_fresh_press(
    config: LivingHouse, visitor: Visitor
) -> None:
    def drop() -> float:
        config.head.faults.drop(Axis.PAN)
        return time.monotonic()  # read where it happens: until then moves keep coming

    visitor.redeem(config.invite())
    config.wait_turning(visitor.drag_right())
    dropped_at = config.do(drop)
    visitor.expect("hold", "cut")
    expect(visitor.says).to_contain_text("stopped answering")
    visitor.photograph("head-out-of-reach")
    visitor.expect("pan-link", "ready")
    stopped_at = config.wait_stopped()
    assert config.frames_since(dropped_at)[0].at_s == stopped_at
    visitor.pictures_go_by(5)
    assert config.is_still_since(stopped_at)
    visitor.expect("hold", "cut")
    visitor.let_go()
    visitor.sees_it_turn_after_a_fresh_press()


def test_a_unit_out_of_reach_is_told_in_words_while_the_other_axis_goes_on(
    config: LivingHouse, visitor: Visitor
) -> None:
    visitor.redeem(config.invite())
    config.do(lambda: config.head.faults.vanish(Axis.TILT))
    try:
        expect(visitor.says).to_contain_text("turn up or down at the moment")
        visitor.photograph("tilt-out-of-reach")
        visitor.sees_it_turn_after_a_fresh_press()
    finally:
        config.do(lambda: config.head.faults.come_back(Axis.TILT))
    visitor.expect("tilt-link", "ready")
