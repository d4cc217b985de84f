"""Captures the room's microphone by parec, and encodes it once for everybody. It runs in a thread of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from belvedere.errors import CameraError, SoundError
from belvedere.stage.frames import EncodedFrame, MediaKind, rtp_ticks
from belvedere.stage.sources.child import ChildProcess
from belvedere.stage.voice.opus import FRAME_SAMPLES, RATE_HZ, OpusEncoder
from belvedere.stage.voice.sample_clock import SampleClock
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from belvedere.stage.voice.device_runner import DeviceRun

BITS_PER_S: Final = 32_000  # speech of one channel cannot be told from the original
FRAME_BYTES: Final = 2 * FRAME_SAMPLES
TICKS_PER_FRAME: Final = FRAME_SAMPLES * 90_000 // RATE_HZ
LATENCY_MS: Final = 20  # asked of the sound server: a frame at a time
LEAST_LATENCY_S: Final = 0.015  # from the air to here, of a piece's last sample: a sound card's own buffer
POLL_S: Final = 0.1
FRAMES_PER_S: Final = 100.0  # twice what a microphone delivers; each is sent to every viewer by the event loop
FRAMES_BURST: Final = 600.0  # what the pipe holds, after a stall
SILENT_S: Final = 3.0  # a microphone delivers silence, too; one that delivers nothing is broken

Command = tuple[str, ...]
PAREC: Final[Command] = ("parec",)


def capture_command(program: Sequence[str], device: str) -> list[str]:
    """What captures a device of the sound server."""
    return [
        *program,
        f"--device={device}",
        *("--raw", "--format=s16ne", f"--rate={RATE_HZ}", "--channels=1", f"--latency-msec={LATENCY_MS}"),
        *("--client-name=Belvedere", "--stream-name=The room's microphone"),
    ]


def capture(
    command: Sequence[str],
    run: DeviceRun,
    deliver: Callable[[EncodedFrame], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Capture and encode until the run is stopped; `deliver` is called in this thread.

    Raises SoundError if the microphone fails, and OwnerError if there is no libopus.
    """
    encoder = OpusEncoder(BITS_PER_S)
    try:
        with ChildProcess(command) as child:
            _capture(child, encoder, run, deliver, clock)
    except CameraError as error:
        raise SoundError(str(error)) from error


def _capture(
    child: ChildProcess,
    encoder: OpusEncoder,
    run: DeviceRun,
    deliver: Callable[[EncodedFrame], None],
    clock: Callable[[], float],
) -> None:
    samples, begun_ticks = SampleClock(LEAST_LATENCY_S), rtp_ticks(clock())
    number, pending, last_s = 0, bytearray(), clock()
    budget = TokenBucket(FRAMES_PER_S, FRAMES_BURST)
    while not run.is_stopped:
        data = child.read(POLL_S)
        if data is None:
            raise child.failure()
        if not data and clock() - last_s > SILENT_S:
            raise SoundError("the microphone delivers nothing")
        if data:
            last_s = clock()
            run.receive_opened()
        pending += data
        while len(pending) >= FRAME_BYTES and not run.is_stopped:
            frame = bytes(pending[:FRAME_BYTES])
            del pending[:FRAME_BYTES]
            captured_s = samples.receive(FRAME_SAMPLES, clock(), is_newest=len(pending) < FRAME_BYTES)
            number += 1
            if captured_s is not None:
                if not budget.take(clock()):
                    raise SoundError("the microphone delivers faster than there is sound")
                ticks = begun_ticks + number * TICKS_PER_FRAME
                deliver(EncodedFrame(encoder.encode(frame), captured_s, ticks, is_idr=False, kind=MediaKind.AUDIO))
