"""Encoded frames, as every part of the stage passes them on."""

from __future__ import annotations

import enum
from dataclasses import dataclass

RTP_CLOCK_HZ = 90_000  # the clock of video in RTP (RFC 6184, section 8.2.1)


def rtp_ticks(at_s: float) -> int:
    """Convert a time of the monotonic clock, in seconds, to ticks of the RTP clock, not wrapped to 32 bits."""
    return round(at_s * RTP_CLOCK_HZ)


class MediaKind(enum.StrEnum):
    """What a frame contains."""

    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class EncodedFrame:
    """One picture, encoded, or a piece of sound.

    Attributes:
        data: an H.264 access unit in Annex B format, or an Opus packet.
        captured_s: when it was captured, in seconds of the server's monotonic clock.
        ticks: the same in ticks of 1/90000 s; rises with every frame of a kind.
        is_idr: a decoder of video can start here.
        kind: what it contains.
    """

    data: bytes
    captured_s: float
    ticks: int
    is_idr: bool
    kind: MediaKind = MediaKind.VIDEO
