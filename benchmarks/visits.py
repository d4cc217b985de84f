"""Visits to a running server in Chromium, and how old the pictures are that they show.

The time bar contains the capture time, and Chromium reports the time of display. This includes drawing, encoding,
network, jitter buffer, decoding and compositing, but not camera and monitor. A 60 Hz screen shows a picture up to
16.7 ms after it is decoded. How long depends on the phase between camera and screen, which is constant during a visit.
So servers that are compared get many visits in turn, each with a newly started camera.
"""

from __future__ import annotations

import functools
import statistics
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.browser import clock_offset_ms, open_page, page_of, wait_until
from benchmarks.report import percentile
from benchmarks.rivals import janus
from benchmarks.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOM = 'kind = "room"\ntime_bar = true'
WARM_S = 1.5  # until the page is ready and the codec has reached its rate
WATCH_S = 3.0
GONE_S = 0.5


class Watched(NamedTuple):
    """The figures of one visit, in milliseconds and percent of a core."""

    median: float
    p95: float
    composed: float
    first: float
    cpu: float


def visits(browser: Browser, server: Server, count: int, script: str = "") -> list[Watched]:
    """Open the page, watch and leave, several times."""
    with page_of(browser, script) as page:
        return [_watch(page, server) for _ in range(count)]


def tap(page: Page, server: Server) -> None:
    """Open the page, wait as people do, tap, and wait for the first picture."""
    open_page(page, server)
    page.get_by_role("button", name="Look around").wait_for()
    time.sleep(1.0)
    page.get_by_role("button", name="Look around").click()
    wait_until(page, "bench.first > 0")


@functools.cache
def has_janus() -> bool:
    """Whether there is a Janus to compare with that starts; where there is none, say so, once."""
    problem = janus.why_not()
    if problem is None:
        try:
            with Server(*janus.command()):
                return True
        except RuntimeError as error:
            problem = str(error).strip().rpartition("\n")[2]
    print(f"  not compared with Janus: {problem}", file=sys.stderr, flush=True)
    return False


def _watch(page: Page, server: Server) -> Watched:
    tap(page, server)
    time.sleep(WARM_S)
    page.evaluate("bench.isReading = true")
    before, began = server.cpu_s(), time.monotonic()
    frames: list[tuple[float, float, float | None]] = []
    while time.monotonic() < began + WATCH_S:
        time.sleep(0.5)
        frames += page.evaluate("bench.frames.splice(0)")
    cpu = (server.cpu_s() - before) / (time.monotonic() - began) * 100
    first = page.evaluate("bench.first - bench.tapped")
    offset = clock_offset_ms(page)
    page.goto("about:blank")  # closes the connection, so the camera is turned off
    time.sleep(GONE_S)
    taken_ms = [(shown, composed, taken + 0.5 - offset) for shown, composed, taken in frames if taken is not None]
    if not taken_ms:
        raise RuntimeError(f"none of {len(frames)} pictures could be read")
    ages = [shown - taken for shown, _composed, taken in taken_ms]  # the bar's milliseconds are cut off, hence the 0.5
    composed_ages = [composed - taken for _shown, composed, taken in taken_ms]
    return Watched(statistics.median(ages), percentile(ages, 0.95), statistics.median(composed_ages), first, cpu)
