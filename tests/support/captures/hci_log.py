"""Writes Bluetooth logs by hand: packets of HCI, and the kinds of files that phones and computers keep them in."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMAND, ACL, SCO, EVENT = 1, 2, 3, 4
"""Types of HCI packets, as the UART transport (H4) numbers them."""

SENT, RECEIVED = 0, 1
"""By the host whose log it is."""

BTSNOOP_EPOCH_US = 62_168_256_000_000_000
"""btsnoop counts microseconds from the year 0."""

MONITOR_OPCODES = {(COMMAND, SENT): 2, (EVENT, RECEIVED): 3, (ACL, SENT): 4, (ACL, RECEIVED): 5, (SCO, SENT): 6}
"""How Linux's monitor says what kind of packet goes where."""


class Packet(NamedTuple):
    """One packet of HCI without the byte that tells its type; `kept` bytes of it are in the log, or all."""

    time_us: int
    direction: int
    kind: int
    data: bytes
    kept: int | None = None
    adapter: int = 0


def att(handle: int, pdu: bytes, *, cid: int = 4, is_first_flushable: bool = False) -> bytes:
    """One attribute PDU in one ACL packet of the connection with this handle."""
    return acl(handle, l2cap(pdu, cid=cid), boundary=2 if is_first_flushable else 0)


def l2cap(payload: bytes, *, cid: int = 4) -> bytes:
    """A frame of L2CAP."""
    return struct.pack("<HH", len(payload), cid) + payload


def acl(handle: int, payload: bytes, *, boundary: int = 0) -> bytes:
    """An ACL packet; `boundary` is 0 or 2 where a frame begins, and 1 where it goes on."""
    return struct.pack("<HH", handle | boundary << 12, len(payload)) + payload


def fragments(handle: int, frame: bytes, size: int, *, boundary: int = 0) -> list[bytes]:
    """A frame of L2CAP in ACL packets that carry at most `size` bytes each."""
    pieces = [frame[start : start + size] for start in range(0, len(frame), size)]
    return [acl(handle, piece, boundary=1 if at else boundary) for at, piece in enumerate(pieces)]


def event(code: int, parameters: bytes) -> bytes:
    """An event of HCI."""
    return bytes([code, len(parameters)]) + parameters


def le_event(code: int, parameters: bytes) -> bytes:
    """An event of Low Energy."""
    return event(0x3E, bytes([code]) + parameters)


def connected(handle: int, address: str, *, version: int = 0, interval: int = 24, is_central: bool = True) -> bytes:
    """LE Connection Complete; `version` 1 and 2 are the enhanced ones. `interval` counts 1.25 ms."""
    role = 0 if is_central else 1
    start = struct.pack("<BHBB", 0, handle, role, 1) + air_order(address)
    end = struct.pack("<HHHB", interval, 0, 42, 0)
    if version == 0:
        return le_event(0x01, start + end)
    enhanced_parameters = start + bytes(12) + end
    return le_event(0x0A, enhanced_parameters) if version == 1 else le_event(0x29, enhanced_parameters + b"\xff\0\0")


def disconnected(handle: int, reason: int = 0x13) -> bytes:
    """Disconnection Complete."""
    return event(0x05, struct.pack("<BHB", 0, handle, reason))


def advertised(address: str, data: bytes, *, kind: int = 0) -> bytes:
    """LE Advertising Report of one device."""
    return le_event(0x02, bytes([1, kind, 1]) + air_order(address) + bytes([len(data)]) + data + b"\xc0")


def named(name: str) -> bytes:
    """Advertising data that holds a complete name."""
    return bytes([len(name.encode()) + 1, 0x09]) + name.encode()


def air_order(address: str) -> bytes:
    """The six bytes of an address as they are sent: the last first."""
    return bytes.fromhex(address.replace(":", ""))[::-1]


def btsnoop(packets: Iterable[Packet], *, datalink: int = 1002) -> bytes:
    """A btsnoop file: 1001 is HCI alone, 1002 HCI as on a UART (Android's), 2001 Linux's monitor."""
    return struct.pack(">8sII", b"btsnoop\0", 1, datalink) + b"".join(btsnoop_record(one, datalink) for one in packets)


def btsnoop_record(packet: Packet, datalink: int = 1002) -> bytes:
    """One record of it."""
    flags = packet.direction | (2 if packet.kind in {COMMAND, EVENT} else 0)
    data, original = _cut(packet, bytes([packet.kind]) if datalink == 1002 else b"")
    if datalink == 2001:
        flags = packet.adapter << 16 | MONITOR_OPCODES[packet.kind, packet.direction]
    return struct.pack(">IIIIQ", original, len(data), flags, 0, packet.time_us + BTSNOOP_EPOCH_US) + data


def pcap(packets: Iterable[Packet], *, linktype: int = 201, order: str = "<", is_nano: bool = False) -> bytes:
    """A pcap file: 187 is HCI as on a UART, 201 that with directions, 254 Linux's monitor; `order` as struct has it."""
    magic = 0xA1B23C4D if is_nano else 0xA1B2C3D4
    records = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, linktype)]
    for packet in packets:
        data, original = _cut(packet, _pseudo_header(packet, linktype))
        second, rest_us = divmod(packet.time_us, 1_000_000)
        fraction = rest_us * 1000 if is_nano else rest_us
        records.append(struct.pack(order + "IIII", second, fraction, len(data), original) + data)
    return b"".join(records)


def pcapng(packets: Iterable[Packet], *, linktype: int = 201, order: str = "<", resolution: int = 6) -> bytes:
    """A pcapng file of one section and interface, enhanced packet blocks, times in 10^-`resolution` seconds."""
    blocks = [section(order), interface(linktype, order, resolution=resolution)]
    blocks += [enhanced(packet, linktype, order, resolution=resolution) for packet in packets]
    return b"".join(blocks)


def section(order: str = "<") -> bytes:
    """What begins a section of pcapng, with an option that nobody needs."""
    comment = struct.pack(order + "HH", 1, 3) + b"hi!\0" + struct.pack(order + "HH", 0, 0)
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + comment, order)


def interface(linktype: int, order: str = "<", *, resolution: int | None = None, snap: int = 0) -> bytes:
    """An interface of pcapng; without a `resolution` times are in microseconds."""
    options = b""
    if resolution is not None:
        options = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    return block(1, struct.pack(order + "HHI", linktype, 0, snap) + options, order)


def enhanced(
    packet: Packet, linktype: int, order: str = "<", *, at: int = 0, resolution: int = 6, has_flags: bool = False
) -> bytes:
    """An enhanced packet block of interface `at`; the direction is in an option if it `has_flags`."""
    data, original = _cut(packet, _pseudo_header(packet, linktype))
    high, low = divmod(packet.time_us * 10**resolution // 10**6, 1 << 32)
    head = struct.pack(order + "IIIII", at, high, low, len(data), original)
    flags = struct.pack(order + "HHIHH", 2, 4, 2 if packet.direction == SENT else 1, 0, 0) if has_flags else b""
    return block(6, head + _padded(data) + flags, order)


def simple(packet: Packet, linktype: int, order: str = "<") -> bytes:
    """A simple packet block: without a time, of the first interface."""
    data, original = _cut(packet, _pseudo_header(packet, linktype))
    return block(3, struct.pack(order + "I", original) + _padded(data), order)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Any block of pcapng."""
    length = struct.pack(order + "I", 12 + len(_padded(body)))
    return struct.pack(order + "I", kind) + length + _padded(body) + length


def _pseudo_header(packet: Packet, linktype: int) -> bytes:
    """What comes before the packet: who sent it, and its type."""
    if linktype == 254:
        return struct.pack(">HH", packet.adapter, MONITOR_OPCODES[packet.kind, packet.direction])
    direction = struct.pack(">I", packet.direction) if linktype == 201 else b""
    return direction + bytes([packet.kind])


def _cut(packet: Packet, head: bytes) -> tuple[bytes, int]:
    """What a record holds, and how long the packet was."""
    return head + packet.data[: packet.kept], len(head) + len(packet.data)


def _padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % 4)
