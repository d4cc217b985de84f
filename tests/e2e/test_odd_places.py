"""The page where people really are: phones that turn, browsers that refuse or lack something, proxies, large print."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.devices import Device
from tests.e2e.test_ways import NO_UDP, SEEN, overlap
from tests.support.tcp_relay import TcpRelay

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

NO_WEBCODECS = "delete window.VideoDecoder;"
NO_H264 = """
  const all = RTCRtpReceiver.getCapabilities("video").codecs;
  const others = all.filter(({ mimeType }) => mimeType.toLowerCase() !== "video/h264");
  RTCRtpReceiver.getCapabilities = () => ({ codecs: others });
  const create = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (...how) {
    const transceiver = create.apply(this, how);
    if (transceiver.receiver.track.kind === "video") transceiver.setCodecPreferences(others);
    return transceiver;
  };
"""
"""A browser that offers every codec but the one that is sent."""
REFUSES_TO_PLAY = """
  window.mayPlay = false;
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    return window.mayPlay ? play.call(this) : Promise.reject(new DOMException("not now", "NotAllowedError"));
  };
  Object.defineProperty(HTMLMediaElement.prototype, "autoplay", { set() {} });
"""
"""As on a phone that saves power; Chromium itself lets muted video always play."""


def test_a_phone_that_is_turned_in_a_drag_stops_the_head(server: RunningServer, visitor_with_phone: Visitor) -> None:
    visitor = visitor_with_phone
    visitor.redeem(server.invite())
    pressed_at = visitor.drag_right(0.15)
    server.wait_turning(pressed_at)
    visitor.page.set_viewport_size({"width": visitor.device.height, "height": visitor.device.width})
    server.wait_stopped()
    visitor.expect("hold", "none")
    visitor.move_to(visitor.device.height - 20, visitor.device.width // 2)
    visitor.pictures_go_by()
    visitor.expect("hold", "none")
    visitor.release()


@pytest.mark.any_size
def test_keys_without_a_code_turn_and_stop(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    session = visitor.page.context.new_cdp_session(visitor.page)

    def send(what: str, key: str) -> None:
        session.send("Input.dispatchKeyEvent", {"type": what, "key": key, "code": ""})

    send("keyDown", "ArrowRight")
    visitor.expect("hold", "live")
    send("keyUp", "ArrowRight")
    visitor.expect("hold", "none")
    send("keyDown", "ArrowRight")
    visitor.expect("hold", "live")
    send("keyDown", "Escape")
    visitor.expect("topic", "hold_cut")
    server.wait_stopped()


@pytest.mark.any_size
def test_a_browser_that_refuses_to_play_shows_the_picture_by_a_tap(server: RunningServer, visitor: Visitor) -> None:
    visitor.page.add_init_script(NO_WEBCODECS + REFUSES_TO_PLAY)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    expect(visitor.status).to_contain_text("The picture is here.")
    visitor.photograph("tap-to-see")
    visitor.page.evaluate("window.mayPlay = true")
    visitor.tap("Tap to see")
    visitor.expect("picture", "live")
    visitor.expect("way", "direct")
    visitor.page.evaluate("window.mayPlay = false; document.querySelector('video').pause()")
    visitor.expect("topic", "tap_to_see")
    visitor.page.evaluate("window.mayPlay = true")
    visitor.tap("Tap to see")
    visitor.expect("picture", "live")


@pytest.mark.any_size
def test_a_browser_without_h264_names_it_and_asks_no_more(server: RunningServer, visitor: Visitor) -> None:
    offers: list[str] = []
    visitor.page.on("request", lambda sent: offers.append(sent.method) if "/whep?" in sent.url else None)
    visitor.page.add_init_script(NO_WEBCODECS + NO_H264)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    expect(visitor.status).to_contain_text("H.264")
    visitor.photograph("no-codec")
    assert offers == ["POST"]
    visitor.tap("Try again")
    expect(visitor.status).to_contain_text("H.264")
    assert offers == ["POST", "POST"]


@pytest.mark.any_size
def test_where_nothing_gets_through_that_is_said_and_not_two_things_in_turns(
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.page.add_init_script(NO_WEBCODECS + NO_UDP + SEEN)
    visitor.page.goto(server.invite())
    visitor.tap("Come in")
    expect(visitor.status).to_contain_text("does not let the picture through")
    expect(visitor.status).to_contain_text("The owner can help")
    visitor.photograph("blocked")
    visitor.page.wait_for_function("() => window.seen.filter((each) => each.startsWith('joining')).length > 1")
    expect(visitor.status).to_contain_text("does not let the picture through")


class ChangingRelay(TcpRelay):
    """A proxy that puts the address of the server it leads to in place of the `Host` that the browser sent."""

    def passed_on(self, data: bytes) -> bytes:
        return data.replace(f"Host: 127.0.0.1:{self.port}".encode(), f"Host: 127.0.0.1:{self.to_port}".encode())


@pytest.mark.any_size
def test_a_proxy_that_changes_the_host_is_named_for_the_owner(server: RunningServer, visitor: Visitor) -> None:
    with server.relay(ChangingRelay) as relay:
        visitor.page.goto(server.invite(relay.port))
        expect(visitor.page.get_by_role("heading", name="The way to this home is not set up right.")).to_be_visible()
        expect(visitor.page.get_by_text("must pass on Host and Origin")).to_be_visible()
        visitor.photograph("misrouted")


MAGNIFIED = Device("magnified", 320, 256, is_phone=False)  # what is left of 1280x1024 at 400 %


def controls(visitor: Visitor) -> dict[str, Locator]:
    """All that is seen over the picture, by what it is."""
    buttons, message = ".live-view > button, .live-view .tools button", ".status-banner:not([data-topic=nothing])"
    shown = f"{buttons}, {message}, .return-card"
    found = (each for each in visitor.page.locator(shown).all() if each.is_visible())
    return {each.get_attribute("aria-label") or each.inner_text(): each for each in found}


def test_magnified_four_times_nothing_overlaps(server: RunningServer, visit: Callable[[Device], Visitor]) -> None:
    visitor = visit(MAGNIFIED)
    visitor.page.goto(server.invite())
    visitor.photograph("invited")
    visitor.tap("Come in")
    visitor.expect("picture", "live")
    visitor.expect("pan-link", "ready")
    visitor.photograph("live")
    shown = controls(visitor)
    assert {"Leave", "Stop the camera"} <= shown.keys()
    overlapping = [(one, other) for (one, a), (other, b) in combinations(shown.items(), 2) if overlap(a, b)]
    assert overlapping == []
    visitor.tap("Close")
    visitor.tap("Connection")
    panel = visitor.page.locator(".connection-panel")
    expect(panel).to_be_visible()
    visitor.photograph("panel")
    assert not overlap(panel, visitor.page.get_by_role("button", name="Stop the camera"))
    assert not overlap(panel, visitor.page.get_by_role("button", name="Connection"))
    box = panel.bounding_box()
    assert box is not None
    assert min(box["x"], box["y"]) >= 0


EDGES = """() => [...document.querySelectorAll("button, .status-banner")].filter((each) => {
  return each.checkVisibility() && each.closest("[data-topic=nothing]") === null;
}).map((each) => {
  const { borderTopStyle, borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(each);
  const hasEdge = borderTopStyle === "solid" && parseFloat(borderTopWidth) >= 1 && borderTopColor !== backgroundColor;
  return [each.getAttribute("aria-label") ?? each.textContent, hasEdge];
})"""
STOP_COLOURS = """() => {
  const button = document.querySelector(".stop");
  return [getComputedStyle(button.querySelector("svg")).fill, getComputedStyle(button).backgroundColor];
}"""


@pytest.mark.any_size
def test_forced_colours_keep_the_shapes_of_buttons_the_status_and_the_stop(
    server: RunningServer, visitor: Visitor
) -> None:
    visitor.page.emulate_media(forced_colors="active")
    visitor.page.goto(server.invite())
    expect(visitor.page.get_by_role("button", name="Come in")).to_be_visible()
    visitor.photograph("forced-colours-invited")
    assert [name for name, has_edge in visitor.page.evaluate(EDGES) if not has_edge] == []
    visitor.tap("Come in")
    visitor.expect("picture", "live")
    visitor.expect("pan-link", "ready")
    visitor.photograph("forced-colours")
    assert [name for name, has_edge in visitor.page.evaluate(EDGES) if not has_edge] == []
    at_rest = visitor.page.evaluate(STOP_COLOURS)
    assert at_rest[0] != at_rest[1]
    visitor.drag_right()
    visitor.expect("hold", "live")
    visitor.photograph("forced-colours-turning")
    turning = visitor.page.evaluate(STOP_COLOURS)
    assert turning[0] != turning[1]
    assert turning[1] != at_rest[1]
    visitor.release()


@pytest.mark.any_size
def test_the_keyboard_finds_back_to_the_picture_and_out_of_it(server: RunningServer, visitor: Visitor) -> None:
    page = visitor.page
    visitor.redeem(server.invite())
    picture = page.get_by_role("application")
    expect(picture).to_be_focused()
    page.keyboard.press("Tab")
    expect(picture).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(picture).to_be_focused()
    leave = page.get_by_role("button", name="Leave")
    leave.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Look around")).to_be_focused()
    expect(page.get_by_role("main")).to_have_count(1)
