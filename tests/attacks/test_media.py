"""The attacks by media send what they are meant to send, also where sequence numbers wrap."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket, RtpPacket
from tests.attacks.media import HISTORY, nack_of_all_before


@pytest.mark.parametrize("newest", [0, 1, HISTORY - 1, HISTORY, 65535])
def test_a_nack_names_all_packets_before_the_newest(newest: int) -> None:
    (nack,) = RtcpPacket.parse(nack_of_all_before(RtpPacket(sequence_number=newest)))
    assert isinstance(nack, RtcpRtpfbPacket)
    assert sorted(nack.lost) == sorted((newest - back) % 65536 for back in range(1, HISTORY + 1))
