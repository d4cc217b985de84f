"""pcapng: what Wireshark writes. Layout as in draft-ietf-opsawg-pcapng."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs import datalinks, pcap
from belvedere.lab.logs.pcap import LINKS, NS_A_S
from belvedere.lab.logs.records import LONGEST_RECORD, Records
from belvedere.lab.logs.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
JOURNAL, CUSTOM, CUSTOM_UNCOPIED, SYSTEM_CALL = 9, 0x00000BAD, 0x40000BAD, 0x204
READ = {SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED}  # other blocks are skipped, however long
STRANGE_FRAMES = {JOURNAL, CUSTOM, CUSTOM_UNCOPIED, SYSTEM_CALL}
FRAMES = {OLD_PACKET, SIMPLE, ENHANCED, *STRANGE_FRAMES}  # what Wireshark counts as a frame

BYTE_ORDER = 0x1A2B3C4D
BLOCK_BYTES = 12  # type and length before a block, and length after it
LONGEST_BLOCK = 4 * LONGEST_RECORD  # of those that are read; a packet may have long comments
MOST_INTERFACES = 1024  # of a section; computers have a dozen
END_OF_TIME_NS = (1 << 63) - 1

TSRESOL, TSOFFSET, PACKET_FLAGS = 9, 14, 2  # options


class Interface(NamedTuple):
    """Where packets come from, and what its times mean."""

    number: int  # in the whole file
    link: int
    snap: int
    ticks_a_s: int
    offset_s: int


class DamageError(ValueError):
    """A block says what cannot be; never leaves this module."""


class PcapngWalker:
    """Walks the blocks of a file."""

    damage = ""
    foreign = ""

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[Interface] = []
        self._many = 0
        self._time_ns = 0

    def walk(self, data: bytes) -> tuple[Records | None, int]:
        """See `Walker`."""
        rows: list[tuple[int, ...]] = []
        at = 0
        try:
            while len(data) - at >= BLOCK_BYTES:
                kind, length = self._begun(data, at)
                if kind in READ and at + length > len(data):
                    break
                if kind in FRAMES:
                    rows.append(self._packet(kind, data, at, at + length - 4))
                elif kind == SECTION:
                    self._interfaces = []
                elif kind == INTERFACE:
                    self._interfaces.append(self._interface(data, at + 8, at + length - 4))
                at += length
        except DamageError as error:
            self.damage = str(error)
        if not rows:
            return None, at
        columns = np.array(rows, np.int64).T
        return Records(View(data), *columns), at

    def _begun(self, data: bytes, at: int) -> tuple[int, int]:
        """Kind and length of the block that begins here."""
        if data[at : at + 4] == b"\n\r\r\n":
            self._order = "<" if struct.unpack_from("<I", data, at + 8)[0] == BYTE_ORDER else ">"
            if struct.unpack_from(self._order + "I", data, at + 8)[0] != BYTE_ORDER:
                raise DamageError("a section begins without its byte order")
        kind, length = struct.unpack_from(self._order + "II", data, at)
        if length < BLOCK_BYTES or length % 4 or (kind in READ and length > LONGEST_BLOCK):
            raise DamageError(f"a block says that it has {length} bytes")
        return kind, length

    def _interface(self, data: bytes, at: int, end: int) -> Interface:
        if end - at < 8 or len(self._interfaces) >= MOST_INTERFACES:  # noqa: PLR2004 - link type, reserved, snap length
            raise DamageError("an interface that cannot be")
        linktype, _, snap = struct.unpack_from(self._order + "HHI", data, at)
        ticks_a_s, offset_s = 1_000_000, 0
        for code, value in self._options(data, at + 8, end):
            if code == TSRESOL and len(value) == 1:
                ticks_a_s = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == TSOFFSET and len(value) == 8:  # noqa: PLR2004 - a signed number of 64 bits
                (offset_s,) = struct.unpack(self._order + "q", value)
        self._many += 1
        if linktype not in LINKS:
            self.foreign = pcap.words_of(linktype)
        return Interface(self._many - 1, LINKS.get(linktype, datalinks.OTHER), snap, ticks_a_s, offset_s)

    def _packet(self, kind: int, data: bytes, at: int, end: int) -> tuple[int, ...]:
        """One row for `Records`: at, length, time, link, interface, flags."""
        if kind in STRANGE_FRAMES:
            return at, 0, self._time_ns, datalinks.OTHER, 0, 0
        if kind == SIMPLE:
            return self._simple(data, at + 8, end)
        if end - at < 28:  # noqa: PLR2004 - the block's type and length, and all before the data
            raise DamageError("a packet that ends in its header")
        whose = "I" if kind == ENHANCED else "HH"  # the old one has a count of drops in the second half
        number, *_, high, low, length = struct.unpack_from(f"{self._order}{whose}III", data, at + 8)
        if number >= len(self._interfaces) or at + 28 + length > end:
            raise DamageError("a packet of no interface, or longer than its block")
        one = self._interfaces[number]
        self._time_ns = _time_ns(one, high << 32 | low)
        options_at = at + 28 + length + -length % 4
        flags = self._flags(data, options_at, end) if options_at < end else 0
        return at + 28, length, self._time_ns, one.link, one.number, flags

    def _simple(self, data: bytes, at: int, end: int) -> tuple[int, ...]:
        """A simple packet has no time; that of the packet before it stands in."""
        if not self._interfaces or end - at < 4:  # noqa: PLR2004 - the length of the packet
            raise DamageError("a simple packet of no interface")
        one = self._interfaces[0]
        (original,) = struct.unpack_from(self._order + "I", data, at)
        length = min(original, one.snap or original, end - at - 4)
        return at + 4, length, self._time_ns, one.link, one.number, 0

    def _flags(self, data: bytes, at: int, end: int) -> int:
        for code, value in self._options(data, at, end):
            if code == PACKET_FLAGS and len(value) == 4:  # noqa: PLR2004 - a number of 32 bits
                return int(struct.unpack(self._order + "I", value)[0])
        return 0

    def _options(self, data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        while end - at >= 4:  # noqa: PLR2004 - code and length
            code, length = struct.unpack_from(self._order + "HH", data, at)
            if code == 0 or at + 4 + length > end:
                return
            yield code, data[at + 4 : at + 4 + length]
            at += 4 + length + -length % 4


def _time_ns(one: Interface, ticks: int) -> int:
    time_ns = ticks * NS_A_S // one.ticks_a_s + one.offset_s * NS_A_S
    return max(-END_OF_TIME_NS, min(END_OF_TIME_NS, time_ns))
