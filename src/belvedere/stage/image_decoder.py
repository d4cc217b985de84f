"""Decodes a still picture. Importing this module imports FFmpeg, so import it late and in a thread."""

from __future__ import annotations

from typing import NamedTuple

import av


class StillPlane(NamedTuple):
    """One plane of a still picture, in FFmpeg's buffer.

    Attributes:
        data: the rows, writable.
        width: the bytes of a row that belong to the picture.
        stride: the bytes from the start of a row to the start of the next.
    """

    data: memoryview
    width: int
    stride: int


def decode_webp(data: bytes, width: int, height: int) -> tuple[StillPlane, StillPlane, StillPlane]:
    """Decode a lossy WebP of this size to Y, U and V, 4:2:0. Other Python threads run meanwhile.

    The colours are not converted: their matrix is the one that was used for encoding.

    Raises ValueError if the data is not such a picture.
    """
    decoder = av.CodecContext.create("webp", "r")
    decoder.thread_count = 1  # fast enough, and more would take cores from the code that drives
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.FFmpegError as error:
        raise ValueError(f"not a WebP picture: {error}") from error
    found = [(frame.format.name, frame.width, frame.height) for frame in frames]
    if found != [("yuv420p", width, height)]:
        raise ValueError(f"{found} instead of a lossy WebP of {width}x{height} pixels without transparency")
    y, u, v = (StillPlane(memoryview(plane), plane.width, plane.line_size) for plane in frames[0].planes)
    return y, u, v
