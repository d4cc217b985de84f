"""The attribute protocol (ATT) on one bearer: matches responses to requests, and decodes them together.

Only PDUs that cannot be decoded by themselves come here, and reassembled ones (Core 5.4, volume 3, part F, 3.4). A
bearer has at most one pending request in each direction, so a response belongs to the last request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.logs.attributes import (
    CHARACTERISTIC,
    DATABASE_HASH,
    DEVICE_NAME,
    INCLUDE,
    PRIMARY,
    SECONDARY,
    AttributeTable,
    parse_uuid,
)
from belvedere.lab.logs.datalinks import OPPOSITE, RECEIVED, SENT
from belvedere.lab.logs.events import printable_text
from belvedere.lab.logs.frames import PLAIN, SIGNATURE_BYTES, SIGNED_WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ERROR, MTU_REQUEST, MTU_RESPONSE = 0x01, 0x02, 0x03
FIND_INFORMATION, FIND_BY_VALUE, READ_BY_TYPE, READ, READ_BLOB, READ_MULTIPLE = 0x04, 0x06, 0x08, 0x0A, 0x0C, 0x0E
READ_BY_GROUP, READ_MULTIPLE_VARIABLE = 0x10, 0x20
PREPARE, PREPARED, NOTIFY_MULTIPLE = 0x16, 0x17, 0x23
REQUESTS = {
    FIND_INFORMATION,
    FIND_BY_VALUE,
    READ_BY_TYPE,
    READ,
    READ_BLOB,
    READ_MULTIPLE,
    READ_BY_GROUP,
    READ_MULTIPLE_VARIABLE,
}
NO_HANDLE = 0  # reserved by the specification; stands for a request that is not in the log
DECLARATIONS = {
    PRIMARY,
    SECONDARY,
    INCLUDE,
    CHARACTERISTIC,
}  # attributes that describe others, and hold no value of interest


class AttributeValue(NamedTuple):
    """A value sent over a handle."""

    opcode: int
    handle: int
    value: bytes


class Bearer:
    """One bearer, in both directions.

    Attributes:
        mtu: the agreed maximum PDU size, or None where the log does not contain the exchange.
        name: the device's name, as read from its attribute, or "".
    """

    def __init__(self, host_tables: AttributeTable, theirs: AttributeTable) -> None:
        self.mtu: int | None = None
        self.name = ""
        self._tables = (theirs, host_tables, theirs)  # by the request's direction; an unknown one counts as sent
        self._pending: dict[int, bytes] = {}
        self._client_mtu = 0

    def new_channel(self) -> Bearer:
        """A bearer for another channel of this connection: the same tables, its own requests."""
        return Bearer(self._tables[RECEIVED], self._tables[SENT])

    def receive(self, direction: int, pdu: bytes) -> Iterable[AttributeValue]:
        """Take a PDU that was sent in this direction; returns the values in it."""
        opcode = pdu[0]
        if opcode in REQUESTS:
            self._pending[direction] = pdu
            self._receive_request(direction, pdu)
            return ()
        if opcode - 1 in REQUESTS:
            return self._receive_response(OPPOSITE[direction], pdu)
        if opcode in PLAIN or opcode in {PREPARE, PREPARED}:
            return _written(pdu)
        if opcode == NOTIFY_MULTIPLE:
            return [AttributeValue(opcode, handle, value) for handle, value in _handles_lengths_values(pdu[1:])]
        if opcode == ERROR:
            self._pending.pop(OPPOSITE[direction], None)
        elif opcode in {MTU_REQUEST, MTU_RESPONSE} and len(pdu) >= 3:  # noqa: PLR2004 - opcode and a number
            self._receive_mtu(opcode, int.from_bytes(pdu[1:3], "little"))
        return ()

    def _receive_request(self, direction: int, pdu: bytes) -> None:
        if pdu[0] == READ_BY_TYPE and parse_uuid(pdu[5:]) == DATABASE_HASH:
            self._tables[direction].is_cached = True

    def _receive_mtu(self, opcode: int, mtu: int) -> None:
        if opcode == MTU_REQUEST:
            self._client_mtu = mtu
        elif self._client_mtu:
            self.mtu = max(23, min(self._client_mtu, mtu))  # the minimum, and the default

    def _receive_response(self, direction: int, pdu: bytes) -> Iterable[AttributeValue]:
        """A response to the pending request of this direction; decoded without one if the log does not contain it."""
        request = self._pending.pop(direction, b"")
        if not request or request[0] != pdu[0] - 1:
            request = b""
        table = self._tables[direction]
        values = list(RESPONSE_PARSERS[pdu[0]](request, pdu, table))
        if direction != RECEIVED:
            for value in values:
                if table.uuid_of(value.handle) == DEVICE_NAME:
                    self.name = printable_text(value.value)
        return values


def _written(pdu: bytes) -> Iterable[AttributeValue]:
    """Opcode, handle, value; prepared writes have an offset before the value, signed ones a signature behind it."""
    head = 5 if pdu[0] in {PREPARE, PREPARED} else 3
    if len(pdu) < head:
        return
    end = max(head, len(pdu) - SIGNATURE_BYTES) if pdu[0] == SIGNED_WRITE else len(pdu)
    yield AttributeValue(pdu[0], int.from_bytes(pdu[1:3], "little"), pdu[head:end])


def _read(request: bytes, pdu: bytes, table: AttributeTable) -> Iterable[AttributeValue]:
    """The value read. Of a read-multiple, whose values have no lengths, all together with the first handle."""
    handle = int.from_bytes(request[1:3], "little") if len(request) >= 3 else NO_HANDLE  # noqa: PLR2004 - see there
    if pdu[0] == READ + 1 and table.uuid_of(handle) == CHARACTERISTIC:
        table.add_declaration(handle, pdu[1:])
    else:
        yield AttributeValue(pdu[0], handle, pdu[1:])


def _read_variable(request: bytes, pdu: bytes, _table: AttributeTable) -> Iterable[AttributeValue]:
    """Several values, each behind its length, in the order of the requested handles."""
    offset = 1
    handles = iter(request[start : start + 2] for start in range(1, len(request) - 1, 2))
    while len(pdu) - offset >= 2:  # noqa: PLR2004 - a length
        length = int.from_bytes(pdu[offset : offset + 2], "little")
        handle = int.from_bytes(next(handles, b""), "little")
        yield AttributeValue(pdu[0], handle, pdu[offset + 2 : offset + 2 + length])
        offset += 2 + length


def _read_by_type(request: bytes, pdu: bytes, table: AttributeTable) -> Iterable[AttributeValue]:
    uuid = parse_uuid(request[5:])
    for logged in _entries(pdu, least=2):
        handle = int.from_bytes(logged[:2], "little")
        if uuid == CHARACTERISTIC:
            table.add_declaration(handle, logged[2:])
        elif uuid not in DECLARATIONS:
            if uuid:
                table.add_type(handle, uuid)
            yield AttributeValue(pdu[0], handle, logged[2:])


def _read_by_group(request: bytes, pdu: bytes, table: AttributeTable) -> Iterable[AttributeValue]:
    if parse_uuid(request[5:]) in {PRIMARY, SECONDARY}:
        for logged in _entries(pdu, least=6):
            start, end = int.from_bytes(logged[:2], "little"), int.from_bytes(logged[2:4], "little")
            table.add_service(start, end, parse_uuid(logged[4:]))
    return ()


def _found_by_value(request: bytes, pdu: bytes, table: AttributeTable) -> Iterable[AttributeValue]:
    uuid = parse_uuid(request[7:])
    if uuid and parse_uuid(request[5:7]) in {PRIMARY, SECONDARY}:
        for offset in range(1, len(pdu) - 3, 4):
            start, end = (
                int.from_bytes(pdu[offset : offset + 2], "little"),
                int.from_bytes(pdu[offset + 2 : offset + 4], "little"),
            )
            table.add_service(start, end, uuid)
    return ()


def _found_information(request: bytes, pdu: bytes, table: AttributeTable) -> Iterable[AttributeValue]:
    size = {1: 2, 2: 16}.get(pdu[1] if len(pdu) > 1 else 0)
    if request and size:
        for offset in range(2, len(pdu) - 1 - size, 2 + size):
            table.add_type(
                int.from_bytes(pdu[offset : offset + 2], "little"), parse_uuid(pdu[offset + 2 : offset + 2 + size])
            )
    return ()


def _entries(pdu: bytes, *, least: int) -> Iterable[bytes]:
    """The complete entries of a response whose first byte is the length of each."""
    length = pdu[1] if len(pdu) > 1 else 0
    if length >= least:
        for offset in range(2, len(pdu) - length + 1, length):
            yield pdu[offset : offset + length]


def _handles_lengths_values(data: bytes) -> Iterable[tuple[int, bytes]]:
    offset = 0
    while len(data) - offset >= 4:  # noqa: PLR2004 - a handle and a length
        length = int.from_bytes(data[offset + 2 : offset + 4], "little")
        yield int.from_bytes(data[offset : offset + 2], "little"), data[offset + 4 : offset + 4 + length]
        offset += 4 + length


RESPONSE_PARSERS: dict[int, Callable[[bytes, bytes, AttributeTable], Iterable[AttributeValue]]] = {
    FIND_INFORMATION + 1: _found_information,
    FIND_BY_VALUE + 1: _found_by_value,
    READ_BY_TYPE + 1: _read_by_type,
    READ + 1: _read,
    READ_BLOB + 1: _read,
    READ_MULTIPLE + 1: _read,
    READ_BY_GROUP + 1: _read_by_group,
    READ_MULTIPLE_VARIABLE + 1: _read_variable,
}
