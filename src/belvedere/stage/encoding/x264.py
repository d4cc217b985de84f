"""Encodes pictures as H.264 with x264, without any delay in the encoder. Importing this module imports FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from belvedere.errors import InternalError
from belvedere.stage.frames import RTP_CLOCK_HZ, EncodedFrame, rtp_ticks
from belvedere.stage.sources.source import Picture

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from belvedere.stage.options import StageOptions

IDR_INTERVAL_FRAMES = 300  # ten seconds at 30 fps; viewers who need a key frame earlier request one
BUFFER_MS = 80  # of the bitrate, which bounds the size of one picture: an unbounded IDR overflows sockets
BT709 = 1  # ITU-T H.264 table E-3 to E-5, value 1
VIDEO_RANGE = 1  # AVCOL_RANGE_MPEG


class X264Encoder:
    """Constrained Baseline without B-frames, parameter sets with every IDR; for one thread at a time.

    With `ultrafast` and `zerolatency` a picture of 1280x720 takes about 3 ms. There is one slice and one thread: more
    would save 1 ms, but cost memory and a quarter more processor time.
    """

    def __init__(self, options: StageOptions) -> None:
        self._codec = _open_x264(options)
        self._frame = av.VideoFrame(options.width, options.height, "yuv420p")
        self._frame.time_base = Fraction(1, RTP_CLOCK_HZ)
        self._last_ticks = -1
        y, u, v = (memoryview(plane) for plane in self._frame.planes)
        if len(y) != options.width * options.height or len(u) * 4 != len(y):
            raise InternalError(f"rows of {options.width} pixels are padded")
        self.picture = Picture(options.width, options.height, y, u, v)

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode the content of `picture`, captured at `at_s`; returns None if the encoder produced no output."""
        ticks = max(rtp_ticks(at_s), self._last_ticks + 1)  # x264 needs rising timestamps
        self._last_ticks = ticks
        self._frame.pts = ticks
        self._frame.pict_type = PictureType.I if wants_idr else PictureType.NONE
        packets = self._codec.encode(self._frame)
        if not packets:
            return None
        packet = packets[0]
        return EncodedFrame(bytes(packet), at_s, ticks, packet.is_keyframe)


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
