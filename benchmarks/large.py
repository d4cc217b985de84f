"""The same figures as `glass.py` has, of larger pictures and of more of them; of the first against Janus."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from belvedere.stage.options import StageOptions
from benchmarks.browser import chromium
from benchmarks.glass import janus_results
from benchmarks.rivals import janus
from benchmarks.serving import Server, serving
from benchmarks.visits import ROOM, Watched, has_janus, visits

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchmarks.report import Result


class Scene(NamedTuple):
    """A picture, and how it is watched: several rounds of visits, with Janus in turn where `has_rival`."""

    options: StageOptions
    rounds: int
    visits: int
    has_rival: bool


SCENES = {
    "1080p30": Scene(StageOptions(width=1920, height=1080, bitrate_kbps=6000), 2, 3, has_rival=True),
    "720p60": Scene(StageOptions(fps=60, bitrate_kbps=4500), 1, 3, has_rival=False),
}
OURS, RIVAL = "ours", "janus"


def run() -> list[Result]:
    """Watch each."""
    with_janus = has_janus()
    results: list[Result] = []
    with chromium() as browser:
        for name, scene in SCENES.items():
            servers = [OURS, RIVAL] if scene.has_rival and with_janus else [OURS]
            watched: dict[str, list[Watched]] = {server: [] for server in servers}
            for _ in range(scene.rounds):
                for which in servers:
                    with _start(which, scene.options) as server:
                        server.wait_connected()
                        watched[which] += visits(browser, server, scene.visits)
            options = scene.options
            what = f"{options.width}x{options.height} at {options.fps} fps, {options.bitrate_kbps / 1000:g} Mbit/s"
            results += janus_results(f"large-{name}", what, watched[OURS], watched.get(RIVAL, []))
    return results


def _start(which: str, options: StageOptions) -> AbstractContextManager[Server]:
    if which == RIVAL:
        return Server(*janus.command(options))
    names = ("width", "height", "fps", "bitrate_kbps")
    return serving(camera=ROOM, stage="\n".join(f"{name} = {getattr(options, name)}" for name in names))
