"""How similar the encoded picture is to its source, at rest and in a pan, and what encoding takes of the processor.

The demo's room is encoded as the server does it, decoded, and compared by the luma's SSIM, computed over blocks of 8x8
pixels that overlap by half, as FFmpeg's filter of that name does. The room is drawn without noise and moves by whole
pixels, which no camera's picture does; so it is measured again with the noise of a sensor indoors. No network, no
browser: what a browser shows is what was encoded, as long as nothing is lost.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import av
import msgspec
import numpy as np

from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.stage.encoding.encoder import open_encoder
from belvedere.stage.options import StageOptions
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.sources.source import Picture

REST_S, PAN_S, AFTER_S = 2.0, 1.5, 1.2
PAN_DEG_PER_S = 20.0
NOISE = 2.0  # standard deviation of luma, of 8 bits
BLACK, WHITE = 16, 235
COMPARED_EVERY = 3  # pictures
PRESETS = ("ultrafast", "superfast", "veryfast")
SHARP = 0.98


class Sharpness(NamedTuple):
    """The figures of one run.

    Attributes:
        rest, pan: SSIM at the end of the time at rest; in the pan, mean.
        settled_s: after the pan, until SSIM is 0.98 again.
        percent: of a core, for encoding 30 pictures a second.
    """

    rest: float
    pan: float
    settled_s: float
    percent: float


def run() -> list[Result]:
    """Measure each preset; of our own choice there is a row of results, of the others a printed line."""
    figures: dict[str, Sharpness] = {}
    for scene, noise in (("clean", 0.0), ("noisy", NOISE)):
        for preset in ("auto", *PRESETS):
            options = msgspec.structs.replace(StageOptions(), preset=preset)
            figures[f"{scene}-{preset}"] = found = measure(options, noise)
            print(
                f"  {scene} {preset:10} SSIM at rest {found.rest:.4f}, in a pan {found.pan:.4f}, sharp again after "
                f"{found.settled_s:.2f} s, {found.percent:.1f} % of a core"
            )
    return [result for scene in ("clean", "noisy") for result in _results(scene, figures[f"{scene}-auto"])]


def measure(options: StageOptions, noise: float = 0.0) -> Sharpness:
    """Encode the room at rest, in a pan and at rest again."""
    encoder = open_encoder(options)
    camera = _Camera(noise)
    source = RoomSource(Room(), camera.angles, time_of_day=lambda: time.gmtime(0))
    source.open(options.width, options.height, options.fps)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    similar: list[tuple[float, float]] = []
    took_s: list[float] = []
    for number in range(round((REST_S + PAN_S + AFTER_S) * options.fps)):
        at_s = number / options.fps
        source.read(at_s, encoder.picture)
        camera.add_noise(encoder.picture)
        data, seconds = _encoded(encoder, at_s)
        took_s.append(seconds)
        shown = decoder.decode(av.Packet(data))
        if number % COMPARED_EVERY == 0:
            similar.append((at_s, ssim(_luma(encoder.picture), _shown_luma(shown[0]))))
    source.close()
    return _summary(similar, statistics.mean(took_s) * options.fps * 100)


def ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """The structural similarity of two pictures: 1 if they are equal."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    sum_a, sum_b, squares, products = _blocks(a), _blocks(b), _blocks(a * a + b * b), _blocks(a * b)
    pixels = 64
    c1, c2 = (0.01 * 255) ** 2 * pixels, (0.03 * 255) ** 2 * pixels * (pixels - 1)
    variances = squares * pixels - sum_a * sum_a - sum_b * sum_b
    covariance = products * pixels - sum_a * sum_b
    similar = (2 * sum_a * sum_b + c1) * (2 * covariance + c2)
    return float((similar / ((sum_a * sum_a + sum_b * sum_b + c1) * (variances + c2))).mean())


class _Camera:
    """Looks straight ahead, pans, and stops; with the noise of a sensor."""

    def __init__(self, noise: float) -> None:
        self._noise = noise
        self._chance = np.random.default_rng(1)

    def angles(self, at_s: float) -> tuple[float, float]:
        return PAN_DEG_PER_S * min(max(at_s - REST_S, 0.0), PAN_S), 0.0

    def add_noise(self, picture: Picture) -> None:
        if self._noise:
            luma = _luma(picture)
            noisy = luma + np.rint(self._chance.normal(0, self._noise, luma.shape))
            luma[:] = np.clip(noisy, BLACK, WHITE).astype(np.uint8)


def _encoded(encoder: Encoder, at_s: float) -> tuple[bytes, float]:
    before_s = time.thread_time()
    frame = encoder.encode(at_s, wants_idr=False)
    if frame is None:
        raise RuntimeError("the encoder delays pictures")
    return frame.data, time.thread_time() - before_s


def _luma(picture: Picture) -> NDArray[np.uint8]:
    return np.frombuffer(picture.y, dtype=np.uint8).reshape(picture.height, picture.width)


def _shown_luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def _blocks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over blocks of 8x8 that begin every four pixels."""
    height, width = values.shape
    fours = values[: height // 4 * 4, : width // 4 * 4].reshape(height // 4, 4, width // 4, 4).sum((1, 3))
    sums: NDArray[np.float64] = fours[:-1, :-1] + fours[1:, :-1] + fours[:-1, 1:] + fours[1:, 1:]
    return sums


def _summary(similar: list[tuple[float, float]], percent: float) -> Sharpness:
    stopped_s = REST_S + PAN_S
    rest = [value for at_s, value in similar if REST_S - 0.5 <= at_s < REST_S]
    pan = [value for at_s, value in similar if REST_S + 0.3 <= at_s < stopped_s]
    settled_s = next((at_s - stopped_s for at_s, value in similar if at_s >= stopped_s and value >= SHARP), AFTER_S)
    return Sharpness(statistics.mean(rest), statistics.mean(pan), max(0.0, settled_s), percent)


FIGURES: tuple[tuple[str, str, str, Callable[[Sharpness], float]], ...] = (
    ("rest", "what is missing of SSIM 1 at rest", "", lambda found: 1 - found.rest),
    ("pan", f"what is missing of SSIM 1 in a pan of {PAN_DEG_PER_S:g} deg/s", "", lambda found: 1 - found.pan),
    ("cpu", "encoding 30 pictures a second, of a core", "%", lambda found: found.percent),
)
BUDGETS = {"clean-rest": 0.02, "clean-pan": 0.08, "noisy-pan": 0.08}


def _results(scene: str, found: Sharpness) -> list[Result]:
    what_is_seen = "the drawn room" if scene == "clean" else f"the drawn room with noise of {NOISE:g} of 255"
    return [
        compare(
            f"sharpness-{scene}-{name}",
            f"{what}; {what_is_seen}, 1280x720, 3 Mbit/s",
            unit,
            ours=[figure(found)],
            budget=BUDGETS.get(f"{scene}-{name}"),
        )
        for name, what, unit, figure in FIGURES
    ]
