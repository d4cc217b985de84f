"""USB captures: finds the Bluetooth adapters, and the HCI packets sent to and received from them.

A device counts as an adapter if its descriptors say so, or if it is sent an HCI command (Core 5.4, volume 4, part B).
A long packet takes several transfers, and counts as the record of the last. Record headers are laid out as in Linux's
`Documentation/usb/usbmon.rst` and in USBPcap's description of its format.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.datalinks import (
    ACL,
    COMMAND,
    EVENT,
    H4,
    OTHER,
    RECEIVED,
    SENT,
    USB_LINUX,
    USB_MMAPPED,
    USB_PCAP,
)

if TYPE_CHECKING:
    from belvedere.lab.logs.records import Records

USBMON = struct.Struct("<8xBBBBHBB16xII8s")  # event, type, endpoint, device, bus, no setup, no data, lengths, setup
USBMON_BYTES = {USB_LINUX: 48, USB_MMAPPED: 64}
SUBMITTED, COMPLETED = b"SC"

USBPCAP = struct.Struct("<H14xBHHBBI")  # header length, direction, bus, device, endpoint, transfer type, data length
SETUP_STAGE, DATA_STAGE = 0, 1
SETUP_BYTES = 8

INTERRUPT, CONTROL, BULK = 1, 2, 3
FROM_DEVICE = 0x80  # the direction bit of an endpoint number
COMMAND_REQUESTS = (
    b"\x20\0\0\0\0\0",
    b"\x20\xe0\0\0\0\0",
)  # class requests; adapters differ in the number
MAX_DEVICES = 1024  # remembered at a time; computers have dozens
BLUETOOTH_CLASS = b"\xe0\x01\x01"
DEVICE_DESCRIPTOR, CONFIGURATION_DESCRIPTOR, INTERFACE_DESCRIPTOR = b"\x12\x01", b"\x09\x02", b"\x09\x04"

PACKET_HEADERS = {COMMAND: (3, 2, 1), EVENT: (2, 1, 1), ACL: (4, 2, 2)}
"""By packet type: the length of the header, and the offset and size of the length field in it."""


class Transfer(NamedTuple):
    """One record of a transfer; `missing` bytes of its data are not in the log."""

    device: tuple[int, int]
    kind: int
    direction: int
    setup: bytes
    data: bytes
    missing: int


class UsbDecoder:
    """Decodes one capture, from its beginning.

    Attributes:
        record_count: USB records so far.
    """

    def __init__(self) -> None:
        self.record_count = 0
        self._adapters: dict[tuple[int, int, int], int] = {}
        self._setups: dict[tuple[int, int], bytes] = {}
        self._partial_packets: dict[tuple[int, int, int], bytearray] = {}

    def unpack(self, records: Records) -> Records:
        """The next records, with HCI packets in place of transfers; a transfer without one becomes OTHER."""
        is_usb = records.link >= USB_LINUX  # the USB encapsulations have the highest numbers
        if not is_usb.any():
            return records
        self.record_count += int(np.count_nonzero(is_usb))
        data = bytearray(records.view.data)
        columns = {name: getattr(records, name).copy() for name in ("offset", "length", "link", "interface", "flags")}
        for index in np.flatnonzero(is_usb).tolist():
            start = int(records.offset[index])
            record = records.view.data[start : start + int(records.length[index])]
            interface = int(records.interface[index])
            found = self._packet(int(records.link[index]), record, interface)
            columns["link"][index] = H4 if found else OTHER
            if found:
                number, direction, packet = found
                columns["offset"][index], columns["length"][index] = len(data), len(packet)
                columns["interface"][index], columns["flags"][index] = number, direction
                data += packet
        return records._replace(view=ByteView(bytes(data)), **columns)

    def _packet(self, link: int, record: bytes, interface: int) -> tuple[int, int, bytes] | None:
        """The adapter's number, the direction, and a packet behind its H4 type byte, if this record completes one."""
        transfer = self._usbpcap(record) if link == USB_PCAP else _usbmon(record, USBMON_BYTES[link])
        if transfer is None or not transfer.data:
            return None
        device_key = interface, *transfer.device
        kind = _kind(transfer)
        if kind == COMMAND or (transfer.kind == CONTROL and _is_bluetooth(transfer.data)):
            if len(self._adapters) >= MAX_DEVICES:
                self._adapters.clear()
            self._adapters.setdefault(device_key, len(self._adapters) << 16 | interface)
        number = self._adapters.get(device_key)
        if number is None or not kind:
            return None
        packet = self._reassembled((number, kind, transfer.direction), transfer)
        return (number, transfer.direction, bytes([kind]) + packet) if packet else None

    def _reassembled(self, key: tuple[int, int, int], transfer: Transfer) -> bytes:
        """The packet that this transfer completes, as far as the log holds it; b"" while transfers are missing."""
        before = self._partial_packets.pop(key, bytearray())
        data = before + transfer.data
        missing = _missing(key[1], data)
        if before and missing < 0:
            data = bytearray(transfer.data)  # the earlier packet was never completed
            missing = _missing(key[1], data)
        if missing > 0 and not transfer.missing:
            self._partial_packets[key] = data
            return b""
        return bytes(data)

    def _usbpcap(self, record: bytes) -> Transfer | None:
        if len(record) < USBPCAP.size:
            return None
        head, key, bus, device, endpoint, kind, length = USBPCAP.unpack_from(record)
        data = record[head:]
        missing, setup = length - len(data), b""
        direction = RECEIVED if key & 1 else SENT
        if kind == CONTROL and direction == SENT:
            stage = record[USBPCAP.size] if len(record) > USBPCAP.size else DATA_STAGE
            if stage == SETUP_STAGE:
                if len(self._setups) >= MAX_DEVICES:
                    self._setups.clear()
                self._setups[bus, device] = data[:SETUP_BYTES]
                data = data[SETUP_BYTES:]
            setup = self._setups.get((bus, device), b"")
        elif kind != CONTROL and (endpoint & FROM_DEVICE != 0) != (direction == RECEIVED):
            return None  # one of a transfer's two records: the one without the data
        return Transfer((bus, device), kind, direction, setup, data, missing)


def _usbmon(record: bytes, head: int) -> Transfer | None:
    if len(record) < head:
        return None
    event, kind, endpoint, device, bus, no_setup, no_data, _requested, length, setup = USBMON.unpack_from(record)
    is_received = endpoint & FROM_DEVICE != 0
    if no_data or event != (COMPLETED if is_received else SUBMITTED):
        return None
    data = record[head : head + length]
    direction = RECEIVED if is_received else SENT
    return Transfer((bus, device), kind, direction, b"" if no_setup else setup, data, length - len(data))


def _kind(transfer: Transfer) -> int:
    """The type of HCI packet that the transfer would carry, or 0."""
    if transfer.kind == BULK:
        return ACL
    if transfer.kind == INTERRUPT:
        return EVENT if transfer.direction == RECEIVED else 0
    is_command = transfer.kind == CONTROL and transfer.setup[:6] in COMMAND_REQUESTS
    return COMMAND if is_command and _missing(COMMAND, transfer.data) == transfer.missing else 0


def _missing(kind: int, packet: bytes | bytearray) -> int:
    """How many bytes a packet lacks, by the length in its header; negative for too many."""
    head, offset, size = PACKET_HEADERS[kind]
    if len(packet) < head:
        return head - len(packet)
    return head + int.from_bytes(packet[offset : offset + size], "little") - len(packet)


def _is_bluetooth(descriptors: bytes) -> bool:
    """Whether a device descriptor, or an interface of a configuration, has the class of Bluetooth adapters."""
    if descriptors.startswith(DEVICE_DESCRIPTOR):
        return descriptors[4:7] == BLUETOOTH_CLASS
    offset = 0
    while descriptors.startswith(CONFIGURATION_DESCRIPTOR) and offset < len(descriptors) and descriptors[offset]:
        if (
            descriptors.startswith(INTERFACE_DESCRIPTOR, offset)
            and descriptors[offset + 5 : offset + 8] == BLUETOOTH_CLASS
        ):
            return True
        offset += descriptors[offset]
    return False
