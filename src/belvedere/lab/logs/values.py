"""The attribute values in one chunk of a log, many at a time as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs.datalinks import SENT, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from belvedere.lab.logs.byte_view import Flags, Ints

DIRECTION_LABELS = ("sent", "received", "unknown")
OPCODE_LABELS = {
    0x09: "read by type",
    0x0B: "read",
    0x0D: "read blob",
    0x0F: "read multiple",
    0x12: "write request",
    0x16: "prepare write",
    0x17: "prepared write",
    0x1B: "notify",
    0x1D: "indicate",
    0x21: "read multiple",
    0x23: "notify",
    0x52: "write command",
    0xD2: "signed write",
}


class Values(NamedTuple):
    """Values in the order of the log; each field but the last two has one entry per value.

    Attributes:
        frame: number of the record that completed the PDU.
        time_ns: of that record.
        connection: index into `Connections.all`.
        direction: SENT, RECEIVED or UNTOLD.
        opcode: of the ATT PDU.
        handle: of the attribute; 0 where the log does not contain it.
        offset: where the value begins in `data`, or -1 - its index in `separate`.
        length: in bytes.
        is_truncated: whether the log holds only part of the value.
        data: the chunk.
        separate: values that are not contiguous in the chunk, because they were reassembled.
    """

    frame: Ints
    time_ns: Ints
    connection: Ints
    direction: Ints
    opcode: Ints
    handle: Ints
    offset: Ints
    length: Ints
    is_truncated: Flags
    data: bytes
    separate: list[bytes]

    def value(self, offset: int, length: int) -> bytes:
        """The value with this offset and length."""
        return self.data[offset : offset + length] if offset >= 0 else self.separate[-1 - offset]

    def filtered(self, is_selected: Flags) -> Values:
        """Only the selected values."""
        return self if is_selected.all() else Values.from_columns(self.columns, is_selected, self.data, self.separate)

    @property
    def columns(self) -> tuple[Ints, ...]:
        """All fields but the last two, as integers."""
        return (*self[:8], self.is_truncated.astype(np.int64))

    @classmethod
    def from_columns(cls, columns: Sequence[Ints], which: Ints | Flags, data: bytes, separate: list[bytes]) -> Values:
        """The values that `which` selects, or orders, from the columns."""
        frame, time_ns, connection, direction, opcode, handle, offset, length, is_truncated = (
            one[which] for one in columns
        )
        flags = is_truncated.astype(np.bool_)
        return cls(frame, time_ns, connection, direction, opcode, handle, offset, length, flags, data, separate)


def is_host_attribute(direction: int, opcode: int) -> bool:
    """Whether the handle belongs to the host's own attribute table rather than the device's.

    ATT opcodes are odd from the server and even from the client, so the host is the server if it sent an odd one or
    received an even one. Where the direction is unknown, the device is taken for the server.
    """
    return direction != UNKNOWN and (opcode & 1 == 1) == (direction == SENT)
