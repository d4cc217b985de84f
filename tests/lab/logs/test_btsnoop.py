from __future__ import annotations

import struct

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.lab.logs.btsnoop import HEADER_BYTES, BtsnoopReader
from belvedere.lab.logs.records import MAX_RECORD_BYTES, NotALogError

TIME_US = 1_700_000_000_123_456
PACKETS = [
    Packet(TIME_US, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0abc")),
    Packet(TIME_US + 7, RECEIVED, EVENT, hci_log.disconnected(0x40), kept=3),
]


def reader(datalink: int = 1002, version: int = 1) -> BtsnoopReader:
    return BtsnoopReader(struct.pack(">8sII", b"btsnoop\0", version, datalink))


def test_records_are_found_with_their_times_and_flags() -> None:
    data = hci_log.btsnoop(PACKETS)[HEADER_BYTES:]
    records, used = reader().read(data)
    assert records is not None
    assert used == len(data)
    assert records.time_ns.tolist() == [TIME_US * 1000, (TIME_US + 7) * 1000]
    assert records.flags.tolist() == [0, 3]
    first, second = zip(records.offset.tolist(), records.length.tolist(), strict=True)
    assert data[first[0] : sum(first)] == b"\x02" + PACKETS[0].data
    assert data[second[0] : sum(second)] == b"\x04" + PACKETS[1].data[:3]


def test_a_record_that_is_not_whole_waits_for_more() -> None:
    data = hci_log.btsnoop(PACKETS)[HEADER_BYTES:]
    for end in range(len(data)):
        records, used = reader().read(data[:end])
        first = 24 + 1 + len(PACKETS[0].data)
        assert used == (first if end >= first else 0)
        assert (0 if records is None else len(records.offset)) == (1 if used else 0)


def test_a_length_that_cannot_be_ends_the_log_behind_the_good_records() -> None:
    bad = struct.pack(">IIIIQ", MAX_RECORD_BYTES + 1, MAX_RECORD_BYTES + 1, 0, 0, 0)
    one = reader()
    records, _used = one.read(hci_log.btsnoop(PACKETS)[HEADER_BYTES:] + bad + bytes(100))
    assert records is not None
    assert len(records.offset) == 2
    assert str(MAX_RECORD_BYTES + 1) in one.damage


@pytest.mark.parametrize(("datalink", "version"), [(1002, 2), (1003, 1), (1004, 1), (9, 1)])
def test_what_cannot_be_read_is_reported(datalink: int, version: int) -> None:
    with pytest.raises(NotALogError, match=str(version if version != 1 else datalink)):
        reader(datalink, version)


def test_a_header_that_is_cut_is_no_log() -> None:
    with pytest.raises(NotALogError):
        BtsnoopReader(b"btsnoop\0\0\0\0\1")
