"""The picture finds its way: by WebRTC where that gets through, through HTTP alone where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.watchers import Watchers

from belvedere.access.sessions import EndReason

if TYPE_CHECKING:
    from playwright.sync_api import Locator
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

NO_UDP = """
  const Direct = RTCPeerConnection;
  window.blocksUdp ??= true;
  window.RTCPeerConnection = class extends Direct {
    constructor(configuration) {
      super(window.blocksUdp ? { ...configuration, iceTransportPolicy: "relay" } : configuration);
    }
  };
"""
"""Without a relay there is no candidate, as in a network that lets no UDP through."""
UDP_PASSES = "window.blocksUdp = false;"
SEEN = """
  window.seen = [];
  addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    const room = document.querySelector("main[data-picture]");
    const now = room && `${room.dataset.picture} ${room.dataset.way}`;
    if (now && now !== window.seen.at(-1)) window.seen.push(now);
  }).observe(document, { childList: true, subtree: true, attributes: true }));
"""
"""Records every state of the picture, and by which way it comes."""
DRAWN = """() => {
  const canvas = document.querySelector(".drawn-picture");
  if (canvas === null || canvas.width === 0) return null;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const brightest = data.reduce((most, value, i) => (i % 4 === 1 ? Math.max(most, value) : most), 0);
  return [canvas.width, canvas.height, brightest];
}"""
LIT = 100  # of 255; the room's walls are brighter


def overlap(one: Locator, other: Locator) -> bool:
    """Whether two elements cover a part of each other."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None
    assert b is not None
    is_beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    is_above = a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
    return not (is_beside or is_above)


@pytest.mark.any_size
def test_the_picture_changes_to_webrtc_without_a_gap_and_counts_as_one_viewer(
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.page.add_init_script(SEEN)
    watchers = Watchers(server)
    visitor.redeem(server.invite())
    states = visitor.page.evaluate("window.seen")
    assert states[-1] == "live direct"
    assert set(states) <= {"joining none", "live stream", "live direct"}
    watchers.wait(["WebRTC"])
    assert set(watchers.counts) == {1}
    visitor.photograph("direct")


@pytest.mark.any_size
def test_where_udp_is_blocked_the_picture_comes_by_the_socket_and_the_page_says_so(
    server: RunningServer, visitor: Visitor
) -> None:
    watchers = Watchers(server)
    visitor.page.add_init_script(NO_UDP)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    visitor.expect("way", "stream")
    visitor.expect("picture", "live")
    width, height, brightest = visitor.page.evaluate(DRAWN)
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert brightest > LIT
    visitor.expect("indirect", "true")
    note = visitor.page.get_by_text("Indirect picture")
    expect(note).to_be_visible()
    assert not overlap(note, visitor.page.get_by_role("button", name="Stop the camera"))
    box = visitor.page.locator(".drawn-picture").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(16 / 9, rel=0.01)
    visitor.photograph("indirect")
    visitor.expect("pan-link", "ready")
    visitor.sees_it_turn_after_a_fresh_press()
    visitor.tap("Connection")
    expect(visitor.page.locator("[data-latency=picture]")).to_contain_text("ms")
    visitor.photograph("indirect-panel")
    watchers.wait(["WebSocket"])


@pytest.mark.any_size
def test_webrtc_that_breaks_is_replaced_by_the_socket_and_driving_goes_on(
    server: RunningServer, visitor: Visitor
) -> None:
    watchers = Watchers(server)
    visitor.page.add_init_script(UDP_PASSES + NO_UDP)
    visitor.redeem(server.invite())
    visitor.page.evaluate("window.blocksUdp = true")
    watchers.end("WebRTC")
    visitor.expect("way", "stream")
    visitor.expect("picture", "live")
    visitor.sees_it_turn_after_a_fresh_press()


@pytest.mark.any_size
def test_the_end_of_the_session_ends_the_sockets_picture_and_nothing_of_the_room_stays(
    server: RunningServer, visitor: Visitor
) -> None:
    watchers = Watchers(server)
    visitor.page.add_init_script(NO_UDP)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    visitor.expect("picture", "live")
    watchers.end_sessions(EndReason.LEFT)
    expect(visitor.page.locator(".login-screen")).to_have_attribute("data-login", "ended")
    watchers.wait([])
    assert visitor.page.evaluate(DRAWN) is None


@pytest.mark.any_size
def test_a_browser_without_webcodecs_says_what_would_help_where_udp_is_blocked(
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.page.add_init_script("delete window.VideoDecoder;" + NO_UDP)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    expect(visitor.status.first).to_contain_text("does not let the picture through")
    expect(visitor.status.first).to_contain_text("would help")
    visitor.photograph("blocked")


@pytest.mark.any_size
def test_nobody_is_watched_before_the_tap(server: RunningServer, visitor: Visitor) -> None:
    watchers = Watchers(server)
    visitor.redeem(server.invite())
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="Look around")).to_be_visible()
    watchers.wait([])
    visitor.tap("Look around")
    visitor.expect("picture", "live")
