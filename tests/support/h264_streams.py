"""H.264 as a camera would send it, made by x264."""

from __future__ import annotations

from fractions import Fraction

import av

TOOLS = {"Main": "cabac=1", "High": "cabac=1:8x8dct=1"}  # without them x264 says that it is another profile


def h264_stream(
    width: int,
    height: int,
    profile: str = "Baseline",
    *,
    count: int = 1,
    idr_every: int = 1000,
    pix_fmt: str = "yuv420p",
    chroma: tuple[int, int] = (128, 128),
    **options: str,
) -> list[bytes]:
    """Access units of pictures in one colour that get brighter, in the order in which they are sent, at 25 a second.

    There are parameter sets with every IDR, and nothing of x264's comments. For `options` see FFmpeg's libx264.
    """
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, pix_fmt
    codec.time_base, codec.framerate = Fraction(1, 25), Fraction(25, 1)
    codec.profile = profile
    codec.thread_count = 1
    parameters = ":".join(filter(None, (TOOLS.get(profile, ""), options.pop("x264_params", ""))))
    codec.options = {
        "preset": "ultrafast",
        "bf": "0",
        "g": str(idr_every),
        "x264-params": f"scenecut=0:repeat-headers=1{parameters and ':'}{parameters}",
        **options,
    }
    packets = []
    for number in range(count):
        frame = av.VideoFrame(width, height, pix_fmt)
        for plane, value in zip(frame.planes, ((number * 10 + 40) % 220, *chroma), strict=False):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = number
        packets += codec.encode(frame)
    return [_without_comments(bytes(packet)) for packet in [*packets, *codec.encode(None)]]


def _without_comments(data: bytes) -> bytes:
    start = b"\0\0\0\1"
    units = data.replace(start, b"\0\0\1").split(b"\0\0\1")[1:]
    return b"".join(start + unit for unit in units if unit[0] & 0x1F != 6)
