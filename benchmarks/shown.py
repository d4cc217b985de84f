"""How similar what the browser shows is to what the camera saw, at rest and in a pan, with Janus in turn.

Both get the same video without loss, encode it alike, and are watched on this computer. The time bar of each picture is
its number, so that what is shown can be compared with what was encoded: luma only, as decoded, before it is drawn.
"""

from __future__ import annotations

import base64
import statistics
import tempfile
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.sim.time_bar import draw_time_bar
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.source import Picture
from benchmarks.browser import chromium, page_of, wait_until
from benchmarks.report import Result, compare
from benchmarks.rivals import janus
from benchmarks.serving import Server, serving
from benchmarks.sharpness import NOISE, PAN_DEG_PER_S, PAN_S, REST_S, Camera, luma_of, ssim
from benchmarks.visits import has_janus, tap

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

OPTIONS = StageOptions()
ROUNDS = 2
SETTLE_S = 2.0
TIMEOUT_S = 40.0
REST_MEASURED_S = 0.5  # at its end
PAN_SETTLED_S = 0.3
COMPARED_EVERY = 3  # pictures
SCENES = {"clean": 0.0, "noisy": NOISE}  # one after the other, in the same video
BUDGETS = {"clean-rest": 0.02, "clean-pan": 0.08, "noisy-pan": 0.08}

COLLECT = """([wanted, size]) => {
  const missing = new Set(wanted);
  bench.shown = new Map();
  bench.isComplete = () => missing.size === 0;
  bench.onPicture = async (video) => {
    const number = bench.read(video);
    if (!missing.has(number)) return;
    const picture = new VideoFrame(video), bytes = new Uint8Array(picture.allocationSize());
    const [{ offset, stride }] = await picture.copyTo(bytes);
    const { width, height } = picture.visibleRect;
    picture.close();
    if (width * height !== size) return;  // made smaller, for a moment
    const luma = new Uint8Array(width * height);
    for (let row = 0; row < height; row++) {
      luma.set(bytes.subarray(offset + row * stride, offset + row * stride + width), row * width);
    }
    bench.shown.set(number, luma);
    missing.delete(number);
  };
}"""
TAKE = """(number) => {
  const luma = bench.shown.get(number);
  let text = "";
  for (let at = 0; at < luma.length; at += 32768) text += String.fromCharCode(...luma.subarray(at, at + 32768));
  return btoa(text);
}"""


def run() -> list[Result]:
    """Make the video, then watch it by both in turn."""
    servers = ["ours", *(["janus"] if has_janus() else [])]
    found: dict[str, dict[str, list[float]]] = {server: {} for server in servers}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        video = Path(folder) / "room.mkv"
        references = _write(video)
        for _ in range(ROUNDS):
            for name in servers:
                with _start(name, video) as server, page_of(browser) as page:
                    server.wait_connected()
                    tap(page, server)
                    time.sleep(SETTLE_S)
                    page.evaluate(COLLECT, [_numbers(references), OPTIONS.width * OPTIONS.height])
                    with suppress(RuntimeError):  # a few that were never shown are not missed
                        wait_until(page, "bench.isComplete()", TIMEOUT_S)
                    shown = set(page.evaluate("[...bench.shown.keys()]"))
                    for part, numbers in references.items():
                        similar = [
                            ssim(luma, _shown(page.evaluate(TAKE, number)))
                            for number, luma in numbers.items()
                            if number in shown
                        ]
                        if len(similar) < len(numbers) / 2:
                            raise RuntimeError(f"of {part}, {len(similar)} of {len(numbers)} pictures were shown")
                        found[name].setdefault(part, []).append(1 - statistics.mean(similar))
    return [_result(part, found["ours"][part], found.get("janus", {}).get(part, [])) for part in references]


def _start(name: str, video: Path) -> AbstractContextManager[Server]:
    if name == "janus":
        return Server(*janus.command(OPTIONS, file=video))
    return serving(camera=f'kind = "file"\npath = "{video}"')


def _write(path: Path) -> dict[str, dict[int, NDArray[np.uint8]]]:
    """Write the video; returns the luma of the pictures that are compared, by part and number."""
    options = OPTIONS
    references: dict[str, dict[int, NDArray[np.uint8]]] = {}
    length = round((REST_S + PAN_S) * options.fps)
    frame = av.VideoFrame(options.width, options.height, "yuv420p")
    y, u, v = (memoryview(plane) for plane in frame.planes)
    picture = Picture(options.width, options.height, y, u, v)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", options.fps, options={"preset": "ultrafast", "qp": "0"})
        stream.width, stream.height, stream.pix_fmt = options.width, options.height, "yuv420p"
        stream.color_range, stream.colorspace = 1, 1  # video range and BT.709, as the encoder has it
        for first, (scene, noise) in enumerate(SCENES.items()):
            camera = Camera(noise)
            source = RoomSource(Room(), camera.angles, time_of_day=lambda: time.gmtime(0))
            source.open(options.width, options.height, options.fps)
            for step in range(length):
                at_s, number = step / options.fps, first * length + step
                source.read(at_s, picture)
                camera.add_noise(picture)
                draw_time_bar((number + 0.5) / 1000, picture)
                frame.pts, frame.time_base = number, Fraction(1, options.fps)
                container.mux(stream.encode(frame))
                part = _part(at_s)
                if part and number % COMPARED_EVERY == 0:
                    references.setdefault(f"{scene}-{part}", {})[number] = luma_of(picture).copy()
            source.close()
        container.mux(stream.encode(None))
    return references


def _numbers(references: dict[str, dict[int, NDArray[np.uint8]]]) -> list[int]:
    return [number for pictures in references.values() for number in pictures]


def _part(at_s: float) -> str:
    if REST_S - REST_MEASURED_S <= at_s < REST_S:
        return "rest"
    return "pan" if at_s >= REST_S + PAN_SETTLED_S else ""


def _shown(text: str) -> NDArray[np.uint8]:
    luma = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return luma.reshape(OPTIONS.height, OPTIONS.width)


def _result(part: str, ours: list[float], theirs: list[float]) -> Result:
    scene, _, when = part.partition("-")
    what_is_seen = "the drawn room" if scene == "clean" else f"the drawn room with noise of {NOISE:g} of 255"
    motion = "at rest" if when == "rest" else f"in a pan of {PAN_DEG_PER_S:g} deg/s"
    return compare(
        f"shown-{part}",
        f"what is missing of SSIM 1 in Chromium {motion}; {what_is_seen}, 1280x720, 3 Mbit/s",
        "",
        ours=ours,
        rival=theirs,
        rival_is=janus.IS if theirs else "",
        budget=BUDGETS.get(part),
    )
