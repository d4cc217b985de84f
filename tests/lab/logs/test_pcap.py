from __future__ import annotations

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, SENT, Packet

from belvedere.lab.logs.pcap import HEADER_BYTES, PcapReader
from belvedere.lab.logs.records import MAX_RECORD_BYTES, NotALogError

TIME_US = 1_700_000_000_123_456
PACKETS = [Packet(TIME_US + offset, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0" + bytes(offset))) for offset in range(3)]


def split(file: bytes) -> tuple[PcapReader, bytes]:
    return PcapReader(file[:HEADER_BYTES]), file[HEADER_BYTES:]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_nano", [False, True])
def test_both_byte_orders_and_resolutions_are_read(order: str, is_nano: bool) -> None:  # noqa: FBT001 - parametrized
    reader, data = split(hci_log.pcap(PACKETS, order=order, is_nano=is_nano))
    records, used = reader.read(data)
    assert records is not None
    assert used == len(data)
    assert records.time_ns.tolist() == [one.time_us * 1000 for one in PACKETS]
    assert records.length.tolist() == [5 + len(one.data) for one in PACKETS]
    assert data[records.offset[2] + 5 :] == PACKETS[2].data


def test_a_record_that_is_not_whole_waits_for_more() -> None:
    reader, data = split(hci_log.pcap(PACKETS))
    records, used = reader.read(data[:-1])
    assert records is not None
    assert len(records.offset) == 2
    assert used == len(data) - 16 - 5 - len(PACKETS[2].data)


def test_a_length_that_cannot_be_ends_the_log() -> None:
    reader, data = split(hci_log.pcap(PACKETS))
    reader.read(data + bytes(8) + (MAX_RECORD_BYTES + 1).to_bytes(4, "little") + bytes(4))
    assert str(MAX_RECORD_BYTES + 1) in reader.damage


def test_a_capture_of_something_else_is_reported_as_such() -> None:
    for linktype, words in ((1, "not a Bluetooth capture"), (251, "radio packets"), (272, "radio packets")):
        with pytest.raises(NotALogError, match=rf"{words}.*\(link type {linktype}\).* on the phone itself"):
            split(hci_log.pcap([], linktype=linktype))


def test_a_header_that_is_cut_is_no_log() -> None:
    with pytest.raises(NotALogError):
        PcapReader(hci_log.pcap([])[:20])
