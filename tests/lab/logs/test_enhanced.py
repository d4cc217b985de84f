from __future__ import annotations

from belvedere.lab.logs.datalinks import RECEIVED, SENT
from belvedere.lab.logs.enhanced import EnhancedChannel, Reassembled

PDU = b"\x52\x17\0" + bytes(20)
ANNOUNCED = len(PDU).to_bytes(2, "little")


def received(
    channel: EnhancedChannel, payload: bytes, *, direction: int = SENT, kept: int | None = None
) -> Reassembled:
    return channel.receive(direction, payload[:kept], len(payload))


def test_a_pdu_in_one_frame_is_complete() -> None:
    assert received(EnhancedChannel(), ANNOUNCED + PDU) == Reassembled(PDU)


def test_a_pdu_in_several_frames_is_complete_with_the_last_and_another_may_follow() -> None:
    channel = EnhancedChannel()
    for _ in range(2):
        assert received(channel, ANNOUNCED + PDU[:9]) == Reassembled()
        assert received(channel, PDU[9:10]) == Reassembled()
        assert received(channel, PDU[10:]) == Reassembled(PDU)


def test_directions_do_not_mix() -> None:
    channel = EnhancedChannel()
    received(channel, ANNOUNCED + PDU[:9])
    assert received(channel, b"\1\0\x13", direction=RECEIVED) == Reassembled(b"\x13")
    assert received(channel, PDU[9:]) == Reassembled(PDU)


def test_a_pdu_is_reported_up_to_where_it_is_cut_in_the_log_and_the_next_is_whole() -> None:
    channel = EnhancedChannel()
    assert received(channel, ANNOUNCED + PDU, kept=7) == Reassembled(PDU[:5], is_truncated=True)
    received(channel, ANNOUNCED + PDU[:9], kept=7)
    assert received(channel, PDU[9:]) == Reassembled(PDU[:5], is_truncated=True)
    assert received(channel, ANNOUNCED + PDU) == Reassembled(PDU)


def test_more_than_was_announced_is_lost_and_the_next_is_whole() -> None:
    channel = EnhancedChannel()
    received(channel, ANNOUNCED + PDU[:9])
    assert received(channel, ANNOUNCED + PDU) == Reassembled(is_lost=True)
    assert received(channel, ANNOUNCED + PDU) == Reassembled(PDU)


def test_a_frame_without_a_length_is_lost() -> None:
    assert received(EnhancedChannel(), b"\1") == Reassembled(is_lost=True)
