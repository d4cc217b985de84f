"""Decodes a still picture with FFmpeg, which is imported with this module: import it late, and in a thread."""

from __future__ import annotations

from typing import NamedTuple

import av


class StillPlane(NamedTuple):
    """One plane of a still picture, where FFmpeg has put it.

    Attributes:
        data: the rows, writable.
        width: how many bytes of a row are picture.
        stride: from the beginning of a row to that of the next.
    """

    data: memoryview
    width: int
    stride: int


def decode_webp(data: bytes, width: int, height: int) -> tuple[StillPlane, StillPlane, StillPlane]:
    """Y, U and V of a lossy WebP of this size, 4:2:0; Python's lock is free while it is decoded.

    Nothing is converted: the colours are by the matrix that was used when it was encoded.

    Raises ValueError where the data is not such a picture.
    """
    decoder = av.CodecContext.create("webp", "r")
    decoder.thread_count = 1  # soon enough, and more would take cores from what drives
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.FFmpegError as error:
        raise ValueError(f"no WebP: {error}") from error
    found = [(frame.format.name, frame.width, frame.height) for frame in frames]
    if found != [("yuv420p", width, height)]:
        raise ValueError(f"{found} instead of a lossy WebP of {width}x{height} pixels without transparency")
    y, u, v = (StillPlane(memoryview(plane), plane.width, plane.line_size) for plane in frames[0].planes)
    return y, u, v
