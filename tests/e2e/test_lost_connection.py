"""Connections between visitor and head fail: the page says so, reconnects by itself, and needs a new press."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import RunningServer, Visitor

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


@pytest.mark.any_size
def test_a_cut_network_stops_the_head_and_the_page_comes_back_by_itself(
    server: RunningServer, visitor: Visitor
) -> None:
    with server.relay() as relay:
        visitor.redeem(server.invite(relay.port))
        server.wait_turning(visitor.drag_right())
        server.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        expect(visitor.status).to_contain_text("Reconnecting")
        visitor.photograph("lost-link")
        stopped_at = server.wait_stopped()

        server.do(relay.resume)
        visitor.expect("pan-link", "ready")
        visitor.expect("hold", "cut")
        visitor.pictures_go_by(5)
        assert server.is_still_since(stopped_at)
        visitor.release()
        visitor.expect("hold", "none")
        visitor.sees_it_turn_after_a_fresh_press()


def test_a_network_that_falls_silent_stops_the_head_by_the_dead_man_and_the_page_notices(
    server: RunningServer, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    with server.relay() as relay:
        visitor.redeem(server.invite(relay.port))
        server.wait_turning(visitor.drag_right())
        silent_at = time.monotonic()
        server.do(relay.stall)
        stopped_at = server.wait_stopped()
        assert stopped_at - silent_at <= DEAD_MAN_S + SLACK_S
        visitor.expect("hold", "cut")
        visitor.expect("topic", "reconnecting")

        server.do(relay.resume)
        visitor.expect("pan-link", "ready")
        assert server.is_still_since(stopped_at)
        visitor.release()
        visitor.sees_it_turn_after_a_fresh_press()


def test_a_browser_that_goes_offline_says_so_and_comes_back(
    server: RunningServer, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    with server.relay() as relay:
        visitor.redeem(server.invite(relay.port))
        visitor.page.context.set_offline(True)
        server.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        server.do(relay.resume)
        visitor.page.context.set_offline(False)
        visitor.expect("pan-link", "ready")
        visitor.sees_it_turn_after_a_fresh_press()


@pytest.mark.any_size
def test_a_stop_without_a_connection_is_reported_and_stops_the_head_after_reconnecting(
    server: RunningServer, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    driver = visit()
    driver.redeem(server.invite())
    with server.relay() as relay:
        visitor.redeem(server.invite(relay.port))
        server.wait_turning(driver.drag_right())
        server.do(relay.reset)
        visitor.expect("topic", "reconnecting")
        visitor.tap("Stop the camera")
        visitor.expect("topic", "stop_lost")
        expect(visitor.status).to_contain_text("the camera stops by itself when nobody is turning it")
        visitor.photograph("stop-without-connection")
        server.do(relay.resume)
        server.wait_stopped()
        driver.expect("hold", "cut")
        visitor.expect("pan-link", "ready")
        driver.release()


def test_a_picture_that_the_server_ends_is_joined_again_before_it_looks_frozen(
    server: RunningServer, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    visitor.page.evaluate(UNTIL_LIVE)
    server.break_picture_off()
    assert visitor.page.evaluate("window.untilLive") == ["joining", "live"]
    width, brightest = visitor.page.evaluate(LAST_FRAME)
    assert (width > 0, brightest > DARK) == (True, True)  # the last frame was shown meanwhile, not black


@pytest.mark.any_size
def test_a_unit_that_drops_its_link_in_a_hold_is_stopped_first_and_needs_a_new_press(
    server: RunningServer, visitor: Visitor
) -> None:
    def drop() -> float:
        server.head.faults.drop(Axis.PAN)
        return time.monotonic()  # read where it happens: until then moves keep coming

    visitor.redeem(server.invite())
    server.wait_turning(visitor.drag_right())
    dropped_at = server.do(drop)
    visitor.expect("hold", "cut")
    expect(visitor.status).to_contain_text("stopped answering")
    visitor.photograph("head-out-of-reach")
    visitor.expect("pan-link", "ready")
    stopped_at = server.wait_stopped()
    assert server.frames_since(dropped_at)[0].at_s == stopped_at
    visitor.pictures_go_by(5)
    assert server.is_still_since(stopped_at)
    visitor.expect("hold", "cut")
    visitor.release()
    visitor.sees_it_turn_after_a_fresh_press()


@pytest.mark.any_size
def test_a_unit_out_of_reach_is_reported_while_the_other_axis_works(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    server.do(lambda: server.head.faults.vanish(Axis.TILT))
    try:
        expect(visitor.status).to_contain_text("turn up or down at the moment")
        visitor.photograph("tilt-out-of-reach")
        visitor.sees_it_turn_after_a_fresh_press()
    finally:
        server.do(lambda: server.head.faults.come_back(Axis.TILT))
    visitor.expect("tilt-link", "ready")
