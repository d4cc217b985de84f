from __future__ import annotations

from belvedere.lab.logs.datalinks import RECEIVED, SENT
from belvedere.lab.logs.enhanced import Enhanced, Outcome

PDU = b"\x52\x17\0" + bytes(20)
ANNOUNCED = len(PDU).to_bytes(2, "little")


def received(channel: Enhanced, payload: bytes, *, direction: int = SENT, kept: int | None = None) -> Outcome:
    return channel.receive(direction, payload[:kept], len(payload))


def test_a_pdu_in_one_frame_is_complete() -> None:
    assert received(Enhanced(), ANNOUNCED + PDU) == Outcome(PDU)


def test_a_pdu_in_several_frames_is_complete_with_the_last_and_another_may_follow() -> None:
    channel = Enhanced()
    for _ in range(2):
        assert received(channel, ANNOUNCED + PDU[:9]) == Outcome()
        assert received(channel, PDU[9:10]) == Outcome()
        assert received(channel, PDU[10:]) == Outcome(PDU)


def test_directions_do_not_mix() -> None:
    channel = Enhanced()
    received(channel, ANNOUNCED + PDU[:9])
    assert received(channel, b"\1\0\x13", direction=RECEIVED) == Outcome(b"\x13")
    assert received(channel, PDU[9:]) == Outcome(PDU)


def test_a_pdu_is_told_up_to_where_it_is_cut_in_the_log_and_the_next_is_whole() -> None:
    channel = Enhanced()
    assert received(channel, ANNOUNCED + PDU, kept=7) == Outcome(PDU[:5], is_cut=True)
    received(channel, ANNOUNCED + PDU[:9], kept=7)
    assert received(channel, PDU[9:]) == Outcome(PDU[:5], is_cut=True)
    assert received(channel, ANNOUNCED + PDU) == Outcome(PDU)


def test_more_than_was_announced_is_lost_and_the_next_is_whole() -> None:
    channel = Enhanced()
    received(channel, ANNOUNCED + PDU[:9])
    assert received(channel, ANNOUNCED + PDU) == Outcome(is_lost=True)
    assert received(channel, ANNOUNCED + PDU) == Outcome(PDU)


def test_a_frame_without_a_length_is_lost() -> None:
    assert received(Enhanced(), b"\1") == Outcome(is_lost=True)
