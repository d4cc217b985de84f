"""Encodes one picture as JPEG or PNG. Importing this module imports FFmpeg, so import it late and in a thread.

Video has the colour matrix of BT.709 in video range. A JPEG has that of BT.601 in full range, a PNG is RGB: without the
conversion all colours would be a little off, and black would be grey.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.video.reformatter import ColorRange, Colorspace

from belvedere.errors import InternalError, StageError, StageReason
from belvedere.stage.frames import EncodedFrame

if TYPE_CHECKING:
    from datetime import datetime

    from av.video.codeccontext import VideoCodecContext

    from belvedere.stage.tap import RawStill, Still

BEST_QUANTIZER = 2  # of 2 to 31; about 400 kB for 1280x720
EXIF_ASCII, EXIF_LONG = 2, 4
EXIF_IFD, DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSEC_TIME_ORIGINAL = 0x8769, 0x9003, 0x9011, 0x9291
BT601 = {5, 6}  # ITU-T H.264 table E-5: the matrices for 625 and 525 lines, which are equal
START_OF_IMAGE = b"\xff\xd8"


def encode_jpeg(still: Still, captured_at: datetime) -> bytes:
    """A JPEG that says when it was captured; the time must know its zone. Raises StageError (NO_PICTURE)."""
    source = _frame(still)
    frame = source.reformat(
        format="yuvj420p",
        src_colorspace=_matrix(source),
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.JPEG,
    )
    jpeg = _encode(frame, "mjpeg")
    if not jpeg.startswith(START_OF_IMAGE):
        raise InternalError("FFmpeg made no JPEG")
    return START_OF_IMAGE + _exif(captured_at) + jpeg[len(START_OF_IMAGE) :]


def encode_png(still: Still) -> bytes:
    """A PNG, without any loss but that of the camera. Raises StageError (NO_PICTURE)."""
    source = _frame(still)
    frame = source.reformat(format="rgb24", src_colorspace=_matrix(source), dst_color_range=ColorRange.JPEG)
    return _encode(frame, "png")


def _frame(still: Still) -> av.VideoFrame:
    frame = _decoded(still) if isinstance(still, EncodedFrame) else _raw(still)
    if frame.color_range not in {ColorRange.MPEG, ColorRange.JPEG}:
        frame.color_range = ColorRange.MPEG  # what a camera means that does not say it
    return frame


def _matrix(frame: av.VideoFrame) -> Colorspace:
    """BT.709 unless the camera says otherwise; ours say nothing in raw pictures, which always have it."""
    return Colorspace.ITU601 if frame.colorspace in BT601 else Colorspace.ITU709


def _raw(still: RawStill) -> av.VideoFrame:
    frame = av.VideoFrame(still.width, still.height, "yuv420p")
    for plane, content in zip(frame.planes, (still.y, still.u, still.v), strict=True):
        width = len(content) // plane.height
        rows = (content[start : start + width] for start in range(0, len(content), width))
        plane.update(content if plane.line_size == width else b"".join(row.ljust(plane.line_size) for row in rows))
    return frame


def _decoded(still: EncodedFrame) -> av.VideoFrame:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1  # more would take cores from the code that drives
    try:
        frames = [*decoder.decode(av.Packet(still.data)), *decoder.decode(None)]
    except av.FFmpegError as error:
        raise StageError(StageReason.NO_PICTURE, "the camera's picture could not be decoded") from error
    if not frames:
        raise StageError(StageReason.NO_PICTURE, "the camera's picture could not be decoded")
    return frames[0]


def _encode(frame: av.VideoFrame, codec: str) -> bytes:
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
    encoder.width, encoder.height = frame.width, frame.height
    encoder.pix_fmt = frame.format.name
    encoder.time_base = Fraction(1)
    encoder.thread_count = 1
    if codec == "mjpeg":
        encoder.qmin = encoder.qmax = BEST_QUANTIZER
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def _exif(captured_at: datetime) -> bytes:
    """A JPEG segment with the time of capture, by which galleries sort (Exif 2.32, sections 4.5 and 4.6)."""
    offset = captured_at.strftime("%z")
    texts = {
        DATE_TIME_ORIGINAL: captured_at.strftime("%Y:%m:%d %H:%M:%S"),
        OFFSET_TIME_ORIGINAL: f"{offset[:3]}:{offset[3:5]}",
        SUBSEC_TIME_ORIGINAL: f"{captured_at.microsecond // 1000:03}",
    }
    header = struct.pack(">2sHI", b"MM", 42, 8)
    pointer_ifd = struct.pack(">H HHII I", 1, EXIF_IFD, EXIF_LONG, 1, 26, 0)
    data_at = 26 + 2 + 12 * len(texts) + 4
    entries, data = b"", b""
    for tag, text in texts.items():
        value = text.encode("ascii") + b"\0"
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(">I", data_at + len(data))  # noqa: PLR2004 - a field's size
        entries += struct.pack(">HHI", tag, EXIF_ASCII, len(value)) + place
        data += b"" if len(value) <= 4 else value  # noqa: PLR2004 - likewise
    body = b"Exif\0\0" + header + pointer_ifd + struct.pack(">H", len(texts)) + entries + struct.pack(">I", 0) + data
    return struct.pack(">2sH", b"\xff\xe1", len(body) + 2) + body
