"""Decodes a camera's H.264 that browsers would not show well, so that it can be encoded anew. Imports FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from belvedere.errors import BitstreamError
from belvedere.stage.frames import RTP_CLOCK_HZ, rtp_ticks

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture


class H264Decoder:
    """Implements `encoder.Decoder` with FFmpeg's decoder, in one thread and without more delay than B-frames need."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("h264", "r")
        self._codec.thread_count = 1  # frame threads would each delay the picture by one
        self._scaler = VideoReformatter()

    def decode(self, data: bytes, at_s: float, picture: Picture) -> float | None:
        """Decode one access unit, as `Decoder` describes it. Raises BitstreamError if it is damaged."""
        packet = av.Packet(data)
        packet.pts, packet.time_base = rtp_ticks(at_s), Fraction(1, RTP_CLOCK_HZ)
        try:
            frames = self._codec.decode(packet)
        except av.FFmpegError as error:
            raise BitstreamError(f"H.264 that cannot be decoded: {error}") from error
        if not frames:
            return None
        newest = frames[-1]
        captured_s = at_s if newest.pts is None else newest.pts / RTP_CLOCK_HZ
        scaled = self._scaler.reformat(
            newest,
            width=picture.width,
            height=picture.height,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA if picture.width < newest.width else Interpolation.BICUBIC,
        )
        for target, plane in zip((picture.y, picture.u, picture.v), scaled.planes, strict=True):
            _copy(memoryview(plane), plane.line_size, target, plane.width)
        return captured_s


def _copy(rows: memoryview, stride: int, target: memoryview, width: int) -> None:
    if stride == width:
        target[:] = rows[: len(target)]
        return
    for row in range(len(target) // width):
        target[row * width : (row + 1) * width] = rows[row * stride : row * stride + width]
