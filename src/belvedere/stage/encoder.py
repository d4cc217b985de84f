"""Pictures to H.264 with x264, set up so that a picture leaves the moment it is in, and to RTP payloads."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
from aiortc.codecs.h264 import H264Encoder as Packetizer
from av.video.frame import PictureType

from belvedere.errors import InternalError
from belvedere.stage.answer import RTP_CLOCK_HZ, rtp_ticks
from belvedere.stage.hub import EncodedFrame
from belvedere.stage.source import Picture

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from belvedere.stage.options import StageOptions

IDR_INTERVAL_FRAMES = 300  # viewers ask when they need one; ten seconds help only whoever cannot ask
BUFFER_MS = 80  # how far a picture may exceed its share of the bitrate: an uncapped IDR overflows sockets
BT709 = 1  # ITU-T H.264 table E-3 to E-5, value 1
VIDEO_RANGE = 1  # AVCOL_RANGE_MPEG


class Encoder(Protocol):
    """Fill `picture`, call `encode`, and again."""

    picture: Picture

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode what `picture` holds as captured at `at_s`; None when nothing comes out."""
        ...


class X264Encoder:
    """Constrained Baseline without B-frames, parameter sets with every IDR; for one thread at a time.

    `ultrafast` and `zerolatency` take about 3 ms for a picture of 1280x720; one slice and one thread, since more
    save 1 ms, cost memory and a quarter more of the processor.
    """

    def __init__(self, options: StageOptions) -> None:
        self._codec = _open_x264(options)
        self._packetizer = Packetizer()
        self._frame = av.VideoFrame(options.width, options.height, "yuv420p")
        self._frame.time_base = Fraction(1, RTP_CLOCK_HZ)
        self._last_ticks = -1
        y, u, v = (memoryview(plane) for plane in self._frame.planes)
        if len(y) != options.width * options.height or len(u) * 4 != len(y):
            raise InternalError(f"rows of {options.width} pixels are padded")
        self.picture = Picture(options.width, options.height, y, u, v)

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode what `picture` holds as captured at `at_s`; None when nothing comes out."""
        ticks = max(rtp_ticks(at_s), self._last_ticks + 1)  # x264 wants them to rise
        self._last_ticks = ticks
        self._frame.pts = ticks
        self._frame.pict_type = PictureType.I if wants_idr else PictureType.NONE
        packets = self._codec.encode(self._frame)
        if not packets:
            return None
        packet = packets[0]
        packet.time_base = Fraction(1, RTP_CLOCK_HZ)
        payloads, _ = self._packetizer.pack(packet)
        return EncodedFrame(bytes(packet), tuple(payloads), ticks, packet.is_keyframe)


def _open_x264(options: StageOptions) -> VideoCodecContext:
    bits_per_s = options.bitrate_kbps * 1000
    codec = av.CodecContext.create("libx264", "w")
    codec.width = options.width
    codec.height = options.height
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, RTP_CLOCK_HZ)
    codec.framerate = Fraction(options.fps, 1)
    codec.bit_rate = bits_per_s
    codec.profile = "Baseline"
    codec.colorspace = BT709
    codec.color_primaries = BT709
    codec.color_trc = BT709
    codec.color_range = VIDEO_RANGE
    codec.thread_count = 1
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "bf": "0",
        "g": str(IDR_INTERVAL_FRAMES),
        "forced-idr": "1",
        "maxrate": str(bits_per_s),
        "bufsize": str(bits_per_s * BUFFER_MS // 1000),
        "x264-params": "repeat-headers=1:scenecut=0",
    }
    codec.open()
    return codec
