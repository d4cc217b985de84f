"""The kernel's own language about Bluetooth links: bytes of the management interface and of the monitor. Pure.

Sources: BlueZ `doc/mgmt-api.txt` (Load Connection Parameters, 0x0035), `doc/mgmt-protocol.rst`, `monitor/bt.h`, and the
Bluetooth Core Specification, volume 4 part E, 7.7.65 (LE meta events).
"""

from __future__ import annotations

import enum
import struct

import msgspec

HEADER = struct.Struct("<HHH")  # code, adapter's index, length of what follows
LOAD_PARAMETERS = 0x0035
COMMAND_COMPLETE, COMMAND_STATUS = 0x0001, 0x0002
COMPLETE = struct.Struct("<HB")  # which command, status
PARAMETER = struct.Struct("<6sBHHHH")  # address, its type, shortest and longest interval, latency, time-out
PUBLIC, RANDOM = 1, 2
INTERVAL_UNIT_S = 0.00125  # a connection interval counts in these
TIMEOUT_UNIT_S = 0.01  # and a supervision time-out in these
MIN_INTERVAL, MAX_INTERVAL = 6, 12  # 7.5 and 15 ms
SUPERVISION_TIMEOUT = 72  # 720 ms; the 420 that Linux takes by itself lose links on a Raspberry Pi 5
MONITOR_EVENT = 3  # an HCI event, in the monitor's header
LE_META = 0x3E
LE_CONNECTION, LE_UPDATE, LE_ENHANCED, LE_ENHANCED_V2 = 0x01, 0x03, 0x0A, 0x29


class MgmtStatus(enum.IntEnum):
    """How the kernel answers; the ones that can be told something about."""

    SUCCESS = 0x00
    UNKNOWN_COMMAND = 0x01
    INVALID_PARAMETERS = 0x0D
    INVALID_INDEX = 0x11
    PERMISSION_DENIED = 0x14


class ConnectionParameters(msgspec.Struct, frozen=True):
    """What the radio agreed on for one connection.

    Attributes:
        address: of the unit, or "" where the event tells the handle only.
        handle: of the connection.
    """

    address: str
    handle: int
    interval_s: float
    supervision_s: float


class UnitAddress(msgspec.Struct, frozen=True):
    """The unit for which the kernel is to take a quick interval from now on."""

    address: str
    is_random: bool


def load_parameters_command(adapter: int, wanted: list[UnitAddress]) -> bytes:
    """The command by which the kernel takes 7.5 to 15 ms and 720 ms for these units, and forgets others'."""
    body = struct.pack("<H", len(wanted)) + b"".join(
        PARAMETER.pack(
            _bytes(one.address), RANDOM if one.is_random else PUBLIC, MIN_INTERVAL, MAX_INTERVAL, 0, SUPERVISION_TIMEOUT
        )
        for one in wanted
    )
    return HEADER.pack(LOAD_PARAMETERS, adapter, len(body)) + body


def status_of(packet: bytes, command: int) -> int | None:
    """The status in the kernel's answer to this command; None for any other packet."""
    if len(packet) < HEADER.size + COMPLETE.size:
        return None
    code, _adapter, _length = HEADER.unpack_from(packet)
    answered, status = COMPLETE.unpack_from(packet, HEADER.size)
    return int(status) if code in {COMMAND_COMPLETE, COMMAND_STATUS} and answered == command else None


def parse_connection_parameters(packet: bytes) -> ConnectionParameters | None:
    """What a packet of the monitor says was agreed on; None where it is about something else, or failed."""
    if len(packet) < HEADER.size + 4 or HEADER.unpack_from(packet)[0] != MONITOR_EVENT:
        return None
    event, _length, kind = packet[HEADER.size : HEADER.size + 3]
    if event != LE_META:
        return None
    body = packet[HEADER.size + 3 :]
    try:
        return _parameters(kind, body)
    except struct.error:  # shorter than the specification says
        return None


def _parameters(kind: int, body: bytes) -> ConnectionParameters | None:
    if kind == LE_UPDATE:
        status, handle, interval, _latency, timeout = struct.unpack_from("<BHHHH", body)
        return (
            None if status else ConnectionParameters("", handle, interval * INTERVAL_UNIT_S, timeout * TIMEOUT_UNIT_S)
        )
    if kind not in {LE_CONNECTION, LE_ENHANCED, LE_ENHANCED_V2}:
        return None
    status, handle, _role, _type, address = struct.unpack_from("<BHBB6s", body)
    at = 11 if kind == LE_CONNECTION else 23  # the enhanced ones tell two resolvable addresses in between
    interval, _latency, timeout = struct.unpack_from("<HHH", body, at)
    return (
        None
        if status
        else ConnectionParameters(_address(address), handle, interval * INTERVAL_UNIT_S, timeout * TIMEOUT_UNIT_S)
    )


def _bytes(address: str) -> bytes:
    """An address as it goes over the air: the last byte first."""
    return bytes.fromhex(address.replace(":", ""))[::-1]


def _address(raw: bytes) -> str:
    return raw[::-1].hex(":").upper()
