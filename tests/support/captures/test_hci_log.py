"""What the writer writes, Wireshark reads: `tests/e2e/test_tshark.py`. Here are the bytes that the layouts tell."""

from __future__ import annotations

import struct

from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

WRITE = Packet(1_000_001, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2"))


def test_an_attribute_pdu_is_wrapped_twice() -> None:
    assert WRITE.data == bytes.fromhex("4000 0800 0400 0400 52 1700 02")


def test_fragments_hold_the_whole_frame() -> None:
    frame = hci_log.l2cap(bytes(range(20)))
    dependencies = hci_log.fragments(0x40, frame, 10, boundary=2)
    assert b"".join(part[4:] for part in dependencies) == frame
    assert [struct.unpack_from("<H", part)[0] >> 12 for part in dependencies] == [2, 1, 1]


def test_an_address_goes_over_the_air_backwards() -> None:
    assert hci_log.air_order("C0:DE:00:00:5A:1E").hex() == "1e5a0000dec0"
    assert hci_log.connected(0x40, "C0:DE:00:00:5A:1E")[8:14].hex() == "1e5a0000dec0"


def test_a_record_keeps_as_much_as_it_is_told() -> None:
    whole, cut = hci_log.btsnoop_record(WRITE), hci_log.btsnoop_record(WRITE._replace(kept=5))
    assert struct.unpack_from(">II", whole) == (13, 13)
    assert struct.unpack_from(">II", cut) == (13, 6)
    assert cut.endswith(b"\x02" + WRITE.data[:5])


def test_flags_tell_direction_and_kind() -> None:
    event = Packet(0, RECEIVED, EVENT, hci_log.disconnected(0x40))
    assert [struct.unpack_from(">I", hci_log.btsnoop_record(one), 8)[0] for one in (WRITE, event)] == [0, 3]


def test_blocks_of_pcapng_are_padded_and_say_their_length_twice() -> None:
    block = hci_log.block(6, b"12345", ">")
    assert block == struct.pack(">II", 6, 20) + b"12345\0\0\0" + struct.pack(">I", 20)


def test_pcap_times_have_the_units_of_the_file() -> None:
    for is_nano, fraction in ((False, 1), (True, 1000)):
        assert struct.unpack_from("<II", hci_log.pcap([WRITE], is_nano=is_nano), 24) == (1, fraction)
