from __future__ import annotations

import io

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import Packet

from belvedere.lab.logs.datalinks import ACL, COMMAND, EVENT, RECEIVED, SENT, UNKNOWN, Packets
from belvedere.lab.logs.reader import LogReader

ATT = hci_log.att(0x40, b"\x52\x17\0abc")
PACKETS = [
    Packet(1, SENT, COMMAND, b"\x03\x0c\0"),
    Packet(2, RECEIVED, EVENT, hci_log.disconnected(0x40)),
    Packet(3, SENT, ACL, ATT),
    Packet(4, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0x", is_first_flushable=True), kept=6),
]


def packets_in(file: bytes) -> Packets:
    (packets,) = LogReader(io.BytesIO(file)).packets()
    return packets


def contents(packets: Packets) -> list[bytes]:
    data = packets.view.data
    return [
        data[offset : offset + length]
        for offset, length in zip(packets.offset.tolist(), packets.length.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    "file",
    [
        hci_log.btsnoop(PACKETS, datalink=1001),
        hci_log.btsnoop(PACKETS, datalink=1002),
        hci_log.btsnoop(PACKETS, datalink=2001),
        hci_log.pcap(PACKETS, linktype=187),
        hci_log.pcap(PACKETS, linktype=201),
        hci_log.pcap(PACKETS, linktype=254, order=">"),
        hci_log.pcapng(PACKETS, linktype=201, order=">"),
        hci_log.pcapng(PACKETS, linktype=254),
    ],
    ids=["h1", "h4", "monitor", "bare", "phdr", "monitor-pcap", "phdr-pcapng", "monitor-pcapng"],
)
def test_however_packets_are_wrapped_they_are_the_same(file: bytes) -> None:
    packets = packets_in(file)
    assert contents(packets) == [one.data[: one.kept] for one in PACKETS]
    assert packets.kind.tolist() == [one.kind for one in PACKETS]
    assert packets.direction.tolist() == [one.direction for one in PACKETS]
    assert packets.frame.tolist() == [1, 2, 3, 4]


def test_adapters_of_linuxs_monitor_are_told_apart() -> None:
    two = [PACKETS[2], PACKETS[2]._replace(adapter=1)]
    for file in (hci_log.btsnoop(two, datalink=2001), hci_log.pcap(two, linktype=254)):
        first, second = packets_in(file).adapter.tolist()
        assert first != second


def test_interfaces_of_one_file_are_told_apart() -> None:
    file = hci_log.section() + hci_log.interface(201) * 2
    file += hci_log.enhanced(PACKETS[2], 201) + hci_log.enhanced(PACKETS[2], 201, at=1)
    first, second = packets_in(file).adapter.tolist()
    assert first != second


def test_without_any_word_a_fragment_that_goes_on_has_no_direction() -> None:
    begins, goes_on = hci_log.fragments(0x40, hci_log.l2cap(b"\x52\x17\0abc"), 6)
    file = hci_log.pcap([Packet(1, SENT, ACL, begins), Packet(2, SENT, ACL, goes_on)], linktype=187)
    assert packets_in(file).direction.tolist() == [SENT, UNKNOWN]


def test_an_option_tells_the_direction_where_nothing_else_does() -> None:
    backwards = [PACKETS[3], PACKETS[2]._replace(direction=RECEIVED)]
    blocks = b"".join(hci_log.enhanced(one, 187, has_flags=True) for one in backwards)
    packets = packets_in(hci_log.section() + hci_log.interface(187) + blocks)
    assert packets.direction.tolist() == [RECEIVED, RECEIVED]


def test_what_is_no_packet_is_counted_and_has_no_kind() -> None:
    empty = Packet(1, SENT, ACL, b"", kept=0)
    file = hci_log.section() + hci_log.interface(1) + hci_log.interface(201)
    file += hci_log.enhanced(empty, 1) + hci_log.enhanced(PACKETS[2], 201, at=1)
    packets = packets_in(file)
    assert packets.kind.tolist() == [0, ACL]
    assert packets.frame.tolist() == [1, 2]


def test_a_record_shorter_than_its_wrapping_is_no_packet() -> None:
    block = hci_log.block(6, (bytes(12) + b"\3\0\0\0" + b"\3\0\0\0" + b"\0\0\0\0"))
    packets = packets_in(hci_log.section() + hci_log.interface(201) + block)
    assert packets.kind.tolist() == [0]


def test_words_of_the_monitor_that_are_no_packets_have_no_kind() -> None:
    record = hci_log.btsnoop_record(PACKETS[2], 2001)
    index_added = record[:8] + b"\0\0\0\0" + record[12:]
    vendor = record[:8] + b"\0\0\0\x0b" + record[12:]
    packets = packets_in(hci_log.btsnoop([], datalink=2001) + index_added + vendor + record)
    assert packets.kind.tolist() == [0, 0, ACL]
