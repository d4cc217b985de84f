from __future__ import annotations

from belvedere.stage.frames import rtp_ticks


def test_a_capture_time_is_rounded_to_the_rtp_clock_and_keeps_its_order() -> None:
    assert rtp_ticks(2.0) == 180_000
    assert rtp_ticks(1 / 3) == 30_000
    assert rtp_ticks(1.000001) <= rtp_ticks(1.000002)
