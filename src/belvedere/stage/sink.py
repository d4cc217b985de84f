"""What a source delivers to: hands every picture to its consumers, in the source's thread.

The consumers are the encoder for raw pictures or the pass-through for encoded ones, and the tap, which comes first and
only copies, and only on request. H.264 that browsers would not show well is decoded, and goes the way of raw pictures.
None of them waits for anything: what the event loop cannot take is skipped.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import BitstreamError, CameraError, CameraReason, InternalError
from belvedere.stage.encoding.encoder import announced_profile, open_decoder
from belvedere.stage.encoding.pass_through import PassThrough
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.keyframe_requests import KeyframeBudget
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill, Still
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.encoder import Decoder, Encoder
    from belvedere.stage.encoding.pass_through import RepairedUnit
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.h264 import Sps
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import Picture

BACKLOG_FRAMES = 4  # no more pictures are taken while the event loop is this far behind
MAX_FPS = 240  # what a camera says beyond it is wrong, and an encoder takes no number of more than 31 bits
STREAMS_PER_S, STREAMS_BURST = 0.2, 5  # opening an encoder stops every thread for some milliseconds
MAX_PICTURE_BYTES = 24 * 2**20  # 12 megapixels; a decoder keeps up to 17 pictures of a stream, a still needs two
BYTES_PER_PIXEL = (1.0, 1.5, 2.0, 3.0)  # by chroma_format, with 8 bits
ROW_PIXELS = 32  # rows of a multiple of it need no padding

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StillDelivery:
    """A picture that the tap requested."""

    still: Still


Delivery = VideoDescription | EncodedFrame | StillDelivery


class SourceSink:
    """The sink of one run of a source; implements `sources.source.Sink`.

    Args:
        open_encoder: creates the encoder once raw pictures of a size are announced.
        options: the bitrate; size and rate are those of the description.
        wake: called after something was added to the outbox.

    Attributes:
        outbox: for the event loop, in order; appended here and popped there, which deque allows without a lock.
        alive_s: when the source last called.
        wants_idr, wants_still: set by the event loop.
        target: what the encoder is to make; set by the event loop, None for all that the options allow.
    """

    def __init__(
        self,
        open_encoder: Callable[[StageOptions], Encoder],
        options: StageOptions,
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self.outbox: deque[Delivery] = deque()
        self.alive_s = clock()
        self.wants_idr = threading.Event()
        self.wants_still = threading.Event()
        self.target: EncodingTarget | None = None
        self._open_encoder = open_encoder
        self._options = options
        self._clock = clock
        self._wake = wake
        self._encoder: Encoder | None = None
        self._decoder: Decoder | None = None
        self._applied: EncodingTarget | None = None
        self._skipped = 0
        self._keyframes = KeyframeBudget()
        self._passing: PassThrough | None = None
        self._source: VideoDescription | None = None
        self._described: Sps | None = None
        self._streams = TokenBucket(STREAMS_PER_S, STREAMS_BURST)
        self._last_ticks = -1

    def now(self) -> float:
        """The server's monotonic clock."""
        return self._clock()

    def describe(self, description: VideoDescription) -> None:
        """Open an encoder for raw pictures; of encoded ones, the first IDR says what they are."""
        self._receive_call()
        self.close()
        self._source = description
        self._described = None
        self._passing = PassThrough() if description.format is VideoFormat.H264 else None
        if self._passing is None:
            self._encode_at(description)

    def lend(self) -> Picture | None:
        """The encoder's own planes, so that nothing is copied; None while the event loop is behind, or to save bits."""
        self._receive_call()
        return None if self._is_behind() or self._skips() else self._opened().picture

    def push_picture(self, captured_s: float) -> None:
        """Copy the picture if a tap requested one, and encode it."""
        self._encode(min(captured_s, self._receive_call()))

    def push_h264(self, data: bytes, captured_s: float) -> None:
        """Pass an access unit on, or drop all up to the next IDR while the event loop is behind. Raises CameraError."""
        captured_s = min(captured_s, self._receive_call())
        if self._passing is None or self._source is None:
            raise InternalError("the source did not say that its pictures are encoded")
        if self._source.request_idr is not None and self._decoder is None and self._takes_idr_request(captured_s):
            self._source.request_idr()
        unit = self._passing.receive(data)
        if unit is None:
            return
        if unit.is_idr and self._described is not self._passing.sps:
            if not self._streams.take(self.alive_s):  # the stream changes all the time: see what a later IDR brings
                self._passing.skip_to_idr()
                return
            self._begin_stream(self._passing, self._source)
        if self._decoder is not None:
            self._transcode(self._decoder, unit, captured_s)
        elif self._passing.obstacle:  # which a picture showed that is no IDR
            self._described = None
            self._passing.skip_to_idr()
        elif self._is_behind():
            self._passing.skip_to_idr()
        else:
            self._pass_on(unit, captured_s)

    def close(self) -> None:
        """Free the encoder and the decoder; the source has ended, or begins anew."""
        self._encoder = self._decoder = None

    # Encoded pictures.

    def _begin_stream(self, passing: PassThrough, source: VideoDescription) -> None:
        """An IDR has other parameters than the one before: say so, and encode the stream anew if it must be."""
        sps = passing.sps
        if sps is None:
            raise InternalError("an IDR of a stream that is not described")
        if _picture_bytes(sps) > MAX_PICTURE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"pictures of {sps.width}x{sps.height} pixels are too large")
        self.close()
        self._described = sps
        fps = max(1, min(MAX_FPS, source.fps or round(sps.fps or 0) or self._options.fps))
        if passing.obstacle:
            logger.info("the camera's H.264 is decoded and encoded anew: %s", passing.obstacle)
            self._decoder = open_decoder()
            width, height = _fitted(sps, self._options)
            self._encode_at(VideoDescription(VideoFormat.RAW, width, height, fps))
            return
        logger.info("the camera's H.264 is passed on as it is: %s, %dx%d", sps.codec, sps.width, sps.height)
        size = sps.width, sps.height
        self._deliver(VideoDescription(VideoFormat.H264, *size, fps, source.request_idr, sps.profile_level_id))

    def _pass_on(self, unit: RepairedUnit, captured_s: float) -> None:
        self._last_ticks = max(rtp_ticks(captured_s), self._last_ticks + 1)
        frame = EncodedFrame(unit.data, captured_s, self._last_ticks, unit.is_idr)
        if unit.is_idr:
            self._keyframes.receive_keyframe(captured_s)
            if self._takes_still():
                self._deliver(StillDelivery(frame))
        self._deliver(frame)

    def _transcode(self, decoder: Decoder, unit: RepairedUnit, captured_s: float) -> None:
        try:
            decoded_s = decoder.decode(unit.data, captured_s, self._opened().picture)
        except BitstreamError as error:
            logger.debug("a picture is left out: %s", error)
            return
        if decoded_s is not None and not self._is_behind() and not self._skips():
            self._encode(decoded_s)

    # Raw pictures.

    def _encode_at(self, description: VideoDescription) -> None:
        """Open an encoder for pictures of this size and rate."""
        fps = max(1, description.fps)
        size = {"width": description.width, "height": description.height, "fps": fps}
        options = msgspec.structs.replace(self._options, **size)
        self._encoder = self._open_encoder(options)
        self._applied = None
        self._deliver(dataclasses.replace(description, profile_level_id=announced_profile(options)))

    def _encode(self, captured_s: float) -> None:
        encoder = self._opened()
        if self._takes_still():
            y, u, v = (bytes(plane) for plane in (encoder.picture.y, encoder.picture.u, encoder.picture.v))
            self._deliver(StillDelivery(RawStill(encoder.picture.width, encoder.picture.height, y, u, v, captured_s)))
        target = self.target
        if target is not None and target != self._applied:
            self._applied = target
            encoder.retarget(target)
        frame = encoder.encode(captured_s, wants_idr=self._takes_idr_request(captured_s))
        if frame is None:
            return
        if frame.is_idr:
            self._keyframes.receive_keyframe(captured_s)
        self._deliver(frame)

    def _opened(self) -> Encoder:
        if self._encoder is None:
            raise InternalError("the source did not describe its raw pictures")
        return self._encoder

    # Both.

    def _is_behind(self) -> bool:
        return len(self.outbox) >= BACKLOG_FRAMES

    def _skips(self) -> bool:
        """Whether this picture is left out, because the target has fewer of them; not while a still is requested."""
        self._skipped += 1
        if self.target is None or self._skipped >= self.target.every or self.wants_still.is_set():
            self._skipped = 0
            return False
        return True

    def _takes_idr_request(self, captured_s: float) -> bool:
        if not (self.wants_idr.is_set() and self._keyframes.take(captured_s)):
            return False
        self.wants_idr.clear()
        return True

    def _takes_still(self) -> bool:
        if not self.wants_still.is_set():
            return False
        self.wants_still.clear()
        return True

    def _receive_call(self) -> float:
        self.alive_s = now_s = self._clock()
        return now_s

    def _deliver(self, delivery: Delivery) -> None:
        self.outbox.append(delivery)
        self._wake()


def _picture_bytes(sps: Sps) -> float:
    """How much memory a decoded picture takes."""
    return sps.width * sps.height * BYTES_PER_PIXEL[sps.chroma_format] * (2 if sps.bit_depth > 8 else 1)  # noqa: PLR2004 (bits)


def _fitted(sps: Sps, options: StageOptions) -> tuple[int, int]:
    """The largest size that is no larger than the camera's and the wanted one, and has about the camera's shape."""
    share = min(1.0, options.width / sps.width, options.height / sps.height)
    width = max(ROW_PIXELS, round(sps.width * share / ROW_PIXELS) * ROW_PIXELS)
    return width, max(2, round(sps.height * width / sps.width / 2) * 2)
