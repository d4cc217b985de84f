"""Writes captures of USB by hand, as Linux and USBPcap keep them, with the transfers of a Bluetooth adapter in them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, COMMAND, EVENT, RECEIVED, SCO, SENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.captures.hci_log import Packet

USBMON, USBMON_MMAPPED, USBPCAP = 189, 220, 249
"""Link types."""

INTERRUPT, CONTROL, BULK = 1, 2, 3
SETUP, DATA, STATUS, COMPLETE = range(4)  # stages of USBPcap's records
COMMAND_REQUEST = bytes.fromhex("2000000000000000")
BLUETOOTH = b"\xe0\x01\x01"  # class, subclass, protocol
WAYS = {
    (COMMAND, SENT): (CONTROL, 0),
    (EVENT, RECEIVED): (INTERRUPT, 1),
    (ACL, SENT): (BULK, 2),
    (ACL, RECEIVED): (BULK, 2),
}


class Transfer(NamedTuple):
    """One transfer of the device with this address; `kept` bytes of its data are in the capture, or all."""

    time_us: int
    kind: int
    endpoint: int
    direction: int
    data: bytes
    setup: bytes = b""
    device: int = 5
    kept: int | None = None


def described(
    *, device: int = 5, device_class: bytes = BLUETOOTH, interface_class: bytes = BLUETOOTH
) -> tuple[Transfer, Transfer]:
    """The device's descriptor, and that of its configuration with one interface, as its host reads them."""
    whole = struct.pack("<BBH3sBHHHBBBB", 18, 1, 0x200, device_class, 64, 0x0A12, 1, 0x100, 0, 0, 0, 1)
    ends = b"".join(struct.pack("<BBBBHB", 7, 5, end, kind, 64, 1) for end, kind in ((0x81, 3), (0x02, 2), (0x82, 2)))
    interface = struct.pack("<BBBBB3sB", 9, 4, 0, 0, 3, interface_class, 0)
    dependencies = struct.pack("<BBHBBBBB", 9, 2, 9 + len(interface + ends), 1, 1, 0, 0xE0, 50) + interface + ends
    first, second = (
        Transfer(0, CONTROL, 0, RECEIVED, one, struct.pack("<BBHHH", 0x80, 6, kind << 8, 0, len(one)), device)
        for kind, one in ((1, whole), (2, dependencies))
    )
    return first, second


def transfers(packets: Iterable[Packet], *, device: int = 5, size: int = 1 << 16) -> list[Transfer]:
    """The transfers of at most `size` bytes each in which an adapter's packets go, but for sound."""
    made = []
    for one in packets:
        if one.kind == SCO:
            continue
        kind, endpoint = WAYS[one.kind, one.direction]
        setup = COMMAND_REQUEST if kind == CONTROL else b""
        for start in range(0, len(one.data), size):
            part = one.data[start : start + size]
            kept = None if one.kept is None else max(0, one.kept - start)
            made.append(Transfer(one.time_us, kind, endpoint, one.direction, part, setup, device, kept))
    return made


def usb(made: Iterable[Transfer], *, linktype: int = USBMON_MMAPPED, has_stages: bool = False) -> bytes:
    """A pcap file; where it `has_stages`, USBPcap keeps the setup of what is sent apart from the data."""
    file = [hci_log.pcap([], linktype=linktype)]
    for one in made:
        second, rest_us = divmod(one.time_us, 1_000_000)
        for record, original in _records(one, linktype, has_stages=has_stages):
            file.append(struct.pack("<IIII", second, rest_us, len(record), original) + record)
    return b"".join(file)


def _records(one: Transfer, linktype: int, *, has_stages: bool) -> list[tuple[bytes, int]]:
    """The records of a transfer and how long they were: its beginning and its end, one of which has the data."""
    if linktype != USBPCAP:
        ends = (("S", SENT), ("C", RECEIVED))
        return [_usbmon(one, event, linktype, has_data=way == one.direction) for event, way in ends]
    setup = one._replace(data=one.setup, kept=None)
    nothing = one._replace(data=b"", kept=None)
    if one.direction == RECEIVED:
        return [_usbpcap(setup, SENT, SETUP), _usbpcap(one, RECEIVED, COMPLETE)]
    if has_stages and one.setup:
        return [_usbpcap(setup, SENT, SETUP), _usbpcap(one, SENT, DATA), _usbpcap(nothing, RECEIVED, STATUS)]
    kept = None if one.kept is None else len(one.setup) + one.kept
    both = one._replace(data=one.setup + one.data, kept=kept)
    return [_usbpcap(both, SENT, SETUP), _usbpcap(nothing, RECEIVED, COMPLETE)]


def _usbmon(one: Transfer, event: str, linktype: int, *, has_data: bool) -> tuple[bytes, int]:
    data = one.data if has_data else b""
    endpoint = one.endpoint | (0x80 if one.direction == RECEIVED else 0)
    is_set_up = event == "S" and one.setup
    head = struct.pack("<QBBBBH", 1, ord(event), one.kind, endpoint, one.device, 1)
    head += bytes([0 if is_set_up else ord("-"), 0 if has_data else ord("<")])
    head += struct.pack("<qiiII", *divmod(one.time_us, 1_000_000), 0, len(one.data), len(data))
    head += (one.setup if is_set_up else b"").ljust(8, b"\0") + bytes(16 if linktype == USBMON_MMAPPED else 0)
    return head + data[: one.kept], len(head + data)


def _usbpcap(one: Transfer, way: int, stage: int) -> tuple[bytes, int]:
    staged = bytes([stage]) if one.kind == CONTROL else b""
    endpoint = one.endpoint | (0x80 if one.direction == RECEIVED else 0)
    head = struct.pack("<HQIHBHHBB", 27 + len(staged), 1, 0, 9, way, 1, one.device, endpoint, one.kind)
    head += struct.pack("<I", len(one.data)) + staged
    return head + one.data[: one.kept], len(head + one.data)
