"""The time from start to ready, and the memory of the server, idle and with one viewer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.browser import chromium, open_page, page_of, wait_until
from benchmarks.report import Result, compare
from benchmarks.serving import Server, serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ROUNDS = 3
WATCH_S = 5.0

DEMO = ("-m", "belvedere.cli", "demo", "--no-browser", "--port", "0")
RIVAL = ("-m", "benchmarks.rivals.bare_litestar")
RIVAL_IS = "a bare Litestar on uvicorn and uvloop with one route, started the same way"

SERVERS = {
    "serve": "`belvedere serve` without a head, picture from the test pattern",
    "demo": "`belvedere demo` with virtual Bluetooth units and the drawn room",
}


def run() -> list[Result]:
    """Start each of them in turn, several times."""
    ready: dict[str, list[float]] = {"serve": [], "demo": [], "rival": []}
    idle: dict[str, list[float]] = {"serve": [], "demo": [], "rival": []}
    watched: dict[str, list[float]] = {"serve": [], "demo": []}
    for _ in range(ROUNDS):
        for name, ready_s in ready.items():
            with _start(name) as server:
                ready_s.append(server.ready_s)
                server.wait_connected()
                idle[name].append(server.rss_mib())
                if name in watched:
                    watched[name].append(_rss_while_watched(server))
    return _results(ready, idle, watched)


def _start(name: str) -> AbstractContextManager[Server]:
    """Serve without a head and with the test pattern, the demo with its virtual head and room, or the rival."""
    if name == "serve":
        return serving(head='kind = "none"', camera='kind = "pattern"')
    return Server(*(DEMO if name == "demo" else RIVAL))


def _rss_while_watched(server: Server) -> float:
    with chromium() as browser, page_of(browser) as page:
        open_page(page, server)
        page.get_by_role("button", name="Look around").click()
        wait_until(page, "bench.first > 0")
        time.sleep(WATCH_S)
        return server.rss_mib()


def _results(
    ready: dict[str, list[float]], idle: dict[str, list[float]], watched: dict[str, list[float]]
) -> list[Result]:
    watching = f"resident memory {WATCH_S:.0f} s into a visit at 1280x720, 30 fps"
    figures = (
        ("start", "process start to the first 200 of /readyz", "s", ready, {"serve": 1.5, "demo": 1.5}),
        ("rss-idle", "resident memory, ready and without viewers", "MiB", idle, {"serve": 75, "demo": 75}),
        ("rss-watched", watching, "MiB", watched, {"serve": 130, "demo": 145}),  # the drawn room takes 17 of them
    )
    return [
        compare(
            f"{figure}-{name}",
            f"{SERVERS[name]}: {what}",
            unit,
            ours=measured[name],
            rival=measured.get("rival", ()),
            rival_is=RIVAL_IS if "rival" in measured else "",
            budget=budgets[name],
        )
        for name in SERVERS
        for figure, what, unit, measured, budgets in figures
    ]
