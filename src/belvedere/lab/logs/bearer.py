"""The attribute protocol on one connection: which answer belongs to which request, and what both say together.

Only PDUs that need others to be understood come here, and those that were put together from fragments
(Core 5.4, volume 3, part F, 3.4). A bearer has one request under way in each direction at most.
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
    Table,
    uuid_in,
)
from belvedere.lab.logs.datalinks import OPPOSITE, RECEIVED, SENT
from belvedere.lab.logs.events import text_of
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
NO_HANDLE = 0  # reserved by the specification: where a log does not tell what was read
DECLARING = {PRIMARY, SECONDARY, INCLUDE, CHARACTERISTIC}  # attributes that say what others are, and hold no value


class Value(NamedTuple):
    """A value that went over a handle."""

    opcode: int
    handle: int
    value: bytes


class Bearer:
    """Both directions of one connection; `ours` is the table of the host with the log, `theirs` that of the device.

    Attributes:
        mtu: the longest PDU that both take, or None where they did not say.
        name: what the device's name was read as, or "".
    """

    def __init__(self, ours: Table, theirs: Table) -> None:
        self.mtu: int | None = None
        self.name = ""
        self._tables = (theirs, ours, theirs)  # by the direction of the request; where nobody tells it, we asked
        self._pending: dict[int, bytes] = {}
        self._offered = 0

    def another(self) -> Bearer:
        """Another channel between the same two: the same tables, and requests of its own."""
        return Bearer(self._tables[RECEIVED], self._tables[SENT])

    def receive(self, direction: int, pdu: bytes) -> Iterable[Value]:
        """A PDU went this way; returns the values in it."""
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
            return [Value(opcode, handle, value) for handle, value in _handles_lengths_values(pdu[1:])]
        if opcode == ERROR:
            self._pending.pop(OPPOSITE[direction], None)
        elif opcode in {MTU_REQUEST, MTU_RESPONSE} and len(pdu) >= 3:  # noqa: PLR2004 - opcode and a number
            self._receive_mtu(opcode, int.from_bytes(pdu[1:3], "little"))
        return ()

    def _receive_request(self, direction: int, pdu: bytes) -> None:
        if pdu[0] == READ_BY_TYPE and uuid_in(pdu[5:]) == DATABASE_HASH:
            self._tables[direction].is_cached = True

    def _receive_mtu(self, opcode: int, mtu: int) -> None:
        if opcode == MTU_REQUEST:
            self._offered = mtu
        elif self._offered:
            self.mtu = max(23, min(self._offered, mtu))  # the least that any device takes

    def _receive_response(self, direction: int, pdu: bytes) -> Iterable[Value]:
        """An answer to what was asked in this direction, if the log holds the question."""
        request = self._pending.pop(direction, b"")
        if not request or request[0] != pdu[0] - 1:
            request = b""
        table = self._tables[direction]
        values = list(ANSWERS[pdu[0]](request, pdu, table))
        if direction != RECEIVED:
            for value in values:
                if table.uuid_of(value.handle) == DEVICE_NAME:
                    self.name = text_of(value.value)
        return values


def _written(pdu: bytes) -> Iterable[Value]:
    """Opcode, handle, value; between handle and value an offset, or behind the value a signature."""
    head = 5 if pdu[0] in {PREPARE, PREPARED} else 3
    if len(pdu) < head:
        return
    end = max(head, len(pdu) - SIGNATURE_BYTES) if pdu[0] == SIGNED_WRITE else len(pdu)
    yield Value(pdu[0], int.from_bytes(pdu[1:3], "little"), pdu[head:end])


def _read(request: bytes, pdu: bytes, table: Table) -> Iterable[Value]:
    """A value; of several that were read together, whose lengths nobody tells, the first one's handle."""
    handle = int.from_bytes(request[1:3], "little") if len(request) >= 3 else NO_HANDLE  # noqa: PLR2004 - see there
    if pdu[0] == READ + 1 and table.uuid_of(handle) == CHARACTERISTIC:
        table.add_declaration(handle, pdu[1:])
    else:
        yield Value(pdu[0], handle, pdu[1:])


def _read_variable(request: bytes, pdu: bytes, _table: Table) -> Iterable[Value]:
    """Several values, each with its length, in the order of the handles that were asked for."""
    at = 1
    handles = iter(request[start : start + 2] for start in range(1, len(request) - 1, 2))
    while len(pdu) - at >= 2:  # noqa: PLR2004 - a length
        length = int.from_bytes(pdu[at : at + 2], "little")
        handle = int.from_bytes(next(handles, b""), "little")
        yield Value(pdu[0], handle, pdu[at + 2 : at + 2 + length])
        at += 2 + length


def _read_by_type(request: bytes, pdu: bytes, table: Table) -> Iterable[Value]:
    uuid = uuid_in(request[5:])
    for entry in _entries(pdu, least=2):
        handle = int.from_bytes(entry[:2], "little")
        if uuid == CHARACTERISTIC:
            table.add_declaration(handle, entry[2:])
        elif uuid not in DECLARING:
            if uuid:
                table.add_type(handle, uuid)
            yield Value(pdu[0], handle, entry[2:])


def _read_by_group(request: bytes, pdu: bytes, table: Table) -> Iterable[Value]:
    if uuid_in(request[5:]) in {PRIMARY, SECONDARY}:
        for entry in _entries(pdu, least=6):
            start, end = int.from_bytes(entry[:2], "little"), int.from_bytes(entry[2:4], "little")
            table.add_service(start, end, uuid_in(entry[4:]))
    return ()


def _found_by_value(request: bytes, pdu: bytes, table: Table) -> Iterable[Value]:
    uuid = uuid_in(request[7:])
    if uuid and uuid_in(request[5:7]) in {PRIMARY, SECONDARY}:
        for at in range(1, len(pdu) - 3, 4):
            start, end = int.from_bytes(pdu[at : at + 2], "little"), int.from_bytes(pdu[at + 2 : at + 4], "little")
            table.add_service(start, end, uuid)
    return ()


def _found_information(request: bytes, pdu: bytes, table: Table) -> Iterable[Value]:
    size = {1: 2, 2: 16}.get(pdu[1] if len(pdu) > 1 else 0)
    if request and size:
        for at in range(2, len(pdu) - 1 - size, 2 + size):
            table.add_type(int.from_bytes(pdu[at : at + 2], "little"), uuid_in(pdu[at + 2 : at + 2 + size]))
    return ()


def _entries(pdu: bytes, *, least: int) -> Iterable[bytes]:
    """The entries of an answer whose first byte is the length of each; only whole ones."""
    length = pdu[1] if len(pdu) > 1 else 0
    if length >= least:
        for at in range(2, len(pdu) - length + 1, length):
            yield pdu[at : at + length]


def _handles_lengths_values(data: bytes) -> Iterable[tuple[int, bytes]]:
    at = 0
    while len(data) - at >= 4:  # noqa: PLR2004 - a handle and a length
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        yield int.from_bytes(data[at : at + 2], "little"), data[at + 4 : at + 4 + length]
        at += 4 + length


ANSWERS: dict[int, Callable[[bytes, bytes, Table], Iterable[Value]]] = {
    FIND_INFORMATION + 1: _found_information,
    FIND_BY_VALUE + 1: _found_by_value,
    READ_BY_TYPE + 1: _read_by_type,
    READ + 1: _read,
    READ_BLOB + 1: _read,
    READ_MULTIPLE + 1: _read,
    READ_BY_GROUP + 1: _read_by_group,
    READ_MULTIPLE_VARIABLE + 1: _read_variable,
}
