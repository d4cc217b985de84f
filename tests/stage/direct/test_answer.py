from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.stage.direct.capture_time import captured_ms

from belvedere.stage.direct.answer import RTP_WRAP, CaptureClock
from belvedere.stage.frames import rtp_ticks

ORIGINS = st.integers(0, RTP_WRAP - 1)
INSTANTS = st.floats(0, 10_000_000)


@given(ORIGINS, INSTANTS, st.floats(-3600, 3600))
def test_a_pictures_timestamp_leads_back_to_when_it_was_captured(origin: int, now_s: float, later_s: float) -> None:
    clock = CaptureClock.reading(now_s, origin)
    captured_s = now_s + later_s
    sent = (origin + rtp_ticks(captured_s)) % RTP_WRAP
    assert abs(captured_ms(clock, sent) - captured_s * 1000) < 0.02


@given(ORIGINS, INSTANTS)
def test_the_clock_fits_its_header(origin: int, now_s: float) -> None:
    clock = CaptureClock.reading(now_s, origin)
    assert 0 <= clock.rtp < RTP_WRAP
    assert str(clock) == f"rtp={clock.rtp};server={clock.server_ms}"
