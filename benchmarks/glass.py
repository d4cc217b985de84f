"""Latency from camera to screen, from the tap to the first picture, and what viewers cost (see `visits.py`)."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.browser import NO_UDP, chromium, page_of
from benchmarks.report import Result, compare
from benchmarks.rivals import janus
from benchmarks.serving import Server, serving
from benchmarks.visits import ROOM, WARM_S, WATCH_S, Watched, has_janus, tap, visits

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser

ROUNDS = 3
VISITS = {"ours": 4, "socket": 3, "janus": 4, "rival": 2}  # in one round
VIEWERS = 8
CPU_S = 6.0
RIVAL_IS = "unmodified aiortc: an encoder for each viewer, no playout-delay extension, the same room"
RIVAL = ("-m", "benchmarks.rivals.stock_aiortc")
JANUS_SHARE = {"median": 0.8, "first": 0.5}  # of Janus's figure, ours may be at most

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
    ("cpu", lambda watched: watched.cpu, "the server's share of a core with one viewer", "%", 16),
)


def run() -> list[Result]:
    """Watch all in turn, then measure further viewers."""
    names = [name for name in VISITS if name != "janus" or has_janus()]
    rounds: dict[str, list[Watched]] = {name: [] for name in names}
    per_viewer: dict[str, list[float]] = {}
    with chromium() as browser:
        for _ in range(ROUNDS):
            for name, watched in rounds.items():
                with _start(name) as server:
                    server.wait_connected()
                    watched.extend(visits(browser, server, VISITS[name], NO_UDP if name == "socket" else ""))
        for name, viewers in (("ours", VIEWERS), ("rival", 2)):
            with _start(name) as server:
                server.wait_connected()
                per_viewer[name] = _cpu_of_further_viewers(browser, server, viewers)
    against_janus = janus_results("glass-janus", "1280x720 at 30 fps", rounds["ours"], rounds.get("janus", []))
    return [*_results(rounds), *_socket_results(rounds), *against_janus, _viewer_result(per_viewer)]


def janus_results(name: str, scene: str, ours: list[Watched], theirs: list[Watched]) -> list[Result]:
    """Compare visits to us with visits to Janus that were made in turn, if there were any."""
    results = []
    for figure, of, what, unit, _ in FIGURES:
        rival = [of(watched) for watched in theirs]
        is_bounded = bool(rival) and figure in JANUS_SHARE
        results.append(
            compare(
                f"{name}-{figure}",
                f"{what}; {scene}",
                unit,
                ours=[of(watched) for watched in ours],
                rival=rival,
                rival_is=janus.IS if rival else "",
                budget=round(JANUS_SHARE[figure] * statistics.median(rival), 3) if is_bounded else None,
            )
        )
    return results


def _start(name: str) -> AbstractContextManager[Server]:
    match name:
        case "rival":
            return Server(*RIVAL)
        case "janus":
            return Server(*janus.command())
        case _:
            return serving(camera=ROOM)


def _cpu_of_further_viewers(browser: Browser, server: Server, viewers: int) -> list[float]:
    """Percent of a core per further viewer; these are more connections of the same page."""
    with ExitStack() as stack:
        first = stack.enter_context(page_of(browser))
        tap(first, server)
        time.sleep(WARM_S)
        alone = [server.cpu_percent_over(CPU_S)]
        first.evaluate(MORE, viewers - 1)
        time.sleep(WARM_S)
        together = server.cpu_percent_over(CPU_S)
        first.evaluate("bench.more.forEach((connection) => connection.close())")
        time.sleep(WARM_S)
        alone.append(server.cpu_percent_over(CPU_S))
    return [(together - statistics.mean(alone)) / (viewers - 1)]


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
    scene = f"1280x720 at 30 fps in Chromium over loopback, {len(rounds['ours'])} visits of {WATCH_S:.0f} s"
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
        budget=0.7,
    )
