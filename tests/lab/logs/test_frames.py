from __future__ import annotations

import io

from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, SENT, Packet

from belvedere.lab.logs.frames import MAX_INCOMPLETE, FrameReassembler, Frames, frames_of
from belvedere.lab.logs.reader import LogReader

WRITE = b"\x52\x17\0abc"
FRAME = hci_log.l2cap(WRITE)
KEY = 0x40


def frames(*data: bytes, kind: int = ACL, kept: int | None = None) -> Frames:
    file = hci_log.btsnoop([Packet(0, SENT, kind, one, kept) for one in data])
    (packets,) = LogReader(io.BytesIO(file)).packets()
    return frames_of(packets)


def test_a_write_in_one_packet_is_plain() -> None:
    found = frames(hci_log.att(KEY, WRITE))
    assert (found.is_plain.tolist(), found.needs_decoding.tolist(), found.opcode.tolist()) == ([True], [False], [0x52])
    assert found.key.tolist() == [KEY]


def test_the_key_is_without_the_flags_of_the_handle() -> None:
    assert frames(hci_log.att(0xEFF, WRITE, is_first_flushable=True)).key.tolist() == [0xEFF]


def test_handles_above_those_of_connections_are_vendors_debugging_output() -> None:
    found = frames(hci_log.att(0xEFF, WRITE), hci_log.att(0xF00, WRITE), hci_log.att(0xFFF, WRITE))
    assert found.is_plain.tolist() == [True, False, False]
    assert found.needs_decoding.tolist() == [False, False, False]


def test_a_write_that_is_cut_in_the_log_is_plain_as_long_as_its_handle_is_there() -> None:
    assert frames(hci_log.att(KEY, WRITE), kept=11).is_plain.tolist() == [True]
    assert frames(hci_log.att(KEY, WRITE), kept=10).is_plain.tolist() == [False]


def test_a_packet_is_cut_where_it_says_more_than_there_is_whatever_the_log_says() -> None:
    whole = hci_log.att(KEY, WRITE)
    assert frames(whole, whole[:-1], whole + b"\0").is_truncated.tolist() == [False, True, False]
    assert frames(whole, kept=9).is_truncated.tolist() == [True]


def test_bytes_behind_a_packet_are_not_held() -> None:
    whole = hci_log.att(KEY, WRITE)
    found = frames(whole + b"\0\0", whole[:9])
    assert (found.captured.tolist(), found.is_plain.tolist()) == ([len(whole), 9], [True, False])


def test_fragments_and_requests_need_a_look_and_answers_without_content_do_not() -> None:
    found = frames(*hci_log.fragments(KEY, FRAME, 6), hci_log.att(KEY, b"\x0a\x17\0"), hci_log.att(KEY, b"\x13"))
    assert found.needs_decoding.tolist() == [True, True, True, False]
    assert not found.is_plain.any()


def test_other_channels_and_other_packets_are_left_alone() -> None:
    assert not frames(hci_log.att(KEY, WRITE, cid=0x41)).needs_decoding.any()
    assert not frames(hci_log.att(KEY, WRITE), kind=EVENT).needs_decoding.any()


def test_a_write_without_a_whole_handle_is_not_plain() -> None:
    assert not frames(hci_log.att(KEY, b"\x52\x17")).is_plain.any()


def test_fragments_are_put_together() -> None:
    reassembler = FrameReassembler()
    assert reassembler.begin(KEY, SENT, FRAME[:6], is_truncated=False) is None
    assert reassembler.append(KEY, SENT, FRAME[6:8], is_truncated=False) is None
    assert reassembler.append(KEY, SENT, FRAME[8:], is_truncated=False) == FRAME
    assert reassembler.lost == 0


def test_connections_and_directions_do_not_mix() -> None:
    reassembler = FrameReassembler()
    for key, direction in ((1, 0), (1, 1), (2, 0)):
        reassembler.begin(key, direction, FRAME[:6] + bytes([key, direction]), is_truncated=False)
    assert reassembler.keys == {1, 2}
    for key, direction in ((2, 0), (1, 0), (1, 1)):
        frame = reassembler.append(key, direction, FRAME[8:], is_truncated=False)
        assert frame == FRAME[:6] + bytes([key, direction]) + FRAME[8:]


def test_even_the_head_may_come_in_parts() -> None:
    reassembler = FrameReassembler()
    assert reassembler.begin(KEY, SENT, FRAME[:1], is_truncated=False) is None
    assert reassembler.append(KEY, SENT, FRAME[1:], is_truncated=False) == FRAME


def test_a_frame_whose_fragment_is_lost_gives_nothing() -> None:
    reassembler = FrameReassembler()
    reassembler.begin(KEY, SENT, FRAME[:5], is_truncated=False)
    reassembler.begin(KEY, SENT, FRAME[:6], is_truncated=False)
    assert reassembler.lost == 1
    assert reassembler.append(KEY, SENT, FRAME[6:], is_truncated=False) == FRAME


def test_a_fragment_that_is_cut_in_the_log_spoils_its_frame() -> None:
    reassembler = FrameReassembler()
    assert reassembler.begin(KEY, SENT, FRAME[:6], is_truncated=True) is None
    assert reassembler.append(KEY, SENT, FRAME[6:], is_truncated=False) is None
    reassembler.begin(KEY, SENT, FRAME[:6], is_truncated=False)
    assert reassembler.append(KEY, SENT, FRAME[6:8], is_truncated=True) is None
    assert reassembler.append(KEY, SENT, FRAME[8:], is_truncated=False) is None
    assert reassembler.lost == 2


def test_a_frame_longer_than_it_said_is_lost() -> None:
    reassembler = FrameReassembler()
    assert reassembler.begin(KEY, SENT, FRAME + b"x", is_truncated=False) is None
    assert (reassembler.lost, reassembler.keys) == (1, set())


def test_what_waits_has_a_bound() -> None:
    reassembler = FrameReassembler()
    for key in range(MAX_INCOMPLETE + 5):
        reassembler.begin(key, SENT, FRAME[:5], is_truncated=False)
    assert len(reassembler.keys) == MAX_INCOMPLETE
    assert reassembler.lost == 5
