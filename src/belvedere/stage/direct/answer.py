"""The answer to a viewer's offer, and how to read capture times from its RTP timestamps."""

from __future__ import annotations

from dataclasses import dataclass

from belvedere.stage.frames import RTP_CLOCK_HZ

RTP_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class CaptureClock:
    """A pair of clock readings that maps a viewer's RTP timestamps to the server's monotonic clock.

    A picture with RTP timestamp t was captured at server_ms + ((t - rtp) mod 2^32, as a signed number) / 90.

    Attributes:
        rtp: the RTP timestamp, 0 to 2^32 - 1, of a picture captured at `server_ms`.
        server_ms: milliseconds on the server's monotonic clock.
    """

    rtp: int
    server_ms: int

    @classmethod
    def reading(cls, now_s: float, origin: int) -> CaptureClock:
        """The clock of a viewer whose timestamps are `origin` plus `rtp_ticks` of the capture time, wrapped."""
        # Both numbers are computed from whole milliseconds, so that the pair is exact.
        server_ms = int(now_s * 1000)
        return cls((origin + server_ms * RTP_CLOCK_HZ // 1000) % RTP_WRAP, server_ms)

    def __str__(self) -> str:
        return f"rtp={self.rtp};server={self.server_ms}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The SDP answer to one viewer's offer; `id` identifies the viewer from then on."""

    id: str
    sdp: str
    capture_clock: CaptureClock
