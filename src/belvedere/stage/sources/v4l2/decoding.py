"""Makes frames for FFmpeg of what a camera delivers. Importing this module imports FFmpeg, so import it late.

`load` copies out of the driver's buffer, so that the driver has it back before the slow part begins, and so that no
frame refers to memory that disappears with the camera.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import av

from belvedere.stage.sources.frame_output import open_ffmpeg_decoder
from belvedere.stage.sources.v4l2.negotiation import PixelFormat

if TYPE_CHECKING:
    from belvedere.stage.sources.v4l2.capture import StreamFormat

BT709, BT601 = 1, 6  # of FFmpeg's AVColorSpace
VIDEO_RANGE, FULL_RANGE = 1, 2  # of FFmpeg's AVColorRange
# FFmpeg's name of a raw format, its planes in the driver's order, each with the part of the first one's stride that a
# row has, and the bytes of a pixel in the first plane.
_LAYOUTS: dict[PixelFormat, tuple[str, tuple[tuple[int, int], ...], int]] = {
    PixelFormat.YU12: ("yuv420p", ((0, 1), (1, 2), (2, 2)), 1),
    PixelFormat.YV12: ("yuv420p", ((0, 1), (2, 2), (1, 2)), 1),
    PixelFormat.NV12: ("nv12", ((0, 1), (1, 1)), 1),
    PixelFormat.NV21: ("nv21", ((0, 1), (1, 1)), 1),
    PixelFormat.YUYV: ("yuyv422", ((0, 1),), 2),
    PixelFormat.UYVY: ("uyvy422", ((0, 1),), 2),
    PixelFormat.RGB24: ("rgb24", ((0, 1),), 3),
    PixelFormat.BGR24: ("bgr24", ((0, 1),), 3),
}


class FrameDecoder(Protocol):
    """Makes frames, one at a time."""

    def load(self, data: memoryview) -> None:
        """Copy what the camera delivered; the buffer may be given back then."""
        ...

    def frame(self) -> av.VideoFrame | None:
        """The frame of what was loaded, valid until the next `load`; None if it is damaged."""
        ...


def open_decoder(pixel_format: PixelFormat, form: StreamFormat) -> FrameDecoder:
    """The decoder for a pixel format other than H.264."""
    return MjpegDecoder() if pixel_format is PixelFormat.MJPEG else RawFrames(pixel_format, form)


class MjpegDecoder:
    """Decodes MJPEG, each picture at once and in the calling thread."""

    def __init__(self) -> None:
        self._decoder = open_ffmpeg_decoder("mjpeg")
        self._data = b""

    def load(self, data: memoryview) -> None:
        """Copy a JPEG picture."""
        self._data = bytes(data)

    def frame(self) -> av.VideoFrame | None:
        """Decode it. Full or video range is as the picture itself says."""
        if not self._data:  # to FFmpeg, this would be the end of all pictures
            return None
        try:
            frames = self._decoder.decode(av.Packet(self._data))
        except av.FFmpegError:
            return None
        newest = frames[-1] if frames else None
        return newest if isinstance(newest, av.VideoFrame) and not newest.is_corrupt else None


class RawFrames:
    """Uncompressed pictures, whose rows the driver may have padded in its own way."""

    def __init__(self, pixel_format: PixelFormat, form: StreamFormat) -> None:
        name, self._planes, pixel_bytes = _LAYOUTS[pixel_format]
        self._frame = av.VideoFrame(form.width, form.height, name)
        is_rgb = pixel_format in {PixelFormat.RGB24, PixelFormat.BGR24}
        self._frame.colorspace = BT709 if form.is_bt709 else BT601
        self._frame.color_range = FULL_RANGE if form.is_full_range or is_rgb else VIDEO_RANGE
        self._row_bytes = form.width * pixel_bytes
        self._stride = max(form.bytes_per_line, self._row_bytes)
        self._is_whole = False

    def load(self, data: memoryview) -> None:
        """Copy a picture."""
        self._is_whole = False
        start = 0
        for index, part in self._planes:
            plane, stride = self._frame.planes[index], self._stride // part
            end = start + stride * plane.height
            row_bytes = self._row_bytes // part
            if len(data) < end - (stride - row_bytes):  # the last row's padding may be missing
                return
            _copy_rows(data[start:end], stride, memoryview(plane), plane.line_size, row_bytes)
            start = end
        self._is_whole = True

    def frame(self) -> av.VideoFrame | None:
        """The copy; None if the camera delivered too few bytes."""
        return self._frame if self._is_whole else None


def _copy_rows(source: memoryview, source_stride: int, target: memoryview, target_stride: int, row_bytes: int) -> None:
    if source_stride == target_stride and len(source) == len(target):
        target[:] = source
        return
    for row in range(-(-len(source) // source_stride)):
        start = row * source_stride
        piece = source[start : start + row_bytes]
        target[row * target_stride : row * target_stride + len(piece)] = piece
