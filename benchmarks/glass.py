"""Latency from camera to screen: the time bar contains the capture time, and Chromium reports the time of display.

This includes drawing, encoding, network, jitter buffer, decoding and compositing, but not camera and monitor. A 60 Hz
screen shows a picture up to 16.7 ms after it is decoded. How long depends on the phase between camera and screen, which
is constant during a visit. So both servers get many visits in turn, each with a newly started camera.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.browser import NO_UDP, chromium, clock_offset_ms, open_page, page_of, wait_until
from benchmarks.report import Result, compare, percentile
from benchmarks.serving import Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

ROUNDS = 2
VISITS = 5  # of one round
WARM_S = 1.5  # until the page is ready and the codec has reached its rate
WATCH_S = 3.0
GONE_S = 0.5
VIEWERS = 8
CPU_S = 6.0
RIVAL_IS = "unmodified aiortc: an encoder for each viewer, no playout-delay extension, the same room"
RIVAL = ("-m", "benchmarks.rivals.stock_aiortc")


class Watched(NamedTuple):
    """The figures of one visit, in milliseconds and percent of a core."""

    median: float
    p95: float
    composed: float
    first: float
    cpu: float


FIGURES: tuple[tuple[str, Callable[[Watched], float], str, str, float | None], ...] = (
    ("median", lambda watched: watched.median, "glass to glass, a visit's median", "ms", 12),
    ("p95", lambda watched: watched.p95, "glass to glass, a visit's 95th percentile", "ms", 30),
    (
        "composed",
        lambda watched: watched.composed,
        "from glass to Chromium's compositor, before the wait for the screen: a visit's median",
        "ms",
        None,
    ),
    (
        "first",
        lambda watched: watched.first,
        "from the tap to the first picture, by whichever way, of a page that has been open for a second",
        "ms",
        120,
    ),
    ("cpu", lambda watched: watched.cpu, "the server's share of a core with one viewer", "%", 18),
)


def run() -> list[Result]:
    """Watch both in turn, then measure further viewers."""
    rounds: dict[str, list[Watched]] = {"ours": [], "socket": [], "rival": []}
    per_viewer: dict[str, list[float]] = {}
    with chromium() as browser:
        for _ in range(ROUNDS):
            for name, watched in rounds.items():
                with _start(name) as server:
                    server.wait_connected()
                    watched.extend(_visits(browser, server, NO_UDP if name == "socket" else ""))
        for name, viewers in (("ours", VIEWERS), ("rival", 2)):
            with _start(name) as server:
                server.wait_connected()
                per_viewer[name] = _cpu_of_further_viewers(browser, server, viewers)
    return [*_results(rounds), *_socket_results(rounds), _viewer_result(per_viewer)]


def _start(name: str) -> AbstractContextManager[Server]:
    return Server(*RIVAL) if name == "rival" else serving(camera='kind = "room"\ntime_bar = true')


def _visits(browser: Browser, server: Server, script: str) -> list[Watched]:
    """Open the page, watch and leave, several times."""
    with page_of(browser, script) as page:
        return [_watch(page, server) for _ in range(VISITS)]


def _watch(page: Page, server: Server) -> Watched:
    _tap(page, server)
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


def _tap(page: Page, server: Server) -> None:
    """Open the page, wait as people do, tap, and wait for the first picture."""
    open_page(page, server)
    page.get_by_role("button", name="Look around").wait_for()
    time.sleep(1.0)
    page.get_by_role("button", name="Look around").click()
    wait_until(page, "bench.first > 0")


def _cpu_of_further_viewers(browser: Browser, server: Server, viewers: int) -> list[float]:
    """Percent of a core per further viewer; these are more connections of the same page."""
    with ExitStack() as stack:
        first = stack.enter_context(page_of(browser))
        _tap(first, server)
        time.sleep(WARM_S)
        alone = server.cpu_percent_over(CPU_S)
        first.evaluate(MORE, viewers - 1)
        time.sleep(WARM_S)
        together = server.cpu_percent_over(CPU_S)
    return [(together - alone) / (viewers - 1)]


MORE = """async (count) => {
  bench.more = [];
  for (let viewer = 0; viewer < count; viewer++) {
    const connection = new RTCPeerConnection();
    bench.more.push(connection);
    connection.addTransceiver("video", { direction: "recvonly" }).setCodecPreferences(
      RTCRtpReceiver.getCapabilities("video").codecs.filter(({ mimeType }) => mimeType === "video/H264"));
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== "complete") {
      await new Promise((done) => connection.addEventListener("icegatheringstatechange", done, { once: true }));
    }
    const isRival = document.title === "stock aiortc";
    const answer = await fetch(isRival ? "/offer" : "/api/v1/stage/whep", {
      method: "POST", body: connection.localDescription.sdp, headers: { "content-type": "application/sdp" } });
    if (!answer.ok) throw new Error(`viewer ${viewer}: ${answer.status}`);
    await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    while (connection.connectionState !== "connected") {
      await new Promise((done) => connection.addEventListener("connectionstatechange", done, { once: true }));
    }
  }
}"""


def _results(rounds: dict[str, list[Watched]]) -> list[Result]:
    scene = f"1280x720 at 30 fps in Chromium over loopback, {ROUNDS * VISITS} visits of {WATCH_S:.0f} s"
    return [
        compare(
            f"glass-{name}",
            f"{what}; {scene}",
            unit,
            ours=[figure_of(watched) for watched in rounds["ours"]],
            rival=[figure_of(watched) for watched in rounds["rival"]],
            rival_is=RIVAL_IS,
            budget=budget,
        )
        for name, figure_of, what, unit, budget in FIGURES
    ]


def _socket_results(rounds: dict[str, list[Watched]]) -> list[Result]:
    """The way through HTTP alone, against our own by WebRTC."""
    by_webrtc = [watched.median for watched in rounds["ours"]]
    return [
        compare(
            "glass-socket-median",
            "glass to glass where only HTTP passes, a visit's median",
            "ms",
            ours=[watched.median for watched in rounds["socket"]],
            rival=by_webrtc,
            rival_is="ours by WebRTC",
            budget=1.3 * statistics.median(by_webrtc),
        ),
        compare(
            "glass-socket-cpu",
            "the server's share of a core with one viewer by the socket",
            "%",
            ours=[watched.cpu for watched in rounds["socket"]],
            rival=[watched.cpu for watched in rounds["ours"]],
            rival_is="ours by WebRTC",
        ),
    ]


def _viewer_result(per_viewer: dict[str, list[float]]) -> Result:
    return compare(
        "glass-cpu-further-viewer",
        f"what each further viewer takes of a core, up to {VIEWERS} (the rival up to 2)",
        "%",
        ours=per_viewer["ours"],
        rival=per_viewer["rival"],
        rival_is=RIVAL_IS,
        budget=1,
    )
