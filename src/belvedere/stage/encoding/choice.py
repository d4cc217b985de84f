"""Decides between the hardware encoder of this computer and x264, once for the process."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import HardwareEncoder
from belvedere.stage.encoding.hardware_process import HardwareProcess
from belvedere.stage.encoding.probe import Verdict, judge
from belvedere.stage.sources.v4l2.converters import find_h264_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.hardware import Connection
    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.options import StageOptions

NO_DEVICE = "this computer has no hardware encoder of H.264"
NOT_WANTED = "the settings say so: [stage] encoder"

logger = logging.getLogger(__name__)


class EncoderChoice:
    """Which encoder to open. `prepare` may take seconds; `open` belongs to the threads of sources.

    Args:
        open_software: opens x264.
        find_device: names the device that encodes H.264, or returns None; turns nothing on.
        connect: starts a child for a width and height. Raises EncoderError.
    """

    def __init__(
        self,
        open_software: Callable[[StageOptions], Encoder],
        find_device: Callable[[], str | None] = find_h264_encoder,
        connect: Callable[[int, int], Connection] = HardwareProcess,
    ) -> None:
        self._open_software = open_software
        self._find_device = find_device
        self._connect = connect
        self._lock = threading.Lock()  # of the attributes below, never kept while the driver is called
        self._is_asked = False
        self._proven: tuple[StageOptions, str] | None = None  # with which options, and the profile-level-id
        self._spare: Connection | None = None

    def prepare(self, options: StageOptions) -> None:
        """Try the hardware, the first time; if it is used, have a child ready for the next `open`. For a thread."""
        with self._lock:
            is_first, self._is_asked = not self._is_asked, True
            is_spare_needed = self._proven is not None and self._spare is None
        if is_first and options.encoder != "x264":
            device, verdict = self.try_hardware(options)
            _report(options, device, verdict)
            if verdict.problem:
                return
            with self._lock:
                self._proven = options, verdict.profile_level_id
            is_spare_needed = True
        if is_spare_needed:
            self._prepare_spare(options)

    def try_hardware(self, options: StageOptions) -> tuple[str | None, Verdict]:
        """Try the hardware, whatever is known of it; returns the device, None if there is none, and the verdict."""
        if options.encoder == "x264":
            return None, Verdict(NOT_WANTED)
        device = self._find_device()
        if device is None:
            return None, Verdict(NO_DEVICE)

        def open_hardware() -> HardwareEncoder:
            return HardwareEncoder(options, self._connect(options.width, options.height))

        return device, judge(options, open_hardware, lambda: self._open_software(options))

    def profile_level_id(self, options: StageOptions) -> str | None:
        """Of what the hardware makes with these options; None if it is not used for them."""
        proven = self._proven
        return proven[1] if proven is not None and _covers(proven[0], options) else None

    def open(self, options: StageOptions) -> Encoder:
        """The hardware, for the size that it was tried with and at most that rate; else, or if it fails, x264."""
        if self.profile_level_id(options) is None:
            return self._open_software(options)
        with self._lock:
            connection, self._spare = self._spare, None
        try:
            connection = connection or self._connect(options.width, options.height)
            return HardwareEncoder(options, connection, self._give_up)
        except EncoderError as error:
            self._give_up(str(error))
            return self._open_software(options)

    def _prepare_spare(self, options: StageOptions) -> None:
        try:
            spare = self._connect(options.width, options.height)
        except EncoderError as error:
            self._give_up(str(error))
            return
        with self._lock:
            if self._spare is None and self._proven is not None:
                self._spare = spare
                return
        spare.close()

    def _give_up(self, problem: str) -> None:
        """It failed in use: x264 from now on, until Belvedere is started again."""
        with self._lock:
            proven, self._proven = self._proven, None
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()
        if proven is not None:
            logger.warning("the hardware encoder failed, so libx264 encodes from now on: %s", problem)


def _covers(proven: StageOptions, options: StageOptions) -> bool:
    return (
        options.encoder != "x264"
        and (proven.width, proven.height) == (options.width, options.height)
        and options.fps <= proven.fps
        and options.bitrate_kbps <= proven.bitrate_kbps
    )


def _report(options: StageOptions, device: str | None, verdict: Verdict) -> None:
    if not verdict.problem:
        logger.info("the hardware encoder is used from the next picture on: %s, %s", device, verdict.report)
    elif device is not None or options.encoder == "hardware":
        level = logging.WARNING if options.encoder == "hardware" else logging.INFO
        logger.log(level, "libx264 encodes, not %s: %s", device or "hardware", verdict.problem)
