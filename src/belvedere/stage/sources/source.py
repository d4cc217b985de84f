"""The interface between video sources (cameras, real or simulated) and the stage: sources push what they capture."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Picture:
    """A buffer for one picture: three writable planes of bytes, whose rows follow each other without padding.

    The colours are 8-bit YUV 4:2:0 in video range (black is 16, white 235) with the matrix of BT.709.

    Attributes:
        width, height: in pixels, both even.
        y: luma, width x height bytes.
        u, v: chroma, (width / 2) x (height / 2) bytes each.
    """

    width: int
    height: int
    y: memoryview
    u: memoryview
    v: memoryview


class VideoFormat(enum.StrEnum):
    """What a source delivers: pictures for an encoder, or access units that are passed through."""

    RAW = "yuv420p"
    H264 = "h264"


@dataclass(frozen=True, slots=True)
class VideoDescription:
    """What a source delivers from now on, or what the sink made of it.

    Attributes:
        format: RAW as `Picture` describes it, or H264 in access units.
        width, height: in pixels, as far as is known; H.264 tells by itself.
        fps: pictures per second, as far as is known.
        request_idr: makes a source that encodes by itself deliver an IDR soon, if it can. Called in its own thread,
            from `push_h264`, at most about once a second. Of RAW pictures, an IDR can always be requested.
        profile_level_id: of what viewers are sent, as RTP names it; the sink sets it.
    """

    format: VideoFormat
    width: int
    height: int
    fps: int
    request_idr: Callable[[], None] | None = field(default=None, compare=False)
    profile_level_id: str = field(default="", compare=False)

    @property
    def can_request_idr(self) -> bool:
        """Whether an IDR comes when one is requested."""
        return self.format is VideoFormat.RAW or self.request_idr is not None


class Sink(Protocol):
    """Where a source delivers what it captures, from its own thread. All methods return within milliseconds.

    Capture times are in seconds of the server's monotonic clock; one in the future counts as now.
    """

    def now(self) -> float:
        """The server's monotonic clock."""
        ...

    def describe(self, description: VideoDescription) -> None:
        """Say what is delivered, before the first frame and whenever it changes; H.264 tells its size by itself."""
        ...

    def lend(self) -> Picture | None:
        """The buffer to fill with the next raw picture; None if nobody can take one now, so that it is to be skipped.

        A skipped picture costs nothing, so ask before capturing or converting. The buffer is the source's until
        `push_picture`, and has the size of the description.
        """
        ...

    def push_picture(self, captured_s: float) -> None:
        """Deliver the picture that was filled into the lent buffer."""
        ...

    def push_h264(self, data: bytes, captured_s: float) -> None:
        """Deliver one access unit in Annex B format, of any profile, with or without parameter sets.

        It is passed on if browsers can show it, else decoded and encoded anew. What is damaged is left out up to the
        next IDR; raises BitstreamError when nothing else comes.
        """
        ...


class VideoSource(Protocol):
    """A camera. One thread at a time uses it, never the event loop's; it may be run again after it returned.

    An exception ends this run, and viewers wait: a new source is run soon. What is known of the cause is said by a
    `CameraError`, whose reason reaches the page.
    """

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do slow preparations in advance, without turning the camera on. May be called often, or not at all."""
        ...

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Turn on, push pictures at the source's own pace until `stopping` is set, and turn off again.

        Size and rate are what is `wanted` if the camera can do that, else the nearest. A source that does not call its
        sink for `STALL_TIMEOUT_S` is abandoned: its thread keeps running, and must not disturb the next one.
        """
        ...
