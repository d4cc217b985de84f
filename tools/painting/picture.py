"""Stores planes of video as a WebP without converting colours, so that decoding needs no conversion either."""

from __future__ import annotations

from fractions import Fraction

import av

QUALITY = 95  # of 100; of the room that is 0.9 MB, and no byte is off by more than 10: far less than x264 takes away


def encode_webp(planes: tuple[bytes, bytes, bytes], width: int, height: int) -> bytes:
    """The WebP of Y, U and V, 4:2:0, each row right after the one before."""
    encoder = av.CodecContext.create("libwebp", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1)
    encoder.options = {"quality": str(QUALITY), "preset": "drawing", "compression_level": "6"}
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, rows in zip(frame.planes, planes, strict=True):
        _fill(memoryview(plane), plane.line_size, rows, plane.width)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def _fill(target: memoryview, stride: int, rows: bytes, width: int) -> None:
    for number in range(len(rows) // width):
        target[number * stride : number * stride + width] = rows[number * width : (number + 1) * width]
