from __future__ import annotations

import io
import struct

import pytest
from tests.support.captures import hci_log, usb_log
from tests.support.captures.hci_log import Packet
from tests.support.captures.usb_log import USBMON, USBMON_MMAPPED, USBPCAP, Transfer

from belvedere.lab.logs import reader
from belvedere.lab.logs.datalinks import ACL, COMMAND, EVENT, RECEIVED, SENT, Packets
from belvedere.lab.logs.reader import LogReader

WRITE = hci_log.att(0x40, b"\x12\x17\0" + bytes(range(60)))
TOLD = hci_log.att(0x40, b"\x1b\x19\0" + bytes(range(90)), is_first_flushable=True)
PACKETS = [
    Packet(1_000_001, SENT, COMMAND, b"\x03\x0c\0"),
    Packet(2_000_002, RECEIVED, EVENT, hci_log.connected(0x40, "C0:DE:00:00:5A:1E")),
    Packet(3_000_003, SENT, ACL, WRITE),
    Packet(4_000_004, RECEIVED, ACL, TOLD),
]
Content = tuple[int, int, bytes]
CONTENTS = [(one.kind, one.direction, one.data) for one in PACKETS]
LINKTYPES = (USBMON, USBMON_MMAPPED, USBPCAP)
DESCRIBED = usb_log.described()
MOUSE = b"\3\1\2"


def parts(file: bytes) -> list[Packets]:
    return list(LogReader(io.BytesIO(file)).packets())


def contents(file: bytes) -> list[Content]:
    """Kind, direction and content of every packet."""
    found = []
    for part in parts(file):
        columns = (part.kind, part.direction, part.offset, part.length)
        for kind, direction, offset, length in zip(*(column.tolist() for column in columns), strict=True):
            found += [(kind, direction, part.view.data[offset : offset + length])] if kind else []
    return found


@pytest.mark.parametrize("linktype", LINKTYPES)
@pytest.mark.parametrize("size", [16, 64, 1024])
@pytest.mark.parametrize("has_stages", [False, True])
def test_packets_are_found_in_however_many_transfers(linktype: int, size: int, *, has_stages: bool) -> None:
    made = [*DESCRIBED, *usb_log.transfers(PACKETS, size=size)]
    assert contents(usb_log.usb(made, linktype=linktype, has_stages=has_stages)) == CONTENTS


@pytest.mark.parametrize("linktype", LINKTYPES)
def test_a_packet_goes_on_in_the_next_piece(linktype: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK_BYTES", 100)
    file = usb_log.usb([*DESCRIBED, *usb_log.transfers(PACKETS, size=16)], linktype=linktype)
    assert len(parts(file)) > 4
    assert contents(file) == CONTENTS


def test_a_packet_stands_at_its_last_transfer_and_other_records_count_as_well() -> None:
    (part,) = parts(usb_log.usb([*DESCRIBED, *usb_log.transfers(PACKETS[1:2], size=16)]))
    assert part.kind.tolist() == [0] * 7 + [EVENT]
    assert (part.frame[-1], part.time_ns[-1]) == (8, 2_000_002_000)


@pytest.mark.parametrize(
    ("device_class", "interface_class", "is_adapter"),
    [
        (usb_log.BLUETOOTH, b"\xff\0\0", True),
        (b"\xef\2\1", usb_log.BLUETOOTH, True),
        (b"\xef\2\1", b"\3\1\2", False),
    ],
    ids=["device", "interface", "neither"],
)
def test_descriptors_tell_whether_a_device_is_an_adapter(
    device_class: bytes, interface_class: bytes, *, is_adapter: bool
) -> None:
    shown = usb_log.described(device_class=device_class, interface_class=interface_class)
    assert contents(usb_log.usb([*shown, *usb_log.transfers(PACKETS[1:])])) == (CONTENTS[1:] if is_adapter else [])


@pytest.mark.parametrize("linktype", LINKTYPES)
def test_without_descriptors_a_command_tells(linktype: int) -> None:
    made = usb_log.transfers([*PACKETS[1:], *PACKETS])
    assert contents(usb_log.usb(made, linktype=linktype)) == CONTENTS


def test_a_request_that_holds_no_command_tells_nothing() -> None:
    odd = [Transfer(0, usb_log.CONTROL, 0, SENT, data, usb_log.COMMAND_REQUEST) for data in (b"\3\x0c", b"\3\x0c\1")]
    other = Transfer(0, usb_log.CONTROL, 0, SENT, b"\3\x0c\0", bytes.fromhex("2109000000000300"))
    log = LogReader(io.BytesIO(usb_log.usb([*odd, other, *usb_log.transfers(PACKETS[1:])])))
    assert not any(part.kind.any() for part in log.packets())
    assert "USB" in log.foreign_content


def test_other_devices_are_passed_over() -> None:
    mouse = usb_log.described(device=6, device_class=bytes(3), interface_class=MOUSE)
    moved = [Transfer(0, usb_log.INTERRUPT, 1, RECEIVED, b"\5\4\0\x40\0\x13", device=6)]
    disk = usb_log.transfers(PACKETS[2:], device=7)
    assert contents(usb_log.usb([*DESCRIBED, *mouse, *moved, *disk, *usb_log.transfers(PACKETS)])) == CONTENTS


def test_two_adapters_are_told_apart() -> None:
    both = [(*usb_log.described(device=offset), *usb_log.transfers(PACKETS[1:], device=offset)) for offset in (5, 6)]
    (part,) = parts(usb_log.usb([one for made in both for one in made]))
    assert len(set(part.adapter[part.kind == ACL].tolist())) == 2


@pytest.mark.parametrize("linktype", LINKTYPES)
def test_a_transfer_that_is_cut_in_the_log_waits_for_nothing(linktype: int) -> None:
    truncated = [PACKETS[2]._replace(kept=20), PACKETS[2]]
    found = contents(usb_log.usb([*DESCRIBED, *usb_log.transfers(truncated)], linktype=linktype))
    assert found == [(ACL, SENT, WRITE[:20]), (ACL, SENT, WRITE)]


def test_a_packet_whose_end_is_lost_costs_itself_only() -> None:
    first, *_lost = usb_log.transfers(PACKETS[1:2], size=16)
    assert contents(usb_log.usb([*DESCRIBED, first, *usb_log.transfers(PACKETS)])) == CONTENTS


@pytest.mark.parametrize("linktype", LINKTYPES)
def test_records_too_short_for_what_is_before_the_data_are_no_packets(linktype: int) -> None:
    short = struct.pack("<IIII", 0, 0, 20, 20) + bytes(20)
    file = usb_log.usb(DESCRIBED, linktype=linktype) + short
    assert [part.frame[-1] for part in parts(file)] == [5]
    assert contents(file) == []


def test_in_pcapng_it_is_the_same() -> None:
    file = usb_log.usb([*DESCRIBED, *usb_log.transfers(PACKETS)])
    blocks, offset = [hci_log.section(), hci_log.interface(USBMON_MMAPPED)], 24
    while offset < len(file):
        (length,) = struct.unpack_from("<I", file, offset + 8)
        record = file[offset + 16 : offset + 16 + length]
        padded = record + bytes(-length % 4)
        blocks.append(hci_log.block(6, struct.pack("<IIIII", 0, 0, 0, length, length) + padded))
        offset += 16 + length
    assert contents(b"".join(blocks)) == CONTENTS
