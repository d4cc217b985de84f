"""How the picture fares on bad lines: little bandwidth, delay and loss (`wan.py`; needs root).

The server runs at the far end of the line, Chromium at this one. The time bar says how old each shown picture is; how
long nothing new was shown is the gap between two shown pictures.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.browser import chromium, clock_offset_ms, open_page, page_of, wait_until
from benchmarks.report import Result, compare, percentile
from benchmarks.serving import serving
from benchmarks.wan import INSIDE, Line, wan

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINES = {
    "clean": Line(delay_ms=20),
    "2mbit": Line(delay_ms=20, kbps=2000),
    "1mbit": Line(delay_ms=20, kbps=1000),
    "lossy": Line(delay_ms=20, loss=0.02),
}
SETTLE_S = 3.0  # the first seconds of a visit are not measured: rates have to be found
WATCH_S = 20.0
FROZEN_MS = 300.0  # a gap that people call a freeze
CAMERA = 'kind = "room"\ntime_bar = true'


class Seen(NamedTuple):
    """What was seen during WATCH_S.

    Attributes:
        ages_ms: of the shown pictures, from capture.
        gaps_ms: between one shown picture and the next, and until the end.
    """

    ages_ms: list[float]
    gaps_ms: list[float]

    @property
    def frozen_s(self) -> float:
        """The length of all freezes together."""
        return sum(gap for gap in self.gaps_ms if gap > FROZEN_MS) / 1000


def run() -> list[Result]:
    """Watch over each line."""
    return [result for name, line in LINES.items() for result in _results(name, line, watch(line))]


def watch(line: Line, stage: str = "", arguments: tuple[str, ...] = ()) -> Seen:
    """Watch for a while over this line, with these settings of the picture and arguments of the browser."""
    with wan(line) as inside, serving(inside=inside, server=f'host = "{INSIDE}"', camera=CAMERA, stage=stage) as server:
        server.wait_connected()
        secure = f"--unsafely-treat-insecure-origin-as-secure={server.address}"  # as HTTPS would be
        with chromium(secure, *arguments) as browser, page_of(browser) as page:
            open_page(page, server)
            page.get_by_role("button", name="Look around").click()
            wait_until(page, "bench.first > 0")
            time.sleep(SETTLE_S)
            return _watch(page)


def _watch(page: Page) -> Seen:
    began_ms = page.evaluate("bench.isReading = true, performance.now()")
    frames: list[tuple[float, float, float | None]] = []
    until_s = time.monotonic() + WATCH_S
    while time.monotonic() < until_s:
        time.sleep(0.5)
        frames += page.evaluate("bench.frames.splice(0)")
    ended_ms = page.evaluate("performance.now()")
    offset = clock_offset_ms(page)
    taken = [(shown, captured) for shown, _composed, captured in frames if captured is not None]
    if not taken:
        raise RuntimeError(f"none of {len(frames)} pictures could be read")
    times = [began_ms, *(shown for shown, *_ in frames), ended_ms]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return Seen([shown - (captured + 0.5 - offset) for shown, captured in taken], gaps)


def _results(name: str, line: Line, seen: Seen) -> list[Result]:
    bandwidth = f"{line.kbps / 1000:g} Mbit/s" if line.kbps else "ample bandwidth"
    scene = f"{2 * line.delay_ms:g} ms round trip, {line.loss:.0%} loss, {bandwidth}; {WATCH_S:.0f} s"
    figures = {
        "median": ("the age of the shown picture, median", "ms", percentile(seen.ages_ms, 0.5)),
        "p95": ("the age of the shown picture, 95th percentile", "ms", percentile(seen.ages_ms, 0.95)),
        "worst": ("the age of the shown picture, worst", "ms", max(seen.ages_ms)),
        "frozen": (f"freezes of more than {FROZEN_MS:.0f} ms, together", "s", seen.frozen_s),
        "gap": ("the longest time without a new picture", "ms", max(seen.gaps_ms)),
    }
    return [
        compare(f"lossy-{name}-{figure}", f"{what}; {scene}", unit, ours=[value])
        for figure, (what, unit, value) in figures.items()
    ]
