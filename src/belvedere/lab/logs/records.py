"""Records: the common form of every log file format, many at a time as arrays."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import ByteView, Ints

MAX_RECORD_BYTES = 262_144
"""Wireshark's limit too; HCI packets have at most 65,540 bytes. A longer record means a damaged log."""


class Records(NamedTuple):
    """The records of one chunk of a log, in its order; each array has one number per record.

    Attributes:
        view: the chunk.
        offset: where the record's data begins in the chunk.
        length: how many bytes of data the log holds; the original may have been longer.
        time_ns: since the epoch.
        link: how the data is encapsulated (`datalinks`).
        interface: its number in the file; 0 where the format has only one.
        flags: metadata from the record's header; the meaning depends on `link`.
    """

    view: ByteView
    offset: Ints
    length: Ints
    time_ns: Ints
    link: Ints
    interface: Ints
    flags: Ints


class NotALogError(OwnerError):
    """The file is not a supported log, or its header is invalid."""


class RecordReader(Protocol):
    """Finds the records of one file format."""

    @property
    def damage(self) -> str:
        """Why nothing after this point can be read, or ""."""
        ...

    @property
    def foreign_content(self) -> str:
        """A description of content other than Bluetooth HCI, or ""."""
        ...

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """The records that lie completely in the data, and the offset at which to continue.

        The next call's data must begin at that offset, which may lie beyond the end of this data.
        """
        ...


def split_records(data: bytes, header_bytes: int, length_at: int, order: str) -> tuple[list[int], int, str]:
    """Where each record begins that lies completely in the data, where the next one begins, and what is damaged, or "".

    A record is a header of `header_bytes`, with the length of its data as 32 bits at `length_at`, and the data.
    """
    length_of = struct.Struct(order + "I").unpack_from
    starts: list[int] = []
    offset, last = 0, len(data) - header_bytes
    while offset <= last:
        (length,) = length_of(data, offset + length_at)
        if length > MAX_RECORD_BYTES:
            return starts, offset, f"a record claims a length of {length} bytes"
        next_offset = offset + header_bytes + length
        if next_offset > len(data):
            break
        starts.append(offset)
        offset = next_offset
    return starts, offset, ""
