"""The stage's frames as Amazon IVS takes them: those of the encode that all viewers share, wherever that fits.

IVS ends a publisher whose picture is larger than 1280x720 or takes more than 8.5 Mbit/s, cuts streams with B-frames,
and wants an IDR every second or two, from which viewers begin. What does not fit is decoded and encoded again, in a
thread.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import msgspec

from belvedere.errors import BitstreamError
from belvedere.stage.encoding.encoder import load_codecs, open_decoder, open_software_encoder
from belvedere.stage.h264 import BASELINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.hub import Subscriber
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import VideoDescription

MAX_WIDTH, MAX_HEIGHT = 1280, 720
MAX_BITS_PER_S = 8_000_000  # of 8.5 million: packets have headers
IDR_S = 1.5
RATE_WINDOW_S = 2.0  # an IDR alone is no rate
ROW_PIXELS = 32  # the encoder's rows are not padded

logger = logging.getLogger(__name__)


class Encoding(Protocol):
    """Decodes frames and encodes them again."""

    def encode(self, frame: EncodedFrame, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode a frame; returns None if there is no picture. Blocks, for a thread. Raises BitstreamError."""
        ...


class SmallerEncoding:
    """Implements `Encoding` for pictures of any size."""

    def __init__(self, options: StageOptions, description: VideoDescription) -> None:
        load_codecs()
        self._decoder = open_decoder()
        width, height = fitted_size(description.width, description.height)
        bitrate_kbps = min(options.bitrate_kbps, MAX_BITS_PER_S // 1000)
        self._encoder = open_software_encoder(
            msgspec.structs.replace(
                options, width=width, height=height, fps=max(1, description.fps), bitrate_kbps=bitrate_kbps
            )
        )

    def encode(self, frame: EncodedFrame, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode a frame, made smaller."""
        captured_s = self._decoder.decode(frame.data, frame.captured_s, self._encoder.picture)
        return None if captured_s is None else self._encoder.encode(captured_s, wants_idr=wants_idr)


class FittedFrames:
    """What a publisher is to send, from its subscriber; belongs to the event loop.

    Args:
        describe: what the source delivers now.
        request_idr: requests an IDR of the shared encode.
        open_encoding: for frames that do not fit; called in a thread.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        describe: Callable[[], VideoDescription | None],
        request_idr: Callable[[], None],
        options: StageOptions,
        *,
        open_encoding: Callable[[StageOptions, VideoDescription], Encoding] = SmallerEncoding,
    ) -> None:
        self._subscriber = subscriber
        self._describe = describe
        self._request_idr = request_idr
        self._options = options
        self._open_encoding = open_encoding
        self._encoding: Encoding | None = None
        self._encoded: VideoDescription | None = None  # what the encoding was opened for
        self._thread: ThreadPoolExecutor | None = None
        self._rate = _Rate()
        self._is_fitting = True
        self._idr_s = float("-inf")  # when the last IDR was captured
        self._cuts = 0

    async def next_frame(self) -> EncodedFrame | None:
        """Wait for the next frame to send; None once the subscriber is closed."""
        while (frame := await self._subscriber.next_frame()) is not None:
            is_too_much = self._rate.receive_frame(frame.captured_s, len(frame.data)) > MAX_BITS_PER_S
            description = self._describe()
            if frame.is_idr or is_too_much:
                self._judge(description, is_too_much=is_too_much)
            if description is None or self._is_fitting:
                return self._passed(frame)
            sent = await self._encoded_again(frame, description)
            if sent is not None:
                return sent
        self.close()
        return None

    def cut(self) -> None:
        """Let nothing out any more that was captured before now."""
        self._cuts += 1

    def close(self) -> None:
        """Free the encoder; may be called more than once."""
        self._encoding = None
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    def _judge(self, description: VideoDescription | None, *, is_too_much: bool) -> None:
        why = obstacle(description, self._options) or ("it takes more than 8 Mbit/s" if is_too_much else "")
        if self._is_fitting and why:
            logger.info("the picture is encoded again for Amazon IVS: %s", why)
            self._is_fitting = False
            self._request_idr()  # from which the decoder can begin
        elif not self._is_fitting and not why and description != self._encoded:
            logger.info("the picture is passed on to Amazon IVS as it is")
            self._is_fitting = True

    def _passed(self, frame: EncodedFrame) -> EncodedFrame:
        if frame.is_idr:
            self._idr_s = frame.captured_s
        elif frame.captured_s - self._idr_s >= IDR_S:
            self._request_idr()  # the stage bounds how often
        return frame

    async def _encoded_again(self, frame: EncodedFrame, description: VideoDescription) -> EncodedFrame | None:
        """In a thread, one after the other: meanwhile the subscriber drops what would wait too long."""
        cuts = self._cuts
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="ivs-encode")
        wants_idr = frame.captured_s - self._idr_s >= IDR_S
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._encode, frame, description, wants_idr)
        try:
            encoded = await running
        except BitstreamError as error:
            logger.debug("a picture is left out for Amazon IVS: %s", error)
            return None
        if encoded is None or cuts != self._cuts:
            return None
        if encoded.is_idr:
            self._idr_s = encoded.captured_s
        return encoded

    def _encode(self, frame: EncodedFrame, description: VideoDescription, wants_idr: bool) -> EncodedFrame | None:  # noqa: FBT001 (run_in_executor takes no names)
        if self._encoding is None or description != self._encoded:
            self._encoding, self._encoded = self._open_encoding(self._options, description), description
        return self._encoding.encode(frame, wants_idr=wants_idr)


class _Rate:
    """How many bits came in the last whole window."""

    def __init__(self) -> None:
        self._began_s = float("-inf")
        self._bits = 0
        self._per_s = 0.0

    def receive_frame(self, at_s: float, size_bytes: int) -> float:
        """A frame was captured then; returns bits per second."""
        if at_s - self._began_s >= RATE_WINDOW_S:
            self._per_s = 0.0 if self._began_s == float("-inf") else self._bits / (at_s - self._began_s)
            self._began_s, self._bits = at_s, 0
        self._bits += size_bytes * 8
        return self._per_s


def obstacle(description: VideoDescription | None, options: StageOptions) -> str:
    """Why frames of this kind must be encoded again; "" if they fit, or nothing is known."""
    if description is None:
        return ""
    if description.width > MAX_WIDTH or description.height > MAX_HEIGHT:
        return f"{description.width}x{description.height} is more than {MAX_WIDTH}x{MAX_HEIGHT}"
    if int(description.profile_level_id[:2] or "42", 16) != BASELINE:
        return "its profile is not Baseline"
    if not description.can_request_idr:
        return "the camera cannot be asked for an IDR"
    if options.bitrate_kbps * 1000 > MAX_BITS_PER_S:
        return f"{options.bitrate_kbps} kbit/s are allowed, which is too much"
    return ""


def fitted_size(width: int, height: int) -> tuple[int, int]:
    """The largest size that IVS takes of about this shape, and no larger than it."""
    largest = min(width, MAX_WIDTH, MAX_HEIGHT * width // height)
    fitted_width = max(ROW_PIXELS, largest // ROW_PIXELS * ROW_PIXELS)
    return fitted_width, max(2, min(MAX_HEIGHT, round(height * fitted_width / width / 2) * 2))
