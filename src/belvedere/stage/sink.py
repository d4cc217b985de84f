"""What a source delivers to: hands every picture to its consumers, in the source's thread.

The consumers are the encoder for raw pictures or the pass-through for encoded ones, and the tap, which comes first and
only copies, and only on request. None of them waits for anything: what the event loop cannot take is skipped.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import InternalError
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.keyframe_requests import KeyframeBudget
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill, Still

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.encoder import Encoder
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import Picture

BACKLOG_FRAMES = 4  # no more pictures are taken while the event loop is this far behind


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
        self._open_encoder = open_encoder
        self._options = options
        self._clock = clock
        self._wake = wake
        self._encoder: Encoder | None = None
        self._keyframes = KeyframeBudget()
        self._is_passing = False
        self._needs_idr = True
        self._last_ticks = -1

    def now(self) -> float:
        """The server's monotonic clock."""
        return self._clock()

    def describe(self, description: VideoDescription) -> None:
        """Open an encoder for raw pictures; begin to pass encoded ones through with their next IDR."""
        self._receive_call()
        self._is_passing = description.format is VideoFormat.H264
        self._needs_idr = True
        self._encoder = None
        if not self._is_passing:
            size = {"width": description.width, "height": description.height, "fps": description.fps}
            self._encoder = self._open_encoder(msgspec.structs.replace(self._options, **size))
        self._deliver(description)

    def lend(self) -> Picture | None:
        """The encoder's own planes, so that nothing is copied; None while the event loop is behind."""
        self._receive_call()
        return None if len(self.outbox) >= BACKLOG_FRAMES else self._opened().picture

    def push_picture(self, captured_s: float) -> None:
        """Copy the picture if a tap requested one, and encode it."""
        captured_s = min(captured_s, self._receive_call())
        encoder = self._opened()
        if self._takes_still():
            y, u, v = (bytes(plane) for plane in (encoder.picture.y, encoder.picture.u, encoder.picture.v))
            self._deliver(StillDelivery(RawStill(encoder.picture.width, encoder.picture.height, y, u, v, captured_s)))
        wants_idr = self.wants_idr.is_set() and self._keyframes.take(captured_s)
        if wants_idr:
            self.wants_idr.clear()
        frame = encoder.encode(captured_s, wants_idr=wants_idr)
        if frame is None:
            return
        if frame.is_idr:
            self._keyframes.receive_keyframe(captured_s)
        self._deliver(frame)

    def push_h264(self, data: bytes, captured_s: float, *, is_idr: bool) -> None:
        """Pass an access unit on, or drop all up to the next IDR while the event loop is behind."""
        captured_s = min(captured_s, self._receive_call())
        if not self._is_passing:
            raise InternalError("the source did not say that its pictures are encoded")
        is_behind = len(self.outbox) >= BACKLOG_FRAMES
        self._needs_idr = is_behind or (self._needs_idr and not is_idr)
        if self._needs_idr:
            return
        self._last_ticks = max(rtp_ticks(captured_s), self._last_ticks + 1)
        frame = EncodedFrame(data, captured_s, self._last_ticks, is_idr)
        if is_idr and self._takes_still():
            self._deliver(StillDelivery(frame))
        self._deliver(frame)

    def close(self) -> None:
        """Free the encoder; the source has ended."""
        self._encoder = None

    def _opened(self) -> Encoder:
        if self._encoder is None:
            raise InternalError("the source did not describe its raw pictures")
        return self._encoder

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
