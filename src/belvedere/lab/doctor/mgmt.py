"""Packets of the kernel's Bluetooth management interface and of its monitor channel, as bytes. Pure.

Sources: BlueZ `doc/mgmt-api.txt` (Load Connection Parameters, 0x0035), `doc/mgmt-protocol.rst`, `monitor/bt.h`, and the
Bluetooth Core Specification, volume 4 part E, 7.7.65 (LE meta events).
"""

from __future__ import annotations

import enum
import struct

import msgspec

HEADER = struct.Struct("<HHH")  # code, adapter index, length of the rest
LOAD_PARAMETERS = 0x0035
COMMAND_COMPLETE, COMMAND_STATUS = 0x0001, 0x0002
COMPLETE = struct.Struct("<HB")  # command code, status
PARAMETER = struct.Struct("<6sBHHHH")  # address, address type, minimum and maximum interval, latency, timeout
PUBLIC, RANDOM = 1, 2
INTERVAL_UNIT_S = 0.00125  # the unit of connection intervals
TIMEOUT_UNIT_S = 0.01  # the unit of supervision timeouts
MIN_INTERVAL, MAX_INTERVAL = 6, 12  # 7.5 and 15 ms
SUPERVISION_TIMEOUT = 72  # 720 ms; Linux's default of 420 ms is reported to lose links on a Raspberry Pi 5
MONITOR_EVENT = 3  # opcode of an HCI event in the monitor's header
LE_META = 0x3E
LE_CONNECTION, LE_UPDATE, LE_ENHANCED, LE_ENHANCED_V2 = 0x01, 0x03, 0x0A, 0x29


class MgmtStatus(enum.IntEnum):
    """Status codes of the management interface: those that Belvedere knows how to explain."""

    SUCCESS = 0x00
    UNKNOWN_COMMAND = 0x01
    INVALID_PARAMETERS = 0x0D
    INVALID_INDEX = 0x11
    PERMISSION_DENIED = 0x14


class ConnectionParameters(msgspec.Struct, frozen=True):
    """The parameters of one connection, as the controller reported them.

    Attributes:
        address: the unit's, or "" where the event carries only the handle.
        handle: the connection's.
        supervision_s: the supervision timeout.
    """

    address: str
    handle: int
    interval_s: float
    supervision_s: float


class UnitAddress(msgspec.Struct, frozen=True):
    """The address of a unit for which a short interval is requested."""

    address: str
    is_random: bool


def load_parameters_command(adapter: int, units: list[UnitAddress]) -> bytes:
    """The command that requests 7.5 to 15 ms and a timeout of 720 ms for these units; it replaces earlier requests."""
    body = struct.pack("<H", len(units)) + b"".join(
        PARAMETER.pack(
            _bytes(one.address), RANDOM if one.is_random else PUBLIC, MIN_INTERVAL, MAX_INTERVAL, 0, SUPERVISION_TIMEOUT
        )
        for one in units
    )
    return HEADER.pack(LOAD_PARAMETERS, adapter, len(body)) + body


def status_of(packet: bytes, command: int) -> int | None:
    """The status in the kernel's reply to this command; None for any other packet."""
    if len(packet) < HEADER.size + COMPLETE.size:
        return None
    code, _adapter, _length = HEADER.unpack_from(packet)
    answered, status = COMPLETE.unpack_from(packet, HEADER.size)
    return int(status) if code in {COMMAND_COMPLETE, COMMAND_STATUS} and answered == command else None


def parse_connection_parameters(packet: bytes) -> ConnectionParameters | None:
    """The parameters in a packet of the monitor; None where it is about something else, or reports a failure."""
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
    at = 11 if kind == LE_CONNECTION else 23  # the enhanced events carry two resolvable addresses in between
    interval, _latency, timeout = struct.unpack_from("<HHH", body, at)
    return (
        None
        if status
        else ConnectionParameters(_address(address), handle, interval * INTERVAL_UNIT_S, timeout * TIMEOUT_UNIT_S)
    )


def _bytes(address: str) -> bytes:
    """An address as HCI carries it: the last byte first."""
    return bytes.fromhex(address.replace(":", ""))[::-1]


def _address(raw: bytes) -> str:
    return raw[::-1].hex(":").upper()
