from __future__ import annotations

import struct

import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, RECEIVED, SENT, Packet

from belvedere.lab.logs import datalinks
from belvedere.lab.logs.pcapng import MAX_BLOCK_BYTES, MAX_INTERFACES, MAX_TIME_NS, PcapngReader

TIME_US = 1_700_000_000_123_456
ONE = Packet(TIME_US, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0abc"))
OTHER = Packet(TIME_US + 5, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0xyz"))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9])
def test_both_byte_orders_and_any_resolution_are_read(order: str, resolution: int) -> None:
    data = hci_log.pcapng([ONE, OTHER], order=order, resolution=resolution)
    records, used = PcapngReader().read(data)
    assert records is not None
    assert used == len(data)
    assert records.time_ns.tolist() == [ONE.time_us * 1000, OTHER.time_us * 1000]
    assert [
        data[offset : offset + length][5:] for offset, length in zip(records.offset, records.length, strict=True)
    ] == [
        ONE.data,
        OTHER.data,
    ]


def test_a_resolution_may_be_a_power_of_two_and_times_may_be_shifted() -> None:
    options = struct.pack("<HHB3xHHqHH", 9, 1, 0x80 | 10, 14, 8, 1000, 0, 0)
    interface = hci_log.block(1, struct.pack("<HHI", 201, 0, 0) + options)
    packet = hci_log.block(6, struct.pack("<IIIII", 0, 0, 1024 + 512, 0, 0))
    records, _used = PcapngReader().read(hci_log.section() + interface + packet)
    assert records is not None
    assert records.time_ns.tolist() == [1001_500_000_000]


def test_interfaces_and_sections_have_kinds_and_byte_orders_of_their_own() -> None:
    data = hci_log.section() + hci_log.interface(201) + hci_log.interface(254)
    data += hci_log.enhanced(ONE, 254, at=1) + hci_log.enhanced(ONE, 201)
    data += hci_log.section(">") + hci_log.interface(1, ">") + hci_log.enhanced(ONE, 1, ">")
    records, _used = PcapngReader().read(data)
    assert records is not None
    assert records.link.tolist() == [datalinks.MONITOR_PHDR, datalinks.H4_PHDR, datalinks.OTHER]
    assert records.interface.tolist() == [1, 0, 2]


def test_a_simple_packet_is_cut_at_the_interfaces_limit_and_takes_the_time_before() -> None:
    data = hci_log.section() + hci_log.interface(187, snap=9)
    data += hci_log.enhanced(ONE, 187) + hci_log.simple(OTHER, 187)
    records, _used = PcapngReader().read(data)
    assert records is not None
    assert records.length.tolist() == [1 + len(ONE.data), 9]
    assert records.time_ns.tolist() == [TIME_US * 1000] * 2


def test_the_old_packet_block_is_read_too() -> None:
    high, low = divmod(TIME_US, 1 << 32)
    body = struct.pack("<HHIIII", 0, 3, high, low, 4, 9) + b"abcd"
    records, _used = PcapngReader().read(hci_log.section() + hci_log.interface(187) + hci_log.block(2, body))
    assert records is not None
    assert records.length.tolist() == [4]


def test_the_direction_may_stand_in_an_option() -> None:
    data = hci_log.section() + hci_log.interface(187)
    data += b"".join(hci_log.enhanced(one, 187, has_flags=True) for one in (ONE, OTHER))
    records, _used = PcapngReader().read(data)
    assert records is not None
    assert records.flags.tolist() == [2, 1]


@pytest.mark.parametrize("kind", [9, 0x0BAD, 0x40000BAD, 0x204])
def test_what_wireshark_counts_is_counted_and_other_blocks_are_skipped_however_long(kind: int) -> None:
    strange, names = hci_log.block(kind, b"entry"), hci_log.block(4, bytes(1000))
    start = hci_log.section() + hci_log.interface(201) + names + strange + hci_log.enhanced(ONE, 201)
    reader = PcapngReader()
    records, used = reader.read(start + names[:100])
    assert records is not None
    assert records.link.tolist() == [datalinks.OTHER, datalinks.H4_PHDR]
    assert used == len(start) + len(names)
    assert not reader.damage


def test_an_interface_of_something_else_is_described() -> None:
    reader = PcapngReader()
    reader.read(hci_log.section() + hci_log.interface(201))
    assert not reader.foreign_content
    reader.read(hci_log.section() + hci_log.interface(251))
    assert "(link type 251)" in reader.foreign_content


def test_a_block_that_is_not_whole_waits_for_more() -> None:
    data = hci_log.pcapng([ONE, OTHER])
    last = len(hci_log.enhanced(OTHER, 201))
    assert PcapngReader().read(data[:-1])[1] == len(data) - last


def test_times_beyond_all_clocks_are_held_at_the_end() -> None:
    packet = hci_log.block(6, struct.pack("<IIIII", 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0))
    records, _used = PcapngReader().read(hci_log.section() + hci_log.interface(201) + packet)
    assert records is not None
    assert records.time_ns.tolist() == [MAX_TIME_NS]


SECTION = hci_log.section()
INTERFACE = hci_log.interface(201)


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        (b"\n\r\r\n" + bytes(24), "byte-order magic"),
        (struct.pack("<III", 6, 8, 0), "8 bytes"),
        (struct.pack("<III", 6, 30, 0), "30 bytes"),
        (struct.pack("<III", 6, MAX_BLOCK_BYTES + 4, 0), "bytes"),
        (hci_log.block(1, b"abcd"), "interface"),
        (INTERFACE * (MAX_INTERFACES + 1), "interface"),
        (hci_log.enhanced(ONE, 201), "interface"),
        (hci_log.simple(ONE, 201), "interface"),
        (INTERFACE + hci_log.block(6, bytes(8)), "header"),
        (INTERFACE + hci_log.block(6, struct.pack("<IIIII", 0, 0, 0, 400, 400)), "longer than its block"),
    ],
)
def test_what_cannot_be_ends_the_log(blocks: bytes, words: str) -> None:
    reader = PcapngReader()
    reader.read(SECTION + blocks)
    assert words in reader.damage
