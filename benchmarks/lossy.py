"""How the picture fares on bad lines: little bandwidth, delay and loss (`wan.py`; needs root).

The server runs at the far end of the line, Chromium at this one. The time bar says how old each shown picture is; how
long nothing new was shown is the gap between two shown pictures. On the line that loses packets, our picture by WebRTC,
ours by the socket, and Janus's are watched in turn.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.browser import NO_UDP, chromium, clock_offset_ms, open_page, page_of, wait_until
from benchmarks.report import Result, compare, percentile
from benchmarks.rivals import janus
from benchmarks.serving import Server, serving
from benchmarks.visits import ROOM, has_janus
from benchmarks.wan import INSIDE, Line, wan

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page

LINES = {
    "clean": Line(delay_ms=20),
    "2mbit": Line(delay_ms=20, kbps=2000),
    "1mbit": Line(delay_ms=20, kbps=1000),
}
LOSSY = Line(delay_ms=20, loss=0.02)
ROUNDS = {"clean": 1, "2mbit": 1, "1mbit": 2}
LOSSY_ROUNDS = 2
SETTLE_S = 3.0  # the first seconds of a visit are not measured: rates have to be found
WATCH_S = 15.0
FROZEN_MS = 300.0  # a gap that people call a freeze
SOCKET_BEHIND_MS = 500.0


class Seen(NamedTuple):
    """What was seen during WATCH_S.

    Attributes:
        ages_ms: of the shown pictures, from capture.
        gaps_ms: between one shown picture and the next, and until the end.
        first_ms: from the tap to the first picture.
        behind_ms: how far the screen was behind at worst, which is just before it shows the next picture.
    """

    ages_ms: list[float]
    gaps_ms: list[float]
    first_ms: float
    behind_ms: float

    @property
    def frozen_s(self) -> float:
        """The length of all freezes together."""
        return sum(gap for gap in self.gaps_ms if gap > FROZEN_MS) / 1000


def run() -> list[Result]:
    """Watch over each line."""
    results: list[Result] = []
    for name, line in LINES.items():
        results += _results(f"lossy-{name}", line, [watch(line) for _ in range(ROUNDS[name])])
    return results + _lossy_results()


def watch(line: Line, way: str = "ours", arguments: tuple[str, ...] = ()) -> Seen:
    """Watch for a while over this line: ours, ours by the socket, or Janus; with these arguments of the browser."""
    with wan(line) as inside, _start(way, inside) as server:
        server.wait_connected()
        secure = f"--unsafely-treat-insecure-origin-as-secure={server.address}"  # as HTTPS would be
        script = NO_UDP if way == "socket" else ""
        with chromium(secure, *arguments) as browser, page_of(browser, script) as page:
            open_page(page, server)
            page.get_by_role("button", name="Look around").click()
            wait_until(page, "bench.first > 0")
            time.sleep(SETTLE_S)
            return _watch(page)


def _start(way: str, inside: tuple[str, ...]) -> AbstractContextManager[Server]:
    if way == "janus":
        return Server(*janus.command(host=INSIDE), inside=inside)
    return serving(inside=inside, server=f'host = "{INSIDE}"', camera=ROOM)


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
    first_ms = page.evaluate("bench.first - bench.tapped")
    behind_ms = max(later - (captured + 0.5 - offset) for (_, captured), (later, _) in itertools.pairwise(taken))
    return Seen([shown - (captured + 0.5 - offset) for shown, captured in taken], gaps, first_ms, behind_ms)


def _lossy_results() -> list[Result]:
    """Watch by each way in turn over the line that loses packets."""
    ways = ["ours", "socket", *(["janus"] if has_janus() else [])]
    seen: dict[str, list[Seen]] = {way: [] for way in ways}
    for _ in range(LOSSY_ROUNDS):
        for way, visits in seen.items():
            visits.append(watch(LOSSY, way))
    by_socket = _results("lossy-socket", LOSSY, seen["socket"], {"behind": SOCKET_BEHIND_MS})
    return [*_results("lossy-lossy", LOSSY, seen["ours"], {}, seen.get("janus", [])), *by_socket]


def _results(
    name: str, line: Line, ours: list[Seen], budgets: dict[str, float] | None = None, theirs: list[Seen] | None = None
) -> list[Result]:
    bandwidth = f"{line.kbps / 1000:g} Mbit/s" if line.kbps else "ample bandwidth"
    by = "by the socket, " if name == "lossy-socket" else ""
    scene = f"{by}{2 * line.delay_ms:g} ms round trip, {line.loss:.0%} loss, {bandwidth}; {WATCH_S:.0f} s"
    return [
        compare(
            f"{name}-{figure}",
            f"{what}; {scene}",
            unit,
            ours=[of(seen) for seen in ours],
            rival=[of(seen) for seen in theirs or ()],
            rival_is=janus.IS if theirs else "",
            budget=(budgets or {}).get(figure),
        )
        for figure, (what, unit, of) in FIGURES.items()
    ]


FIGURES: dict[str, tuple[str, str, Callable[[Seen], float]]] = {
    "median": ("the age of the shown picture, median", "ms", lambda seen: percentile(seen.ages_ms, 0.5)),
    "p95": ("the age of the shown picture, 95th percentile", "ms", lambda seen: percentile(seen.ages_ms, 0.95)),
    "worst": ("the age of the shown picture, worst", "ms", lambda seen: max(seen.ages_ms)),
    "behind": ("how far the screen is behind at worst, until the next picture", "ms", lambda seen: seen.behind_ms),
    "frozen": (f"freezes of more than {FROZEN_MS:.0f} ms, together", "s", lambda seen: seen.frozen_s),
    "gap": ("the longest time without a new picture", "ms", lambda seen: max(seen.gaps_ms)),
    "first": ("from the tap to the first picture", "ms", lambda seen: seen.first_ms),
}
