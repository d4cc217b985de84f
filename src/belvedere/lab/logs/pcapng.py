"""The pcapng format, which Wireshark writes. Layout as in draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs import datalinks, pcap
from belvedere.lab.logs.byte_view import ByteView
from belvedere.lab.logs.pcap import LINK_TYPES, NS_PER_S
from belvedere.lab.logs.records import MAX_RECORD_BYTES, Records

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
SYSTEMD_JOURNAL, CUSTOM, CUSTOM_NO_COPY, SYSTEM_CALL = 9, 0x00000BAD, 0x40000BAD, 0x204
PARSED_BLOCKS = {SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED}  # other blocks are skipped, whatever their length
NON_PACKET_FRAMES = {SYSTEMD_JOURNAL, CUSTOM, CUSTOM_NO_COPY, SYSTEM_CALL}
FRAME_BLOCKS = {
    OLD_PACKET,
    SIMPLE,
    ENHANCED,
    *NON_PACKET_FRAMES,
}  # what Wireshark numbers as frames

BYTE_ORDER = 0x1A2B3C4D
BLOCK_BYTES = 12  # a block's type and length, and its length again at the end
MAX_BLOCK_BYTES = 4 * MAX_RECORD_BYTES  # of blocks that are parsed; packets may carry long comments
MAX_INTERFACES = 1024  # per section; computers have a dozen
MAX_TIME_NS = (1 << 63) - 1

TSRESOL, TSOFFSET, PACKET_FLAGS = 9, 14, 2  # options


class Interface(NamedTuple):
    """An interface that packets were captured on, with the resolution and offset of its times."""

    number: int  # counted over the whole file
    link: int
    snap: int
    ticks_per_s: int
    offset_s: int


class DamageError(ValueError):
    """A block is invalid; never leaves this module."""


class PcapngReader:
    """Reads the blocks of a file."""

    damage = ""
    foreign_content = ""

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[Interface] = []
        self._interface_count = 0
        self._time_ns = 0

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """See `RecordReader`."""
        rows: list[tuple[int, ...]] = []
        offset = 0
        try:
            while len(data) - offset >= BLOCK_BYTES:
                kind, length = self._block_header(data, offset)
                if kind in PARSED_BLOCKS and offset + length > len(data):
                    break
                if kind in FRAME_BLOCKS:
                    rows.append(self._packet(kind, data, offset, offset + length - 4))
                elif kind == SECTION:
                    self._interfaces = []
                elif kind == INTERFACE:
                    self._interfaces.append(self._interface(data, offset + 8, offset + length - 4))
                offset += length
        except DamageError as error:
            self.damage = str(error)
        if not rows:
            return None, offset
        columns = np.array(rows, np.int64).T
        return Records(ByteView(data), *columns), offset

    def _block_header(self, data: bytes, offset: int) -> tuple[int, int]:
        """Kind and length of the block that begins here.

        A section header sets the byte order for all that follows; its own type reads the same in both orders.
        """
        if data[offset : offset + 4] == b"\n\r\r\n":
            self._order = "<" if struct.unpack_from("<I", data, offset + 8)[0] == BYTE_ORDER else ">"
            if struct.unpack_from(self._order + "I", data, offset + 8)[0] != BYTE_ORDER:
                raise DamageError("a section header without a byte-order magic")
        kind, length = struct.unpack_from(self._order + "II", data, offset)
        if length < BLOCK_BYTES or length % 4 or (kind in PARSED_BLOCKS and length > MAX_BLOCK_BYTES):
            raise DamageError(f"a block claims a length of {length} bytes")
        return kind, length

    def _interface(self, data: bytes, offset: int, end: int) -> Interface:
        if end - offset < 8 or len(self._interfaces) >= MAX_INTERFACES:  # noqa: PLR2004 - link type, reserved, snap length
            raise DamageError("an invalid interface description")
        linktype, _, snap = struct.unpack_from(self._order + "HHI", data, offset)
        ticks_per_s, offset_s = 1_000_000, 0
        for code, value in self._options(data, offset + 8, end):
            if code == TSRESOL and len(value) == 1:
                ticks_per_s = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == TSOFFSET and len(value) == 8:  # noqa: PLR2004 - a signed number of 64 bits
                (offset_s,) = struct.unpack(self._order + "q", value)
        self._interface_count += 1
        if linktype not in LINK_TYPES:
            self.foreign_content = pcap.describe_link_type(linktype)
        return Interface(
            self._interface_count - 1, LINK_TYPES.get(linktype, datalinks.OTHER), snap, ticks_per_s, offset_s
        )

    def _packet(self, kind: int, data: bytes, offset: int, end: int) -> tuple[int, ...]:
        """One row for `Records`: offset, length, time, link, interface, flags."""
        if kind in NON_PACKET_FRAMES:
            return offset, 0, self._time_ns, datalinks.OTHER, 0, 0
        if kind == SIMPLE:
            return self._simple(data, offset + 8, end)
        if end - offset < 28:  # noqa: PLR2004 - the block's header and the packet's, up to its data
            raise DamageError("a packet that ends in its header")
        whose = "I" if kind == ENHANCED else "HH"  # the old one has a count of drops in the second half
        number, *_, high, low, length = struct.unpack_from(f"{self._order}{whose}III", data, offset + 8)
        if number >= len(self._interfaces) or offset + 28 + length > end:
            raise DamageError("a packet of an undefined interface, or longer than its block")
        one = self._interfaces[number]
        self._time_ns = _time_ns(one, high << 32 | low)
        options_at = offset + 28 + length + -length % 4
        flags = self._flags(data, options_at, end) if options_at < end else 0
        return offset + 28, length, self._time_ns, one.link, one.number, flags

    def _simple(self, data: bytes, offset: int, end: int) -> tuple[int, ...]:
        """A simple packet has no time of its own; it gets that of the packet before it."""
        if not self._interfaces or end - offset < 4:  # noqa: PLR2004 - the length of the packet
            raise DamageError("a simple packet without an interface")
        one = self._interfaces[0]
        (original,) = struct.unpack_from(self._order + "I", data, offset)
        length = min(original, one.snap or original, end - offset - 4)
        return offset + 4, length, self._time_ns, one.link, one.number, 0

    def _flags(self, data: bytes, offset: int, end: int) -> int:
        for code, value in self._options(data, offset, end):
            if code == PACKET_FLAGS and len(value) == 4:  # noqa: PLR2004 - a number of 32 bits
                return int(struct.unpack(self._order + "I", value)[0])
        return 0

    def _options(self, data: bytes, offset: int, end: int) -> Iterator[tuple[int, bytes]]:
        while end - offset >= 4:  # noqa: PLR2004 - code and length
            code, length = struct.unpack_from(self._order + "HH", data, offset)
            if code == 0 or offset + 4 + length > end:
                return
            yield code, data[offset + 4 : offset + 4 + length]
            offset += 4 + length + -length % 4


def _time_ns(one: Interface, ticks: int) -> int:
    time_ns = ticks * NS_PER_S // one.ticks_per_s + one.offset_s * NS_PER_S
    return max(-MAX_TIME_NS, min(MAX_TIME_NS, time_ns))
