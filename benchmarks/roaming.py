"""How long a visitor sees nothing new when their device changes to another network, such as from Wi-Fi to mobile.

The server is at the far end of a line (`wan.py`; needs root), and Chromium's end gets another address.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from benchmarks.browser import chromium, open_page, page_of, wait_until
from benchmarks.report import Result, compare
from benchmarks.serving import serving
from benchmarks.visits import ROOM
from benchmarks.wan import INSIDE, OTHER_OUTSIDE, OUTSIDE, Line, move, wan

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from benchmarks.serving import Server

ROUNDS = 3
LINE = Line(delay_ms=20)
SETTLE_S = 4.0
WATCH_S = 8.0


def run() -> list[Result]:
    """Change networks in several visits."""
    with wan(LINE) as inside, serving(inside=inside, server=f'host = "{INSIDE}"', camera=ROOM) as server:
        server.wait_connected()
        secure = f"--unsafely-treat-insecure-origin-as-secure={server.address}"
        with chromium(secure) as browser, page_of(browser) as page:
            gaps = [_gap_ms(page, server) for _ in range(ROUNDS)]
    what = (
        f"the longest time without a new picture when the visitor's address changes; {ROUNDS} visits, 40 ms round trip"
    )
    return [compare("roaming-gap", what, "ms", ours=gaps, budget=3000)]


def _gap_ms(page: Page, server: Server) -> float:
    """Watch, change networks, and change back."""
    open_page(page, server)
    page.get_by_role("button", name="Look around").click()
    wait_until(page, "bench.first > 0")
    time.sleep(SETTLE_S)
    page.evaluate("bench.isReading = true")
    time.sleep(1.0)
    move(OUTSIDE, OTHER_OUTSIDE)
    time.sleep(WATCH_S)
    times = [shown for shown, *_ in page.evaluate("bench.frames")] + [page.evaluate("performance.now()")]
    move(OTHER_OUTSIDE, OUTSIDE)
    page.goto("about:blank")
    time.sleep(1.0)
    return float(max(later - earlier for earlier, later in itertools.pairwise(times)))
