"""Which H.264 encoder this computer has, and whether it is fast enough."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.doctor.video import hardware_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.encoder import Encoder
    from belvedere.stage.options import StageOptions

FRAMES = 20
MAX_FRAME_SHARE = 0.5  # of the time per frame: the rest is for camera, network and head
FIX = "use a smaller size or rate: [stage] width = 640, height = 352, fps = 20"


def encoder(
    options: StageOptions,
    make: Callable[[StageOptions], Encoder] | None = None,
    hardware: Callable[[], str | None] = hardware_encoder,
    clock: Callable[[], float] = time.perf_counter,
) -> list[CheckResult]:
    """Time the software encoder on a few frames; a hardware encoder is only named."""
    device = hardware()
    found = [] if device is None else [CheckResult("encoder", CheckState.OK, f"hardware: {device} (h264_v4l2m2m)")]
    took_s = _seconds_per_frame((make or _x264)(options), clock)
    message = (
        f"libx264 takes {1000 * took_s:.1f} ms per frame of {options.width}x{options.height},"
        f" of {1000 / options.fps:.0f} ms available at {options.fps} fps"
    )
    if took_s <= MAX_FRAME_SHARE / options.fps:
        return [*found, CheckResult("encoder", CheckState.OK, message)]
    state = CheckState.ERROR if took_s > 1 / options.fps else CheckState.WARNING
    return [*found, CheckResult("encoder", state, message, FIX)]


def _x264(options: StageOptions) -> Encoder:
    from belvedere.stage.encoding.x264 import X264Encoder  # noqa: PLC0415 - PyAV is heavy, and only here

    return X264Encoder(options)


def _seconds_per_frame(encoder: Encoder, clock: Callable[[], float]) -> float:
    """Averaged over frames that change everywhere: more work for the encoder than a still room, so an upper bound."""
    y = encoder.picture.y
    took_s = 0.0
    for number in range(FRAMES):
        row = bytes((column * 7 + number * 31) & 0xFF for column in range(256)) * (len(y) // 256 + 1)
        y[:] = row[: len(y)]
        began = clock()
        encoder.encode(number / 30, wants_idr=number == 0)
        took_s += clock() - began
    return took_s / FRAMES
