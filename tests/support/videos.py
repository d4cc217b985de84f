"""Small videos of one grey each frame, encoded by FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SIZE = (64, 48)


def grey_frame(level: int, name: str = "yuv420p") -> av.VideoFrame:
    """A frame whose luma is `level`."""
    frame = av.VideoFrame(*SIZE, name)
    for plane, value in zip(frame.planes, (level, 128, 128), strict=True):
        memoryview(plane)[:] = bytes([value]) * plane.buffer_size
    return frame


def jpeg(level: int) -> bytes:
    """A JPEG picture, in full range as JPEG has it."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    return b"".join(bytes(packet) for packet in encoder.encode(grey_frame(level, "yuvj420p")))


def annex_b(levels: Iterable[int]) -> bytes:
    """H.264 as a camera's program writes it, without B-frames."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast", "crf": "10"}
    frames = [grey_frame(level) for level in levels]
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, 25)
    return b"".join(bytes(packet) for frame in (*frames, None) for packet in encoder.encode(frame))


def write_video(path: Path, levels: Iterable[int], fps: int) -> Path:
    """Write a file whose format is that of its name; returns its path."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number, level in enumerate(levels):
            frame = grey_frame(level)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
