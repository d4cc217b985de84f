"""Latency from a key press to the first moved pixel: real page and server, virtual units on a 30 ms link, Chromium.

The floor is the minimum for any server on this link and at this frame rate: on average half a link interval until the
next connection event, and half a frame until the next picture. Everything else is ours: the page, the socket, the core,
bleak, the motor's start, encoding, decoding, compositing.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.browser import chromium, open_page, page_of, wait_until
from benchmarks.report import Result, compare, percentile
from benchmarks.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS = 3
PRESSES = 20
HOLD_S = 0.25
REST_S = 0.6  # until the motor is at rest and its last picture was shown
INTERVAL_MS = 30  # what Linux gives, and the virtual head by default
FRAME_MS = 1000 / 30
FLOOR_MS = (INTERVAL_MS + FRAME_MS) / 2

MOVES = """(() => {
  const canvas = new OffscreenCanvas(1280, 24), rows = 24;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let still = null, pressed = 0;
  bench.presses = [];
  const look = (video) => {
    const width = video.videoWidth;
    context.drawImage(video, 0, video.videoHeight * 0.6, width, rows, 0, 0, width, rows);
    return context.getImageData(0, 0, width, rows).data;
  };
  const hasMoved = (before, after) => {
    let changed = 0;
    for (let i = 1; i < after.length; i += 4) if (Math.abs(after[i] - before[i]) > 10) changed += 1;
    return changed > after.length / 4 * 0.005;
  };
  bench.onPicture = (video, shown) => {
    const picture = look(video);
    if (pressed && still && hasMoved(still, picture)) { bench.presses.push(shown - pressed); pressed = 0; }
    if (!pressed) { still = picture; bench.hasLooked = true; }
  };
  addEventListener("keydown", (event) => { if (!event.repeat) pressed = event.timeStamp; }, true);
})()"""


def run() -> list[Result]:
    """Press many times, at random phases."""
    medians: list[float] = []
    slow: list[float] = []
    with chromium() as browser:
        for _ in range(ROUNDS):
            delays = _press(browser)
            medians.append(statistics.median(delays))
            slow.append(percentile(delays, 0.95))
    scene = f"{PRESSES} presses a round, link interval {INTERVAL_MS} ms, 1280x720 at 30 fps"
    rival_is = f"the analytic floor: half a link interval and half a frame, {FLOOR_MS:.1f} ms on average"
    return [
        compare(
            "press-median",
            f"from a key to the first moved pixel in Chromium, the median of a round; {scene}",
            "ms",
            ours=medians,
            rival=[FLOOR_MS],
            rival_is=rival_is,
            budget=80,
        ),
        compare("press-p95", f"the 95th percentile of the same; {scene}", "ms", ours=slow),
    ]


def _press(browser: Browser) -> list[float]:
    """Measure the presses of one visit to one server."""
    chance = random.Random()
    with serving() as server, page_of(browser) as page:
        server.wait_connected()
        open_page(page, server)
        page.get_by_role("button", name="Look around").click()
        wait_until(page, "bench.first > 0")
        wait_until(page, "document.querySelector('main').dataset.picture === 'live'")
        wait_until(page, "document.querySelector('main').dataset.panLink === 'ready'")
        time.sleep(1.5)
        page.evaluate(MOVES)
        wait_until(page, "bench.hasLooked")  # the first press needs a picture to compare with
        delays: list[float] = []
        for number in range(PRESSES):
            wait_until(page, "document.querySelector('main').dataset.picture === 'live'")
            _hold(page, ("ArrowRight", "ArrowLeft")[number % 2])
            time.sleep(REST_S + chance.uniform(0, 0.1))
            delays += page.evaluate("bench.presses.splice(0)")
    if len(delays) < PRESSES // 2:
        raise RuntimeError(f"only {len(delays)} of {PRESSES} presses moved the picture")
    return delays


def _hold(page: Page, key: str) -> None:
    page.keyboard.down(key)
    time.sleep(HOLD_S)
    page.keyboard.up(key)
