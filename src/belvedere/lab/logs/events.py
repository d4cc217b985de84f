"""HCI events about connections and device names (Core 5.4, volume 4, part E, 7.7)."""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

DISCONNECTION, CONNECTION, NAME, ENCRYPTION, COMMAND_COMPLETE, INQUIRY, LOW_ENERGY = 5, 3, 7, 8, 0x0E, 0x2F, 0x3E
ENCRYPTION_V2 = 0x59
LE_CONNECTION, LE_REPORT, LE_UPDATE, LE_ENHANCED, LE_EXTENDED_REPORT, LE_ENHANCED_V2 = 1, 2, 3, 0x0A, 0x0D, 0x29

CLASSIC_EVENTS = (DISCONNECTION, CONNECTION, NAME, ENCRYPTION, ENCRYPTION_V2, INQUIRY)
LE_EVENTS = (LE_CONNECTION, LE_UPDATE, LE_ENHANCED, LE_ENHANCED_V2)
REPORTS = (LE_REPORT, LE_EXTENDED_REPORT)
RESET = 0x0C03  # the command that ends all connections

ACL_LINK = 1  # link type of a classic data connection; the others carry audio
SHORT_NAME, COMPLETE_NAME = 0x08, 0x09  # types in advertising data
INTERVAL_MS = 1.25  # the unit of connection intervals
REPORT_BYTES, EXTENDED_REPORT_BYTES = 9, 24  # header of one report
MAX_NAME_BYTES = 248


class Opened(NamedTuple):
    """A connection was opened. `interval_ms` is None for a classic one."""

    handle: int
    address: str
    is_central: bool | None
    interval_ms: float | None


class Closed(NamedTuple):
    """A connection was closed; `reason` is HCI's."""

    handle: int
    reason: int


class Updated(NamedTuple):
    """A connection's interval changed."""

    handle: int
    interval_ms: float


class Encrypted(NamedTuple):
    """A connection was encrypted."""

    handle: int


class Named(NamedTuple):
    """A device's name was received."""

    address: str
    name: str


class Reset(NamedTuple):
    """The adapter was reset, which ends all its connections."""


Event: TypeAlias = Opened | Closed | Updated | Encrypted | Named | Reset


def parse_events(packet: bytes) -> list[Event]:
    """The events in a packet; none where it is truncated, reports a failure, or is about something else."""
    code, parameters = packet[0], packet[2:]
    try:
        if code == LOW_ENERGY:
            return _le_events(parameters)
        return [event for event in (_classic_event(code, parameters),) if event is not None]
    except (struct.error, IndexError):
        return []


def printable_text(name: bytes) -> str:
    """A name as printable text: it comes from strangers' devices, and control characters must not reach a terminal."""
    text = name.partition(b"\0")[0][:MAX_NAME_BYTES].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def format_address(data: bytes) -> str:
    """An address as text, the most significant byte first."""
    return data[5::-1].hex(":").upper()


def _classic_event(code: int, data: bytes) -> Event | None:  # noqa: PLR0911 - one return per event reads best
    if code == COMMAND_COMPLETE:
        _, command, status = struct.unpack_from("<BHB", data)
        return Reset() if command == RESET and status == 0 else None
    if code == INQUIRY:
        name = _name_in(data[15:])
        return Named(format_address(data[1:7]), name) if name else None
    if data[0] != 0:
        return None
    if code == NAME:
        return Named(format_address(data[1:7]), printable_text(data[7:]))
    (handle,) = struct.unpack_from("<H", data, 1)
    handle &= 0xFFF
    if code == CONNECTION:
        return Opened(handle, format_address(data[3:9]), None, None) if data[9] == ACL_LINK else None
    if code == DISCONNECTION:
        return Closed(handle, data[3])
    return Encrypted(handle) if code in {ENCRYPTION, ENCRYPTION_V2} and data[3] else None


def _le_events(data: bytes) -> list[Event]:
    code, status = data[0], data[1]
    if code in REPORTS:
        return _reports(data)
    if code not in LE_EVENTS or status != 0:
        return []
    (handle,) = struct.unpack_from("<H", data, 2)
    handle &= 0xFFF
    if code == LE_UPDATE:
        (interval,) = struct.unpack_from("<H", data, 4)
        return [Updated(handle, interval * INTERVAL_MS)]
    interval_at = 12 if code == LE_CONNECTION else 24
    (interval,) = struct.unpack_from("<H", data, interval_at)
    return [Opened(handle, format_address(data[6:12]), data[4] == 0, interval * INTERVAL_MS)]


def _reports(data: bytes) -> list[Event]:
    """The names in advertising reports."""
    is_extended = data[0] == LE_EXTENDED_REPORT
    named: list[Event] = []
    offset = 2
    for _ in range(data[1]):
        head = EXTENDED_REPORT_BYTES if is_extended else REPORT_BYTES
        address_at = offset + (3 if is_extended else 2)
        length = data[offset + head - 1]
        name = _name_in(data[offset + head : offset + head + length])
        if name:
            named.append(Named(format_address(data[address_at : address_at + 6]), name))
        offset += head + length + (0 if is_extended else 1)  # a legacy report ends with the RSSI
        if offset >= len(data):
            break
    return named


def _name_in(data: bytes) -> str:
    """The name in advertising data, or ""."""
    name, offset = b"", 0
    while offset + 1 < len(data) and data[offset]:
        kind, value = data[offset + 1], data[offset + 2 : offset + 1 + data[offset]]
        if kind == COMPLETE_NAME or (kind == SHORT_NAME and not name):
            name = value
        offset += 1 + data[offset]
    return printable_text(name)
