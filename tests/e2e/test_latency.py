"""The delay on the page is the true one: a bar in the picture that encodes its capture time agrees with it."""

from __future__ import annotations

import re
import statistics
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.e2e.conftest import RunningServer, Visitor
from tests.e2e.devices import DESKTOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.realtime, pytest.mark.browser, pytest.mark.alone]  # the figures are what is tested

FRAME_MS = 1000 / 30
WATCH_S = 6.0  # the page shows a median over five seconds

READ_BARS = """() => {
  const canvas = document.createElement("canvas");
  const video = document.querySelector("video");
  window.readings = [];
  const read = () => {
    const width = canvas.width = video.videoWidth;
    canvas.height = 16;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, width, 16, 0, 0, width, 16);
    const row = context.getImageData(0, 8, width, 1).data, bits = [];
    for (let cell = 0; cell < 40; cell++) bits.push(row[4 * Math.floor((cell + 0.5) * width / 40)] > 127 ? 1 : 0);
    const number = (from, to) => bits.slice(from, to).reduce((sum, bit) => sum * 2 + bit, 0);
    const ms = number(2, 34);
    const isRead = bits[0] === 1 && bits[1] === 0 && Math.imul(ms, 0x9E3779B1) >>> 26 === number(34, 40);
    return isRead ? ms : null;
  };
  const next = () => video.requestVideoFrameCallback((_now, { expectedDisplayTime }) => {
    next();
    const capturedMs = read();
    if (capturedMs !== null) window.readings.push([expectedDisplayTime, capturedMs]);
  });
  next();
}"""
"""Records of every frame when it is displayed, on the page's clock, and the capture time that is drawn into it."""


def page_clock_ms(page: Page) -> float:
    """What to add to the page's `performance.now()` to get this machine's monotonic clock, both in milliseconds."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["NavigationStart"]) * 1000


def test_the_pages_own_figure_agrees_with_the_time_bar_within_a_frame(browser: Browser) -> None:
    with closing(RunningServer(has_time_bar=True)) as server:
        context = browser.new_context(viewport={"width": DESKTOP.width, "height": DESKTOP.height})
        visitor = Visitor(context.new_page(), server, DESKTOP)
        visitor.redeem(server.invite())
        visitor.tap("Connection")
        visitor.page.evaluate(READ_BARS)
        until_s = time.monotonic() + WATCH_S
        while time.monotonic() < until_s:
            visitor.pictures_go_by(10)
        shown = visitor.page.locator("[data-latency=picture]").inner_text()
        offset_ms = page_clock_ms(visitor.page)
        readings = visitor.page.evaluate("window.readings.slice(-150)")
        context.close()
    ages_ms = [displayed + offset_ms - (captured + 0.5) for displayed, captured in readings]  # whole milliseconds
    assert len(ages_ms) > 60
    figure = re.fullmatch(r"(\d+) ms", shown)
    assert figure is not None, shown
    assert float(figure[1]) == pytest.approx(statistics.median(ages_ms), abs=FRAME_MS)


def test_a_picture_that_stands_still_comes_the_other_way_and_then_directly_again(
    server: RunningServer, visit: Callable[[], Visitor]
) -> None:
    visitor = visit()
    visitor.redeem(server.invite())
    visitor.page.evaluate("document.querySelector('video').pause()")
    visitor.expect("way", "stream")
    visitor.expect("picture", "live")
    visitor.expect("way", "direct")
    visitor.pictures_go_by(5)
