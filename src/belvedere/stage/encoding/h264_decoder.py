"""Decodes a camera's H.264 that browsers would not show well, so that it can be encoded anew. Imports FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from belvedere.errors import BitstreamError
from belvedere.stage.frames import RTP_CLOCK_HZ, rtp_ticks
from belvedere.stage.memory_tuning import bound_ffmpeg
from belvedere.stage.sources.conversion import PictureConverter

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture


class H264Decoder:
    """Implements `encoder.Decoder` with FFmpeg's decoder, in one thread and without more delay than B-frames need."""

    def __init__(self) -> None:
        bound_ffmpeg()
        self._codec = av.CodecContext.create("h264", "r")
        self._codec.thread_count = 1  # frame threads would each delay the picture by one
        self._converter = PictureConverter()

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
        self._converter.convert(newest, picture)
        return captured_s
