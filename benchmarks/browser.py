"""Debian's Chromium in headless mode, and scripts that read pictures in it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.serving import LOGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from benchmarks.serving import Server

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless=new",
    "--lang=en-GB",
    "--accept-lang=en-GB",  # buttons are found by what they say
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--allow-loopback-in-peer-connection",
]
POLL_S = 0.05

WATCH = """
(() => {
  const bench = window.bench = { frames: [], tapped: 0, first: 0, onPicture: null };
  addEventListener("click", () => { bench.tapped ||= performance.now(); }, true);
  const canvas = document.createElement("canvas");
  const drawImage = CanvasRenderingContext2D.prototype.drawImage;
  const read = (picture) => {
    const width = canvas.width = picture.videoWidth ?? picture.width;
    canvas.height = 16;
    const height = picture.videoHeight ?? picture.height;
    const line = Math.min(8, Math.floor(height / 90));  // the bar is scaled down with the picture
    const context = canvas.getContext("2d", { willReadFrequently: true });
    drawImage.call(context, picture, 0, 0, width, 16, 0, 0, width, 16);
    const row = context.getImageData(0, line, width, 1).data, bits = [];
    for (let cell = 0; cell < 40; cell++) bits.push(row[4 * Math.floor((cell + 0.5) * width / 40)] > 127 ? 1 : 0);
    const number = (from, to) => bits.slice(from, to).reduce((sum, bit) => sum * 2 + bit, 0);
    const ms = number(2, 34);
    const isRead = bits[0] === 1 && bits[1] === 0 && Math.imul(ms, 0x9E3779B1) >>> 26 === number(34, 40);
    return isRead ? ms : null;
  };
  bench.read = read;
  const follow = (video) => {
    const next = () => video.requestVideoFrameCallback((_now, metadata) => {
      const shown = performance.now();
      next();
      bench.first ||= shown;
      if (bench.onPicture) bench.onPicture(video, shown);
      else if (bench.isReading) bench.frames.push([shown, metadata.presentationTime, read(video)]);
    });
    next();
  };
  // A picture that came by the socket is drawn before a repaint, when a video's callbacks are called, too.
  CanvasRenderingContext2D.prototype.drawImage = function (...picture) {
    drawImage.apply(this, picture);
    if (!this.canvas.classList.contains("drawn-picture")) return;
    const shown = performance.now();
    bench.first ||= shown;
    if (bench.isReading) bench.frames.push([shown, shown, read(this.canvas)]);
  };
  const seen = new WeakSet();
  const look = () => document.querySelectorAll("video").forEach((video) => {
    if (!seen.has(video)) { seen.add(video); follow(video); }
  });
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", look);
})();
"""
"""Records the tap and the first picture and, while `bench.isReading`, when each was shown, composed and captured.

A picture that was drawn on a canvas is composed some milliseconds later, but nothing says when.
"""

NO_UDP = """
  const Direct = RTCPeerConnection;
  window.RTCPeerConnection = class extends Direct {
    constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
  };
"""
"""Without a relay there is no candidate, as in a network that lets no UDP through."""


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Run a browser, with these arguments besides ours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def page_of(browser: Browser, script: str = "") -> Iterator[Page]:
    """Open a page with its own profile, with WATCH and another script installed."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(WATCH + script)
    try:
        yield context.new_page()
    finally:
        context.close()


def open_page(page: Page, server: Server) -> None:
    """Redeem the server's link without its button, and open the page itself, which waits for a tap."""
    page.request.post(f"{server.address}{LOGIN}", data={"secret": server.link.partition("#")[2]})
    page.goto(server.address)


def clock_offset_ms(page: Page) -> float:
    """What to add to the page's `performance.now()` to get this machine's monotonic clock, both in milliseconds."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["NavigationStart"]) * 1000


def wait_until(page: Page, condition: str, timeout_s: float = 20.0) -> None:
    """Wait until a JavaScript expression is true; the page's content security policy forbids Playwright's own way."""
    deadline_at = time.monotonic() + timeout_s
    while not page.evaluate(condition):
        if time.monotonic() > deadline_at:
            raise RuntimeError(f"timed out waiting for: {condition}")
        time.sleep(POLL_S)
