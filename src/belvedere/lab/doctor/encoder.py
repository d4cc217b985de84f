"""Which H.264 encoder this computer has, and whether it is fast enough."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.stage.encoding.encoder import encoder_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.encoding.probe import Verdict
    from belvedere.stage.options import StageOptions

FRAMES = 20
MAX_FRAME_SHARE = 0.5  # of the time per frame: the rest is for camera, network and head
FIX = "use a smaller size or rate: [stage] width = 640, height = 352, fps = 20"
USE_SOFTWARE = 'set [stage] encoder = "auto", or "x264"'


def encoder(
    options: StageOptions,
    make: Callable[[StageOptions], Encoder] | None = None,
    try_hardware: Callable[[StageOptions], tuple[str | None, Verdict]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[CheckResult]:
    """Try the hardware encoder, if there is one, as the server does, and say which would be used; time the software."""
    device, verdict = (try_hardware or encoder_choice().try_hardware)(options)
    found = _of_hardware(options, device, verdict)
    took_s = _seconds_per_frame((make or _x264)(options), clock)
    message = (
        f"libx264 takes {1000 * took_s:.1f} ms per frame of {options.width}x{options.height},"
        f" of {1000 / options.fps:.0f} ms available at {options.fps} fps"
    )
    if took_s <= MAX_FRAME_SHARE / options.fps or not verdict.problem:
        return [*found, CheckResult("encoder", CheckState.OK, message)]
    state = CheckState.ERROR if took_s > 1 / options.fps else CheckState.WARNING
    return [*found, CheckResult("encoder", state, message, FIX)]


def _of_hardware(options: StageOptions, device: str | None, verdict: Verdict) -> list[CheckResult]:
    if not verdict.problem:
        return [CheckResult("encoder", CheckState.OK, f"the hardware encodes: {device}; it takes {verdict.report}")]
    is_wanted = options.encoder == "hardware"
    if device is None and not is_wanted:
        return []
    message = f"libx264 encodes, not {device or 'hardware'}: {verdict.problem}"
    if is_wanted:
        return [CheckResult("encoder", CheckState.WARNING, message, USE_SOFTWARE)]
    return [CheckResult("encoder", CheckState.OK, message)]


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
