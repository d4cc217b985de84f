"""What a viewer makes of the capture clock in an answer, as the page does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.frames import RTP_CLOCK_HZ

if TYPE_CHECKING:
    from belvedere.stage.direct.answer import CaptureClock


def captured_ms(clock: CaptureClock, rtp_timestamp: int) -> float:
    """When a picture was captured, within 13 hours of the clock's reading: milliseconds on the server's clock."""
    ahead = (rtp_timestamp - clock.rtp + RTP_WRAP // 2) % RTP_WRAP - RTP_WRAP // 2
    return clock.server_ms + ahead * 1000 / RTP_CLOCK_HZ
