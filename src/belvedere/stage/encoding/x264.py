"""Encodes pictures as H.264 with x264, without any delay in the encoder. Importing this module imports FFmpeg."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from belvedere.errors import InternalError
from belvedere.stage.encoding.preset import PRESETS
from belvedere.stage.encoding.rate_control import EncodingTarget
from belvedere.stage.frames import RTP_CLOCK_HZ, EncodedFrame, rtp_ticks
from belvedere.stage.h264 import lowest_level
from belvedere.stage.sources.source import Picture

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from belvedere.stage.encoding.preset import PresetChoice
    from belvedere.stage.options import StageOptions

IDR_INTERVAL_FRAMES = 300  # ten seconds at 30 fps; viewers who need a key frame earlier request one
BUFFER_MS = 80  # of the bitrate, which bounds the size of one picture: an unbounded IDR overflows sockets
HEADROOM = 2  # the bitrate may rise to so many times that which an encoder was opened for; the buffer does not change
BT709 = 1  # ITU-T H.264 table E-3 to E-5, value 1
VIDEO_RANGE = 1  # AVCOL_RANGE_MPEG
ROW_BYTES = 32  # rows of a multiple of it are not padded, chroma included


class X264Encoder:
    """Constrained Baseline without B-frames, parameter sets with every IDR; for one thread at a time.

    With `ultrafast` and `zerolatency` a picture of 1280x720 takes about 3 ms. There is one slice and one thread: more
    would save 1 ms, but cost memory and a quarter more processor time. The level is that of the full size and the
    highest bitrate, whatever is encoded, so that it can be announced before.

    Args:
        options: size, rate, and the highest bitrate.
        choice: which preset to use, where the options leave it to measuring.
    """

    def __init__(self, options: StageOptions, choice: PresetChoice | None = None) -> None:
        self._options = options
        self._choice = choice if options.preset == "auto" else None
        self._frame = av.VideoFrame(options.width, options.height, "yuv420p")
        self._frame.time_base = Fraction(1, RTP_CLOCK_HZ)
        self._scaler = VideoReformatter()
        self._last_ticks = -1
        self._target = EncodingTarget(options.bitrate_kbps * 1000)
        self._preset = PRESETS[0]
        self._limit = 0
        self._codec = self._open()
        y, u, v = (memoryview(plane) for plane in self._frame.planes)
        if len(y) != options.width * options.height or len(u) * 4 != len(y):
            raise InternalError(f"rows of {options.width} pixels are padded")
        self.picture = Picture(options.width, options.height, y, u, v)

    def retarget(self, target: EncodingTarget) -> None:
        """Use another bitrate and size from the next picture on. Another size makes that an IDR."""
        before, self._target = self._target, target
        if (target.size, target.every) != (before.size, before.every) or target.bits_per_s > self._limit:
            self._codec = self._open()
        else:  # x264 is told by FFmpeg before the next picture, which need not be an IDR
            self._codec.bit_rate = target.bits_per_s

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode the content of `picture`, captured at `at_s`; returns None if the encoder produced no output."""
        if wants_idr and self._chosen_preset() != self._preset:
            self._codec = self._open()
        ticks = max(rtp_ticks(at_s), self._last_ticks + 1)  # x264 needs rising timestamps
        self._last_ticks = ticks
        began_s = time.thread_time()
        frame = self._frame
        if (frame.width, frame.height) != (self._codec.width, self._codec.height):
            frame = self._scaler.reformat(
                frame, width=self._codec.width, height=self._codec.height, interpolation=Interpolation.AREA
            )
        frame.pts = ticks
        frame.pict_type = PictureType.I if wants_idr else PictureType.NONE
        packets = self._codec.encode(frame)
        if self._choice is not None:
            interval_s = self._target.every / self._options.fps
            self._choice.receive_time(self._preset, time.thread_time() - began_s, interval_s)
        if not packets:
            return None
        packet = packets[0]
        return EncodedFrame(bytes(packet), at_s, ticks, packet.is_keyframe)

    def _chosen_preset(self) -> str:
        if self._choice is not None:
            return self._choice.preset
        return PRESETS[0] if self._options.preset == "auto" else self._options.preset

    def _open(self) -> VideoCodecContext:
        """Open x264 for the target; what it encodes first is an IDR."""
        ceiling = self._options.bitrate_kbps * 1000
        self._limit = min(ceiling, HEADROOM * self._target.bits_per_s)
        self._preset = self._chosen_preset()
        codec = _open_x264(self._options, self._target, self._preset, self._limit)
        codec.bit_rate = self._target.bits_per_s
        return codec


def scaled(options: StageOptions, size: Fraction) -> tuple[int, int]:
    """Width and height of a picture that is made smaller: even, and rows without padding."""
    return scaled_size(options.width, options.height, size)


def scaled_size(width: int, height: int, size: Fraction) -> tuple[int, int]:
    """The same of a picture of any size."""
    if size == 1:
        return width, height
    scaled_width = max(ROW_BYTES, round(width * size / ROW_BYTES) * ROW_BYTES)
    return scaled_width, max(2, round(height * scaled_width / width / 2) * 2)


def _open_x264(options: StageOptions, target: EncodingTarget, preset: str, bits_per_s: int) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = scaled(options, target.size)
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, RTP_CLOCK_HZ)
    codec.framerate = Fraction(options.fps, target.every)
    codec.bit_rate = bits_per_s
    codec.profile = "Baseline"
    codec.colorspace = BT709
    codec.color_primaries = BT709
    codec.color_trc = BT709
    codec.color_range = VIDEO_RANGE
    codec.thread_count = 1
    level = lowest_level(options.width, options.height, options.fps, options.bitrate_kbps)
    codec.options = {
        "preset": preset,
        "tune": "zerolatency",
        "bf": "0",
        "g": str(IDR_INTERVAL_FRAMES),
        "forced-idr": "1",
        "maxrate": str(bits_per_s),
        "bufsize": str(bits_per_s * BUFFER_MS // 1000),
        # Psychovisual decisions and adaptive quantization make the picture less similar to its source, not more.
        "x264-params": f"repeat-headers=1:scenecut=0:no-psy=1:aq-mode=0:level={level / 10:.1f}",
    }
    codec.open()
    return codec
