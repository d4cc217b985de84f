"""How similar the encoded picture is to its source, at rest and in a pan, and what encoding takes of the processor.

The demo's room is encoded as the server does it, decoded, and compared by the luma's SSIM, computed over blocks of 8x8
pixels that overlap by half, as FFmpeg's filter of that name does. The room is drawn without noise and moves by whole
pixels, which no camera's picture does; so it is measured again with the noise of a sensor indoors. No bitrate of ours
carries noise, so with it the encoded picture is also compared with the room as it is without, which is what people want
to see; how similar the camera's own picture is to that is the rival's figure. No network, no browser: `shown.py` has
those.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.stage.encoding.encoder import open_encoder
from belvedere.stage.options import StageOptions
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.sources.source import Picture

REST_S, PAN_S, AFTER_S = 2.0, 1.5, 1.2
PAN_DEG_PER_S = 20.0
NOISE = 2.0  # standard deviation of luma, of 8 bits
BLACK, WHITE = 16, 235
COMPARED_EVERY = 3  # pictures
SHARP = 0.98


class Sharpness(NamedTuple):
    """The figures of one run.

    Attributes:
        rest, pan: SSIM at the end of the time at rest; in the pan, mean.
        true_rest, true_pan: the same, compared with the room without noise.
        noise_rest, noise_pan: of the camera's own picture, compared with that.
        settled_s: after the pan, until SSIM is 0.98 again.
        percent: of a core, for encoding 30 pictures a second.
    """

    rest: float
    pan: float
    true_rest: float
    true_pan: float
    noise_rest: float
    noise_pan: float
    settled_s: float
    percent: float


def run() -> list[Result]:
    """Measure without noise and with it."""
    return [result for scene, noise in (("clean", 0.0), ("noisy", NOISE)) for result in _results(scene, measure(noise))]


def measure(noise: float = 0.0, options: StageOptions | None = None) -> Sharpness:
    """Encode the room at rest, in a pan and at rest again."""
    options = options or StageOptions()
    encoder = open_encoder(options)
    camera = Camera(noise)
    source = RoomSource(Room(), camera.angles, time_of_day=lambda: time.gmtime(0))
    source.open(options.width, options.height, options.fps)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    similar: list[tuple[float, float, float, float]] = []
    took_s: list[float] = []
    for number in range(round((REST_S + PAN_S + AFTER_S) * options.fps)):
        at_s = number / options.fps
        source.read(at_s, encoder.picture)
        is_compared = number % COMPARED_EVERY == 0
        true = luma_of(encoder.picture).copy() if is_compared else None
        camera.add_noise(encoder.picture)
        data, seconds = _encoded(encoder, at_s)
        took_s.append(seconds)
        shown = decoder.decode(av.Packet(data))
        if true is not None:
            seen, decoded = luma_of(encoder.picture), _shown_luma(shown[0])
            similar.append((at_s, ssim(seen, decoded), ssim(true, decoded), ssim(true, seen)))
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


class Camera:
    """Looks straight ahead, pans, and stops; with the noise of a sensor, a standard deviation of luma."""

    def __init__(self, noise: float) -> None:
        self._noise = noise
        self._chance = np.random.default_rng(1)

    def angles(self, at_s: float) -> tuple[float, float]:
        """Pan and tilt in degrees."""
        return PAN_DEG_PER_S * min(max(at_s - REST_S, 0.0), PAN_S), 0.0

    def add_noise(self, picture: Picture) -> None:
        """Add other noise to each picture."""
        if self._noise:
            luma = luma_of(picture)
            noisy = luma + np.rint(self._chance.normal(0, self._noise, luma.shape))
            luma[:] = np.clip(noisy, BLACK, WHITE).astype(np.uint8)


def _encoded(encoder: Encoder, at_s: float) -> tuple[bytes, float]:
    before_s = time.thread_time()
    frame = encoder.encode(at_s, wants_idr=False)
    if frame is None:
        raise RuntimeError("the encoder delays pictures")
    return frame.data, time.thread_time() - before_s


def luma_of(picture: Picture) -> NDArray[np.uint8]:
    """The luma plane, as a view."""
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


def _summary(similar: list[tuple[float, float, float, float]], percent: float) -> Sharpness:
    stopped_s = REST_S + PAN_S
    rest = [values for at_s, *values in similar if REST_S - 0.5 <= at_s < REST_S]
    pan = [values for at_s, *values in similar if REST_S + 0.3 <= at_s < stopped_s]
    settled_s = next((at_s - stopped_s for at_s, value, *_ in similar if at_s >= stopped_s and value >= SHARP), AFTER_S)
    (seen_rest, true_rest, noise_rest), (seen_pan, true_pan, noise_pan) = (
        [statistics.mean(column) for column in zip(*values, strict=True)] for values in (rest, pan)
    )
    return Sharpness(seen_rest, seen_pan, true_rest, true_pan, noise_rest, noise_pan, max(0.0, settled_s), percent)


BUDGETS = {"clean-rest": 0.02, "clean-pan": 0.08, "noisy-rest": 0.02, "noisy-pan": 0.08}


def _results(scene: str, found: Sharpness) -> list[Result]:
    is_clean = scene == "clean"
    seen = "the drawn room" if is_clean else f"the drawn room with noise of {NOISE:g} of 255"
    where = f"{seen}, 1280x720, 3 Mbit/s"
    results = [
        compare(
            f"sharpness-{scene}-cpu", f"encoding 30 pictures a second, of a core; {where}", "%", ours=[found.percent]
        )
    ]
    for motion, when in (("rest", "at rest"), ("pan", f"in a pan of {PAN_DEG_PER_S:g} deg/s")):
        what = f"what is missing of SSIM 1 {when}; {where}"
        values = {kind: 1 - getattr(found, f"{kind}{motion}") for kind in ("", "true_", "noise_")}
        budget = BUDGETS[f"{scene}-{motion}"]
        if is_clean:
            results.append(compare(f"sharpness-clean-{motion}", what, "", ours=[values[""]], budget=budget))
            continue
        results += [
            compare(f"sharpness-noisy-{motion}", what, "", ours=[values[""]]),
            compare(
                f"sharpness-noisy-{motion}-true",
                f"{what}, compared with the room as it is without noise",
                "",
                ours=[values["true_"]],
                rival=[values["noise_"]],
                rival_is="the camera's own picture, unencoded",
                budget=budget,
            ),
        ]
    return results
