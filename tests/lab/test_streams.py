from __future__ import annotations

from belvedere.lab.streams import Sample, ValueStream


def test_a_stream_is_a_value_that_can_be_compared_and_hashed() -> None:
    samples = (Sample(frame=1, time_s=0.5, value=b"\x02"),)
    streams = [ValueStream("00:11:22:33:44:55", "sent", 0x52, 0x17, None, samples) for _ in range(2)]
    assert len(set(streams)) == 1
