"""Gestures on the picture, by real touch events: they frame and zoom it, and never move the head."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import WebSocket
    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

SHOWN = """() => {
  const { left, top, width, height } = document.querySelector("video").getBoundingClientRect();
  return [left, top, width, height];
}"""


PLACES = """() => [...document.querySelectorAll(".picture")].map((picture) => {
  const { left, top, width, height } = picture.getBoundingClientRect();
  return [left, top, width, height];
})"""


class SentMessages:
    """What the page sends on its control socket, from its opening on."""

    def __init__(self, visitor: Visitor) -> None:
        self._types: list[str] = []
        visitor.page.on("websocket", self._receive_socket)

    def __contains__(self, kind: str) -> bool:
        return kind in self._types

    def _receive_socket(self, socket: WebSocket) -> None:
        if not socket.url.endswith("/api/v1/control"):
            return  # it carries pictures
        socket.on("framesent", lambda frame: self._types.append(json.loads(frame)["type"]))


def pinch(visitor: Visitor, from_px: int, to_px: int) -> None:
    """Two fingers, one after the other, that move from one distance to another around the middle of the screen."""
    x, y = visitor.device.middle
    visitor.touch("touchStart", {0: (x - from_px // 2, y)})
    visitor.touch("touchStart", {0: (x - from_px // 2, y), 1: (x + from_px // 2, y)})
    for step in range(1, 11):
        half = (from_px + (to_px - from_px) * step // 10) // 2
        visitor.touch("touchMove", {0: (x - half, y), 1: (x + half, y)})
    visitor.touch("touchEnd", {0: (x - to_px // 2, y)})
    visitor.touch("touchMove", {1: (x + to_px // 2, y - 60)})
    visitor.touch("touchMove", {1: (x + to_px // 2, y - 120)})
    visitor.touch("touchEnd")


def double_tap(visitor: Visitor) -> None:
    """Two quick taps in the middle."""
    for _ in range(2):
        visitor.press()
        visitor.release()


def test_an_upright_phone_is_filled_and_a_double_tap_or_the_button_shows_the_whole_picture(
    server: RunningServer, visitor_with_phone: Visitor
) -> None:
    visitor = visitor_with_phone
    sent = SentMessages(visitor)
    visitor.redeem(server.invite())
    visitor.expect("framing", "fill")
    left, top, width, height = visitor.page.evaluate(SHOWN)
    assert (round(top), round(height)) == (0, visitor.device.height)
    assert (round(left), round(width)) == (-555, 1500)
    double_tap(visitor)
    visitor.expect("framing", "fit")
    visitor.page.reload()
    visitor.tap("Look around")
    visitor.expect("picture", "live")
    visitor.expect("framing", "fit")
    visitor.photograph("whole")
    assert round(visitor.page.evaluate(SHOWN)[2]) == visitor.device.width
    visitor.tap("Fill the screen")
    visitor.expect("framing", "fill")
    assert "drive" not in sent
    assert "lease.acquire" not in sent


def test_a_pinch_zooms_and_sends_nothing_that_drives_and_a_drag_afterwards_does(
    server: RunningServer, visitor_with_phone: Visitor
) -> None:
    visitor = visitor_with_phone
    sent = SentMessages(visitor)
    visitor.redeem(server.invite())
    before = server.angle()
    pinch(visitor, 100, 250)
    visitor.expect("zoom", "2.50")
    visitor.photograph("zoomed")
    visitor.pictures_go_by()
    assert "drive" not in sent
    assert server.angle() == before
    visitor.sees_it_turn_after_a_fresh_press()
    assert "drive" in sent
    visitor.tap("Undo the zoom")
    visitor.expect("zoom", "1.00")


@pytest.mark.any_size
def test_all_that_shows_the_picture_is_cropped_alike(server: RunningServer, visitor: Visitor) -> None:
    visitor.redeem(server.invite())
    places = {tuple(place) for place in visitor.page.evaluate(PLACES)}
    assert places == {tuple(visitor.page.evaluate(SHOWN))}
