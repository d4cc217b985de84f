from __future__ import annotations

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, SENT, Packet

from belvedere.lab.logs.pcap import HEADER_BYTES, PcapWalker
from belvedere.lab.logs.records import LONGEST_RECORD, NotALogError

TIME_US = 1_700_000_000_123_456
PACKETS = [Packet(TIME_US + at, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0" + bytes(at))) for at in range(3)]


def split(file: bytes) -> tuple[PcapWalker, bytes]:
    return PcapWalker(file[:HEADER_BYTES]), file[HEADER_BYTES:]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_nano", [False, True])
def test_both_byte_orders_and_resolutions_are_read(order: str, is_nano: bool) -> None:  # noqa: FBT001 - parametrized
    walker, data = split(hci_log.pcap(PACKETS, order=order, is_nano=is_nano))
    records, used = walker.walk(data)
    assert records is not None
    assert used == len(data)
    assert records.time_ns.tolist() == [one.time_us * 1000 for one in PACKETS]
    assert records.length.tolist() == [5 + len(one.data) for one in PACKETS]
    assert data[records.at[2] + 5 :] == PACKETS[2].data


def test_a_record_that_is_not_whole_waits_for_more() -> None:
    walker, data = split(hci_log.pcap(PACKETS))
    records, used = walker.walk(data[:-1])
    assert records is not None
    assert len(records.at) == 2
    assert used == len(data) - 16 - 5 - len(PACKETS[2].data)


def test_a_length_that_cannot_be_ends_the_log() -> None:
    walker, data = split(hci_log.pcap(PACKETS))
    walker.walk(data + bytes(8) + (LONGEST_RECORD + 1).to_bytes(4, "little") + bytes(4))
    assert str(LONGEST_RECORD + 1) in walker.damage


def test_a_capture_of_something_else_is_said_to_be_so() -> None:
    for linktype, words in ((1, "something else"), (251, "over the air"), (272, "over the air")):
        with pytest.raises(NotALogError, match=rf"{words} \(link type {linktype}\)"):
            split(hci_log.pcap([], linktype=linktype))


def test_a_header_that_is_cut_is_no_log() -> None:
    with pytest.raises(NotALogError):
        PcapWalker(hci_log.pcap([])[:20])
